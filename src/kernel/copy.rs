//! Copies between memory that may be Device memory: aligned accesses only.

use core::mem::size_of;

const WORD: usize = size_of::<usize>();
/// The number of words that one iteration of the loop copies.
const UNROLLED: usize = 4;

/// Copies `size` bytes from `from` to `to`.
///
/// Every access is aligned, and is made as it is written here, neither joined with another nor left out: Device memory
/// faults on an unaligned access, and a `memcpy` may make one (Arm ARM DDI 0487, B2.7.2). All but a few bytes at either
/// end are read and written by words. Where the two sides are aligned differently, each word is put together from two
/// words of the source by shifts.
///
/// The caller orders the copy against what follows
/// ([`Cache::device_barrier`](super::Cache::device_barrier)).
///
/// Measured on aarch64: 0.4 instructions a byte where both sides have the same alignment, else 0.9 (`benches/maps.c`).
/// A copy by bytes takes 4.
///
/// # Safety
/// `[from, from + size)` is readable and `[to, to + size)` is writable. They do not overlap. While the copy runs, no
/// other code writes to either, or it does not matter which of the bytes are copied.
pub unsafe fn copy_aligned(to: *mut u8, from: *const u8, size: usize) {
    let head = (to.addr().wrapping_neg() % WORD).min(size);
    // SAFETY: each part begins at or below `size` and ends at or below it. After the head, `to` is aligned, unless
    // nothing is left.
    unsafe {
        copy_bytes(to, from, head);
        let (to, from, size) = (to.add(head), from.add(head), size - head);
        let copied = match from.addr() % WORD {
            0 => copy_words(to.cast(), from.cast(), size / WORD),
            offset => copy_shifted(to.cast(), from, offset, size),
        };
        copy_bytes(to.add(copied), from.add(copied), size - copied);
    }
}

/// # Safety
/// As [`copy_aligned`].
unsafe fn copy_bytes(to: *mut u8, from: *const u8, size: usize) {
    for at in 0..size {
        // SAFETY: `at` is less than `size`, the number of bytes that the caller guarantees.
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
    }
}

/// Copies `words` words, and returns the number of bytes copied.
///
/// # Safety
/// As [`copy_aligned`], and both sides are aligned for a word.
unsafe fn copy_words(mut to: *mut usize, mut from: *const usize, words: usize) -> usize {
    // SAFETY: the caller guarantees `words` words on both sides, and no index reaches that number.
    unsafe {
        // The reads come first: a processor that executes in order then waits once for four words, not for each.
        for _ in 0..words / UNROLLED {
            let first = from.read_volatile();
            let second = from.add(1).read_volatile();
            let third = from.add(2).read_volatile();
            let fourth = from.add(3).read_volatile();
            to.write_volatile(first);
            to.add(1).write_volatile(second);
            to.add(2).write_volatile(third);
            to.add(3).write_volatile(fourth);
            (to, from) = (to.add(UNROLLED), from.add(UNROLLED));
        }
        for at in 0..words % UNROLLED {
            to.add(at).write_volatile(from.add(at).read_volatile());
        }
    }
    words * WORD
}

/// Copies whole words of the target, each put together from two words of the source, and returns the number of bytes
/// copied. Fewer than two words of the `size` bytes are left then.
///
/// # Safety
/// As [`copy_aligned`]; `to` is aligned for a word, and `from` lies `offset` bytes after such an address, 1 or more.
unsafe fn copy_shifted(mut to: *mut usize, from: *const u8, offset: usize, size: usize) -> usize {
    // The number of bytes of the source before its first aligned word.
    let lead = WORD - offset;
    let (low_shift, high_shift) = (8 * offset, 8 * lead);
    let words = size.saturating_sub(lead) / WORD;
    if words == 0 {
        return 0;
    }
    // The bytes that have been read and not yet written: the low bytes of the next word.
    let mut carried = 0;
    // SAFETY: this reads `lead` bytes and `words` words of the source, and writes `words` words. All of them lie within
    // the `size` bytes.
    unsafe {
        for at in 0..lead {
            carried |= usize::from(from.add(at).read_volatile()) << (8 * at);
        }
        let mut source = from.add(lead).cast::<usize>();
        for _ in 0..words {
            let word = usize::from_le(source.read_volatile());
            to.write_volatile((carried | word << high_shift).to_le());
            carried = word >> low_shift;
            (to, source) = (to.add(1), source.add(1));
        }
    }
    words * WORD
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every alignment of both sides, every length up to some words: the bytes arrive, and no other changes.
    #[test]
    fn bytes_arrive_and_no_other_changes() {
        let source: [u8; 160] = core::array::from_fn(|at| at as u8 + 1);
        for (from, to, size) in
            (0..WORD).flat_map(|from| (0..WORD).flat_map(move |to| (0..=100).map(move |size| (from, to, size))))
        {
            // Of its own length, so that a sanitizer sees a byte read too far.
            let source = source[..from + size].to_vec();
            let mut target = [0xee; 160];
            // SAFETY: both ranges lie within their arrays.
            unsafe { copy_aligned(target.as_mut_ptr().add(8 + to), source.as_ptr().add(from), size) };
            let mut expected = [0xee; 160];
            expected[8 + to..8 + to + size].copy_from_slice(&source[from..from + size]);
            assert_eq!(target, expected, "{size} bytes from {from} to {to}");
        }
    }
}
