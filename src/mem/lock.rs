//! The lock of this library: a spin lock that masks the interrupts of its core while it is held.
//!
//! It can be taken by a thread and an interrupt, on any core. The code that holds it does not sleep, and runs for a bounded
//! time: see `page_map`.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::mem::forget;
use core::ops::{Deref, DerefMut};

use spin::mutex::SpinMutex;

use super::atomics::pause;
use crate::kernel::Kernel;

/// A value that one holder of the lock at a time may access.
pub struct IrqLock<T>(SpinMutex<T>);

/// How often [`IrqLock::lock`] pauses after the first try that fails, and after each later one. A pause takes 10 to 40
/// nanoseconds on present processors.
const FIRST_PAUSES: u32 = 16;
const MOST_PAUSES: u32 = 256;

impl<T> IrqLock<T> {
    /// Makes a lock that is free.
    pub const fn new(value: T) -> Self {
        IrqLock(SpinMutex::new(value))
    }

    /// Masks interrupts, waits until the lock is free, and takes it. Dropping the guard releases the lock and restores
    /// interrupts. The lock is not recursive: a core that holds it must not take it again. Guards of one core are dropped in
    /// the reverse of the order in which they were made.
    ///
    /// Context: any.
    pub fn lock<K: Kernel>(&self, kernel: K) -> IrqGuard<'_, K, T> {
        let saved = kernel.irq_save();
        match self.try_lock(kernel, saved) {
            Some(guard) => guard,
            None => self.lock_later(kernel, saved),
        }
    }

    /// Takes the lock as [`lock`](Self::lock) does, if it is free. A caller that has another way needs no stack frame then.
    ///
    /// Context: any.
    #[inline(always)]
    pub fn lock_if_free<K: Kernel>(&self, kernel: K) -> Option<IrqGuard<'_, K, T>> {
        let saved = kernel.irq_save();
        let guard = self.try_lock(kernel, saved);
        if guard.is_none() {
            // SAFETY: `irq_save` returned it last.
            unsafe { kernel.irq_restore(saved) };
        }
        guard
    }

    #[inline(always)]
    fn try_lock<K: Kernel>(&self, kernel: K, saved: usize) -> Option<IrqGuard<'_, K, T>> {
        // `SpinMutex::lock` would add 64 bytes to the linked core on aarch64: it tries once before its loop, at each place
        // where it is inlined.
        self.0.try_lock_weak().map(|guard| {
            forget(guard);
            IrqGuard { lock: &self.0, saved, kernel, holds: PhantomData }
        })
    }

    /// Waits until the lock is free, and takes it, after a first try with interrupts masked as `saved` undoes.
    ///
    /// Interrupts are as the caller had them while this waits. Each try takes the cache line from the core that has the lock,
    /// and every other line of the value moves with the lock. So the tries are far apart: two cores that take turns in 30
    /// nanoseconds each would otherwise do 0.1 times as much as one alone (`benches/host/cores.c`, "one-pool").
    #[cold]
    #[inline(never)]
    fn lock_later<K: Kernel>(&self, kernel: K, mut saved: usize) -> IrqGuard<'_, K, T> {
        let mut pauses = FIRST_PAUSES;
        loop {
            // SAFETY: `irq_save` returned it last.
            unsafe { kernel.irq_restore(saved) };
            pause(pauses);
            pauses = MOST_PAUSES;
            saved = kernel.irq_save();
            if let Some(guard) = self.try_lock(kernel, saved) {
                return guard;
            }
        }
    }
}

/// Access to the value of an [`IrqLock`] that is held.
///
/// It does not contain the guard of `spin`, which has two addresses in place of one: that would add 104 bytes to the
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
        // SAFETY: `IrqLock::lock` took the lock and made only this guard. References to the value end with the guard.
        unsafe { self.lock.force_unlock() };
        // SAFETY: `IrqLock::lock` saved the value. Guards of one core are dropped in the reverse of their order.
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
