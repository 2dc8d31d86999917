//! The input of a run: bytes from which calls and arguments are chosen. After the last byte every choice is 0.

use std::cell::RefCell;

struct Input {
    bytes: Vec<u8>,
    at: usize,
}

thread_local! {
    static INPUT: RefCell<Input> = const { RefCell::new(Input { bytes: Vec::new(), at: 0 }) };
}

/// Begins a run.
pub fn set(bytes: &[u8]) {
    INPUT.with_borrow_mut(|input| {
        input.bytes.clear();
        input.bytes.extend_from_slice(bytes);
        input.at = 0;
    });
}

/// Returns whether every byte was used.
pub fn is_empty() -> bool {
    INPUT.with_borrow(|input| input.at >= input.bytes.len())
}

/// Ends the choices of a run.
pub fn end() {
    INPUT.with_borrow_mut(|input| input.at = input.bytes.len());
}

/// Returns the next byte.
pub fn byte() -> u8 {
    INPUT.with_borrow_mut(|input| {
        let byte = input.bytes.get(input.at).copied().unwrap_or(0);
        input.at += 1;
        byte
    })
}

/// Returns a number below `count`, which is at most 256; 0 if `count` is 0.
pub fn below(count: usize) -> usize {
    usize::from(byte()) % count.max(1)
}

/// Returns a number below `count`, which is at most 65,536; 0 if `count` is 0.
pub fn below_many(count: usize) -> usize {
    (usize::from(byte()) << 8 | usize::from(byte())) % count.max(1)
}

/// Returns true in one of `count` cases.
pub fn one_in(count: usize) -> bool {
    below(count) == count - 1
}

/// Returns one of the items.
pub fn one_of<T: Copy>(items: &[T]) -> T {
    items[below(items.len())]
}
