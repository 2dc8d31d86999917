//! Divides the distance of an address from a unit's first block by the size of a block, without a division instruction.
//!
//! The divisor is odd after its factors of two are removed, so it has an inverse modulo two to the power of the word's
//! bits. The product of a distance with this inverse is rotated right by the number of those factors. If the divisor
//! divides the distance, that is the exact quotient; else it is a number that is too large for a block (Granlund and
//! Montgomery, Division by Invariant Integers using Multiplication, section 9).

/// Divides distances by one number.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ExactDivision {
    /// The number of the lowest bit that is set in the divisor.
    shift: usize,
    /// The inverse of `divisor >> shift`, which is odd, modulo two to the power of the word's bits.
    inverse: usize,
}

impl ExactDivision {
    /// Prepares divisions by `divisor`, which is not zero.
    pub fn by(divisor: usize) -> Self {
        let shift = divisor.trailing_zeros();
        ExactDivision { shift: shift as usize, inverse: inverse(divisor.wrapping_shr(shift)) }
    }

    /// Returns the product of an address with the inverse: the form in which [`quotient`](Self::quotient) takes `from`.
    /// To multiply first and subtract afterwards takes two instructions less in a free than the other order.
    pub fn scaled(&self, address: usize) -> usize {
        address.wrapping_mul(self.inverse)
    }

    /// Returns the quotient of the distance from the address that was scaled to `scaled_from` to `to`. If the distance
    /// is not a multiple of the divisor, or is negative, the result is larger than the number of any block.
    pub fn quotient(&self, scaled_from: usize, to: usize) -> usize {
        self.scaled(to).wrapping_sub(scaled_from).rotate_right(self.shift as u32)
    }
}

/// Returns `x` such that `x * odd` is one, modulo two to the power of the word's bits. Each step of Newton's method
/// doubles the number of right bits.
fn inverse(odd: usize) -> usize {
    let mut x = odd; // right in three bits
    for _ in 0..5 {
        x = x.wrapping_mul(2usize.wrapping_sub(odd.wrapping_mul(x)));
    }
    x
}
