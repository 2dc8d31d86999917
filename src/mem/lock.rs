//! The lock of this library: a spin lock that masks the interrupts of its core while it is held.
//!
//! It can be taken by a thread and an interrupt, on any core. The code that holds it does not sleep. For how long it
//! holds the lock stands in `docs/locking.md`.
//!
//! The spin lock alone makes sure that one holder at a time accesses the value. The interrupt mask only makes sure that
//! no interrupt waits for a lock that its own core holds. Guards of one core must therefore be dropped in the reverse
//! of the order in which they were made. Otherwise interrupts are enabled too early, and an interrupt may wait for ever
//! for a lock of its own core. Even then no code accesses the value without the lock, so taking the lock is not
//! `unsafe`. Only two calls hold two locks at the same time (`docs/locking.md`, rule 4): they take and release the
//! second in a function that they call.
//! The kernel for tests checks the order of all guards.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::forget;
use core::ops::{Deref, DerefMut};

use spin::mutex::SpinMutex;

use super::atomics::spin_loop;
use crate::kernel::Kernel;

// On aarch64 the linked core has 28 bytes more without `inline(always)` in this file, and 80 more without
// `inline(never)`.

/// A value that one holder of the lock at a time may access.
pub struct IrqLock<T>(SpinMutex<T>);

/// Number of pauses of [`IrqLock::lock`] after its first failed try. A pause takes 10 to 40 nanoseconds on present
/// processors.
const FIRST_PAUSES: u32 = 16;
/// Number of pauses after each later failed try. With 256, two cores together complete 0.78 times as many calls as one
/// core alone, and with 512 they complete 0.86 times as many (`benches/host/cores.c`, "one-pool"; 0.8 are required).
const LATER_PAUSES: u32 = 512;

impl<T> IrqLock<T> {
    /// Makes a lock that is free.
    pub const fn new(value: T) -> Self {
        IrqLock(SpinMutex::new(value))
    }

    /// Masks interrupts, waits until the lock is free, and takes it. Dropping the guard releases the lock and restores
    /// interrupts. The lock is not recursive: a core that holds it must not take it again.
    ///
    /// Context: any.
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, T> {
        let saved = kernel.irq_save();
        match self.try_lock(kernel, saved) {
            Some(guard) => guard,
            None => self.lock_contended(kernel, saved),
        }
    }

    /// Takes the lock as [`lock`](Self::lock) does if it is free, and returns `None` if it is not. On some processors
    /// it may also return `None` for a free lock, as a weak exchange does. Because this function never waits, it calls
    /// no other function, and a caller that uses only this one needs no stack frame.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn lock_if_free<K: Kernel>(&self, kernel: K) -> Option<IrqGuard<'_, K, T>> {
        let saved = kernel.irq_save();
        let guard = self.try_lock(kernel, saved);
        if guard.is_none() {
            // SAFETY: this is the value of the last `irq_save`.
            unsafe { kernel.irq_restore(saved) };
        }
        guard
    }

    /// Takes the lock if it is free, as [`lock_if_free`](Self::lock_if_free) does. The caller masked interrupts, for
    /// which `irq_save` returned `saved`.
    #[inline(always)]
    fn try_lock<K: Kernel>(&self, kernel: K, saved: usize) -> Option<IrqGuard<'_, K, T>> {
        // `SpinMutex::lock` would add 64 bytes to the linked core on aarch64: it tries once before its loop, at each
        // place where it is inlined.
        let guard = self.0.try_lock_weak()?;
        // The lock stays held: `IrqGuard` releases it.
        forget(guard);
        Some(IrqGuard { lock: &self.0, saved, kernel, holds: PhantomData })
    }

    /// Waits until the lock is free, and takes it. The caller masked interrupts, for which `irq_save` returned `saved`,
    /// and its first try failed.
    ///
    /// While this function waits, interrupts are enabled if they were enabled before. It pauses for a long time between
    /// two tries, because each try takes the lock's cache line away from the core that holds the lock, and the lines of
    /// the value move between cores together with the lock. Without the pauses, two cores that each hold the lock for
    /// 30 nanoseconds together complete 0.1 times as many calls as one core alone (`benches/host/cores.c`, "one-pool").
    #[cold]
    #[inline(never)]
    fn lock_contended<K: Kernel>(&self, kernel: K, mut saved: usize) -> IrqGuard<'_, K, T> {
        let mut pauses = FIRST_PAUSES;
        loop {
            // SAFETY: this is the value of the last `irq_save`.
            unsafe { kernel.irq_restore(saved) };
            spin_loop(pauses);
            pauses = LATER_PAUSES;
            saved = kernel.irq_save();
            if let Some(guard) = self.try_lock(kernel, saved) {
                return guard;
            }
        }
    }
}

/// Access to the value of an [`IrqLock`] that is held.
///
/// It does not contain the guard of `spin`, which consists of two addresses. That guard would add 104 bytes to the
/// linked core on aarch64.
pub struct IrqGuard<'a, K: Kernel, T> {
    lock: &'a SpinMutex<T>,
    saved: usize,
    kernel: K,
    /// The guard acts as a `&mut T`. The raw pointer keeps it on this core, whose interrupts are masked.
    holds: PhantomData<(&'a mut T, *mut ())>,
}

impl<K: Kernel, T> Drop for IrqGuard<'_, K, T> {
    fn drop(&mut self) {
        // SAFETY: `IrqLock::try_lock` took the lock and made only this guard. References to the value end with the
        // guard.
        unsafe { self.lock.force_unlock() };
        // SAFETY: `irq_save` returned the value to the function that took the lock, and only this guard undoes it.
        unsafe { self.kernel.irq_restore(self.saved) };
    }
}

impl<K: Kernel, T> Deref for IrqGuard<'_, K, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is held, so that only this guard gives access to the value.
        unsafe { &*self.lock.as_mut_ptr() }
    }
}

impl<K: Kernel, T> DerefMut for IrqGuard<'_, K, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, so that only this guard gives access to the value, and `&mut self` is unique.
        unsafe { &mut *self.lock.as_mut_ptr() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::testing::HeapOnly;

    #[test]
    fn one_holder_at_a_time_changes_the_value() {
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

    #[test]
    fn a_guard_masks_interrupts_and_a_failed_try_restores_them() {
        use crate::kernel::testing::is_masked;
        let (first, second) = (IrqLock::new(()), IrqLock::new(()));
        assert!(!is_masked());
        let guard = first.lock(HeapOnly);
        assert!(is_masked());
        assert!(first.lock_if_free(HeapOnly).is_none());
        assert!(is_masked(), "they were masked before the try");
        drop(second.lock(HeapOnly));
        assert!(is_masked());
        drop(guard);
        assert!(!is_masked());
    }
}
