//! Threads and interrupts: what the caller may do now, and how it waits.

#![allow(unsafe_code)]

/// Threads and interrupts.
///
/// # Safety
///
/// [`can_sleep`](Threads::can_sleep) is false in an interrupt, so that the library calls there nothing that may sleep.
pub unsafe trait Threads {
    /// Masks interrupts on this core. Returns what [`irq_restore`](Threads::irq_restore) needs.
    ///
    /// Context: any.
    fn irq_save(&self) -> usize;

    /// Undoes one [`irq_save`](Threads::irq_save). Pairs of calls nest: the last `irq_save` is undone first, or
    /// interrupts are enabled too early.
    ///
    /// Context: any.
    ///
    /// # Safety
    /// `saved` was returned by an `irq_save` that has not been undone. If pairs do not nest, the thread may have moved
    /// to another core since: the value of one core must then be accepted on another, where it only masks or enables
    /// interrupts at the wrong time.
    unsafe fn irq_restore(&self, saved: usize);

    /// Returns whether the caller may sleep: it is a thread, the interrupts of its core are not masked, and the
    /// scheduler is not locked; or it is boot code, and no thread runs on any core.
    ///
    /// Context: any.
    fn can_sleep(&self) -> bool;

    /// Lets other threads run for a tick. In boot code, before the scheduler runs, there are none: it returns at once.
    ///
    /// Context: thread.
    fn pause(&self);

    /// Returns a number that differs, as a rule, between calls that run at the same time on different cores. It only
    /// decides which of several places a call uses first, so that the cores do not disturb each other: any number is
    /// correct.
    ///
    /// Context: any.
    fn core_hint(&self) -> usize {
        0
    }

    /// Notes that the calling thread has taken a [turn](crate::mem::turn). Until [`turn_ends`](Threads::turn_ends), the
    /// library writes no text. The tests' kernel checks this; other kernels need not implement the two methods.
    ///
    /// Context: thread.
    fn turn_begins(&self) {}

    /// Notes that the calling thread gives up its turn.
    ///
    /// Context: thread.
    fn turn_ends(&self) {}
}
