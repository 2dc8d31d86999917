//! Copying to and from memory that may be Device memory: aligned accesses only.

use core::mem::size_of;

const WORD: usize = size_of::<usize>();

/// Copies `size` bytes from `from` to `to` with aligned accesses: by words where both sides allow it, else by words
/// written and bytes read. Accesses are neither joined nor left out (a `memcpy` may do both, and read unaligned, or
/// clear a line: Device memory faults on either, Arm ARM DDI 0487, B2.7.2). What must see the copy in order is the caller's
/// to say ([`Kernel::device_barrier`](super::Kernel::device_barrier)).
///
/// # Safety
/// `[from, from + size)` may be read and `[to, to + size)` written; they do not overlap; nobody else writes to either
/// meanwhile, or it does not matter which of the bytes are copied.
pub unsafe fn copy_aligned(to: *mut u8, from: *const u8, size: usize) {
    let head = (to.addr().wrapping_neg() % WORD).min(size);
    // The rest after the head, in whole words.
    let body = (size - head) / WORD * WORD;
    let word_by_word = from.addr().wrapping_add(head).is_multiple_of(WORD);
    // SAFETY: every access lies below `size`, by the sums above; those of words at `to + head` are aligned, and those
    // at `from + head` are made only if they are.
    unsafe {
        copy_bytes(to, from, 0, head);
        let mut at = head;
        while at < head + body {
            let word = match word_by_word {
                true => from.add(at).cast::<usize>().read_volatile(),
                false => gather(from.add(at)),
            };
            to.add(at).cast::<usize>().write_volatile(word);
            at += WORD;
        }
        copy_bytes(to, from, at, size);
    }
}

/// # Safety
/// Bytes `[at, end)` of both may be accessed.
unsafe fn copy_bytes(to: *mut u8, from: *const u8, mut at: usize, end: usize) {
    while at < end {
        // SAFETY: the caller's promise.
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
        at += 1;
    }
}

/// A word of which each byte is read by itself.
///
/// # Safety
/// A word may be read at `from`, byte by byte.
unsafe fn gather(from: *const u8) -> usize {
    let mut bytes = [0; WORD];
    for (at, byte) in bytes.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *byte = unsafe { from.add(at).read_volatile() };
    }
    usize::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every alignment of both sides, every length up to a few words: the bytes arrive, and no other changes.
    #[test]
    fn bytes_arrive_and_no_other_changes() {
        let source: [u8; 80] = core::array::from_fn(|at| at as u8 + 1);
        for (from, to, size) in
            (0..WORD).flat_map(|from| (0..WORD).flat_map(move |to| (0..=40).map(move |size| (from, to, size))))
        {
            let mut target = [0xee; 80];
            // SAFETY: both ranges lie within their arrays.
            unsafe { copy_aligned(target.as_mut_ptr().add(8 + to), source.as_ptr().add(from), size) };
            let mut expected = [0xee; 80];
            expected[8 + to..8 + to + size].copy_from_slice(&source[from..from + size]);
            assert_eq!(target, expected, "{size} bytes from {from} to {to}");
        }
    }
}
