//! The lock of this library: a spin lock that masks interrupts on its core while it is held.
//!
//! A thread and an interrupt, or two cores, may want it at once; nothing that sleeps may happen under it. What it
//! covers is kept short: see `page_map`.

#![allow(unsafe_code)]

use core::hint::spin_loop;
use core::marker::PhantomData;
use core::mem::forget;
use core::ops::{Deref, DerefMut};

use spin::mutex::SpinMutex;

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
        let saved = kernel.irq_save();
        // Not by its own `lock`: that is a second loop behind a first try, wherever one is taken. Nor with a look before each
        // try: where compare-exchange is load-exclusive and store-exclusive, a lock that is held is only read by it. (It is
        // not so on x86 hosts: there a waiting core takes the cache line for itself each time.)
        loop {
            if let Some(held) = self.0.try_lock_weak() {
                forget(held);
                return IrqGuard { lock: &self.0, saved, kernel, holds: PhantomData };
            }
            spin_loop();
        }
    }
}

/// Access to the value of a held [`IrqLock`].
///
/// `spin`'s guard has the value's address beside the lock's; this one fits into two registers, and so is handed on for
/// nothing.
pub struct IrqGuard<'a, K: Kernel, T> {
    lock: &'a SpinMutex<T>,
    saved: usize,
    kernel: K,
    /// As a `&mut T`; and, by the pointer, not to be sent to another thread: the interrupts of this core are masked.
    holds: PhantomData<(&'a mut T, *mut ())>,
}

impl<K: Kernel, T> Drop for IrqGuard<'_, K, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `IrqLock::lock` took the lock, left it held, and made one guard of that; no reference into the value
        // outlives the guard.
        unsafe { self.lock.force_unlock() };
        self.kernel.irq_restore(self.saved);
    }
}

impl<K: Kernel, T> Deref for IrqGuard<'_, K, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held, and so nobody but this guard's owner uses the value.
        unsafe { &*self.lock.as_mut_ptr() }
    }
}

impl<K: Kernel, T> DerefMut for IrqGuard<'_, K, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.as_mut_ptr() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly;

    #[test]
    fn one_at_a_time_has_the_value() {
        static LOCK: IrqLock<[usize; 2]> = IrqLock::new([0; 2]);
        let threads: std::vec::Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    for _ in 0..20_000 {
                        let mut value = LOCK.lock(HeapOnly);
                        let [a, b] = *value;
                        assert_eq!(a, b);
                        value[0] = a + 1;
                        if a % 256 == 0 {
                            std::thread::yield_now();
                        }
                        value[1] = b + 1;
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*LOCK.lock(HeapOnly), [80_000; 2]);
    }
}
