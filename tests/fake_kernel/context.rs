//! The context of the calling host thread, which represents a core: a thread, an interrupt, or a thread with interrupts
//! masked.

use std::cell::Cell;

thread_local! {
    /// The number of times that the library has masked interrupts and not restored them.
    static LIBRARY_MASKS: Cell<usize> = const { Cell::new(0) };
    /// The caller of the library has masked interrupts.
    static MASKED_BY_CALLER: Cell<bool> = const { Cell::new(false) };
    /// An interrupt's handler runs.
    static IN_INTERRUPT: Cell<bool> = const { Cell::new(false) };
    /// The turns that the thread has.
    static TURNS: Cell<usize> = const { Cell::new(0) };
    /// The console's driver runs.
    static IN_CONSOLE_DRIVER: Cell<bool> = const { Cell::new(false) };
}

/// The number of turns of the library that this thread has.
pub fn turns() -> usize {
    TURNS.get()
}

pub fn turn_begins() {
    TURNS.set(TURNS.get() + 1);
}

pub fn turn_ends() {
    TURNS.set(TURNS.get().checked_sub(1).expect("a turn ends in the thread that has it"));
}

/// Runs the console's driver in the thread that writes text, except for text of that driver itself.
pub fn in_console_driver(driver: impl FnOnce()) {
    if !IN_CONSOLE_DRIVER.replace(true) {
        driver();
        IN_CONSOLE_DRIVER.set(false);
    }
}

pub fn can_sleep() -> bool {
    !IN_INTERRUPT.get() && !MASKED_BY_CALLER.get() && !locked()
}

/// Returns whether the library holds a lock on this core.
pub fn locked() -> bool {
    LIBRARY_MASKS.get() != 0
}

pub fn irq_save() -> usize {
    LIBRARY_MASKS.replace(LIBRARY_MASKS.get() + 1)
}

pub fn irq_restore(saved: usize) {
    assert_eq!(LIBRARY_MASKS.replace(saved), saved + 1, "interrupt masks do not nest");
}

/// Runs `handler` as an interrupt on this core. It begins without turns: those of the interrupted thread are not its
/// own.
pub fn in_interrupt<T>(handler: impl FnOnce() -> T) -> T {
    assert!(!locked() && !MASKED_BY_CALLER.get(), "no interrupt comes while they are masked");
    assert!(!IN_INTERRUPT.replace(true), "interrupts do not nest");
    let turns = TURNS.replace(0);
    let result = handler();
    assert_eq!(TURNS.replace(turns), 0, "an interrupt ends with a turn held");
    IN_INTERRUPT.set(false);
    result
}

/// Runs `code` in a thread that has masked interrupts.
pub fn with_interrupts_off<T>(code: impl FnOnce() -> T) -> T {
    let before = MASKED_BY_CALLER.replace(true);
    let result = code();
    MASKED_BY_CALLER.set(before);
    result
}
