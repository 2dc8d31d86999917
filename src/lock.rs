//! The lock of this library: a spin lock that masks interrupts on its core while it is held.
//!
//! A thread and an interrupt, or two cores, may want it at once; nothing that sleeps may happen under it. What it
//! covers is kept short: see `page_map`.

use core::ops::{Deref, DerefMut};

use spin::mutex::{SpinMutex, SpinMutexGuard};

use crate::kernel::Kernel;

/// A value that one holder at a time may use, from a thread or an interrupt, on any core.
pub struct IrqLock<T>(SpinMutex<T>);

impl<T> IrqLock<T> {
    /// A free lock.
    pub const fn new(value: T) -> Self {
        IrqLock(SpinMutex::new(value))
    }

    /// Masks interrupts, waits for the lock, and holds it until the guard goes. Any context; not recursive.
    #[inline(always)]
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, T> {
        let mask = IrqMask { kernel, saved: kernel.irq_save() };
        IrqGuard { value: self.0.lock(), _mask: mask }
    }
}

/// Interrupts are masked on this core until it is dropped.
struct IrqMask<K: Kernel> {
    kernel: K,
    saved: usize,
}

impl<K: Kernel> Drop for IrqMask<K> {
    #[inline(always)]
    fn drop(&mut self) {
        self.kernel.irq_restore(self.saved);
    }
}

/// Access to the value of a held [`IrqLock`].
pub struct IrqGuard<'a, K: Kernel, T> {
    // Fields drop in this order: the lock is free before interrupts come back.
    value: SpinMutexGuard<'a, T>,
    _mask: IrqMask<K>,
}

impl<K: Kernel, T> Deref for IrqGuard<'_, K, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<K: Kernel, T> DerefMut for IrqGuard<'_, K, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
