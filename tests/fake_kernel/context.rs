//! The context of the calling host thread, which represents a core: a thread, an interrupt, or a thread with interrupts
//! masked.

use std::cell::Cell;

thread_local! {
    static MASKED_BY_LIBRARY: Cell<usize> = const { Cell::new(0) };
    static MASKED_BY_CALLER: Cell<bool> = const { Cell::new(false) };
    static IN_INTERRUPT: Cell<bool> = const { Cell::new(false) };
    static TURNS: Cell<usize> = const { Cell::new(0) };
    static IN_WRITER: Cell<bool> = const { Cell::new(false) };
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

/// Runs the driver of the console's device in the thread that writes text, except for text of that driver itself.
pub fn in_writer(writer: impl FnOnce()) {
    if !IN_WRITER.replace(true) {
        writer();
        IN_WRITER.set(false);
    }
}

pub fn can_sleep() -> bool {
    !IN_INTERRUPT.get() && !MASKED_BY_CALLER.get() && !locked()
}

/// Returns whether the library holds a lock on this core.
pub fn locked() -> bool {
    MASKED_BY_LIBRARY.get() != 0
}

pub fn irq_save() -> usize {
    MASKED_BY_LIBRARY.replace(MASKED_BY_LIBRARY.get() + 1)
}

pub fn irq_restore(saved: usize) {
    assert_eq!(MASKED_BY_LIBRARY.replace(saved), saved + 1, "interrupt masks do not nest");
}

/// Runs `handler` as an interrupt on this core. The turns of the interrupted thread are not the handler's: it cannot sleep, so it
/// waits for none.
pub fn in_interrupt<T>(handler: impl FnOnce() -> T) -> T {
    assert!(!IN_INTERRUPT.replace(true), "interrupts do not nest");
    let turns = TURNS.replace(0);
    let result = handler();
    TURNS.set(turns);
    IN_INTERRUPT.set(false);
    result
}

/// Runs `code` in a thread that has masked interrupts.
pub fn with_interrupts_off<T>(code: impl FnOnce() -> T) -> T {
    MASKED_BY_CALLER.set(true);
    let result = code();
    MASKED_BY_CALLER.set(false);
    result
}
