//! The calling context: thread or interrupt, and the locks that are held. Contains RT-Thread's interrupt masks and
//! locks, and the check that a function that may sleep is called only where sleeping is allowed.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

use crate::arch;

/// Cores that this kernel knows.
pub const CORES: usize = 2;

#[derive(Default)]
struct Core {
    /// Interrupts being served.
    interrupts: AtomicUsize,
    /// `rt_hw_local_irq_disable` calls not undone.
    masks: AtomicUsize,
    /// `rt_cpus_lock` calls not undone.
    all_cores: AtomicUsize,
    /// Spinlocks held.
    spinlocks: AtomicUsize,
}

static STATE: [Core; CORES] = [const {
    Core {
        interrupts: AtomicUsize::new(0),
        masks: AtomicUsize::new(0),
        all_cores: AtomicUsize::new(0),
        spinlocks: AtomicUsize::new(0),
    }
}; CORES];
static RUNNING: AtomicBool = AtomicBool::new(false);

fn core() -> &'static Core {
    &STATE[arch::cpu_id()]
}

/// Notes that the boot is over and threads run.
pub fn end_boot() {
    RUNNING.store(true, SeqCst);
}

/// Returns whether the boot is over.
pub fn is_boot_over() -> bool {
    RUNNING.load(SeqCst)
}

/// Runs `f` as an interrupt.
pub fn interrupt(f: impl FnOnce()) {
    core().interrupts.fetch_add(1, SeqCst);
    f();
    core().interrupts.fetch_sub(1, SeqCst);
}

/// Stops the kernel unless the caller of `what` is a thread that may sleep. Functions that take a mutex in RT-Thread
/// call it here.
pub fn must_be_thread(what: &str) {
    let state = core();
    let why = if state.interrupts.load(SeqCst) != 0 {
        "from an interrupt"
    } else if state.all_cores.load(SeqCst) != 0 {
        "with the lock of all cores held"
    } else if state.spinlocks.load(SeqCst) != 0 {
        "with a spinlock held"
    } else if state.masks.load(SeqCst) != 0 || is_boot_over() && arch::irqs_masked() {
        "with interrupts masked"
    } else {
        return;
    };
    panic!("{what} called {why}");
}

/// A spinlock of this kernel's own, held with interrupts masked.
pub struct IrqMutex<T>(spin::Mutex<T>);

impl<T> IrqMutex<T> {
    /// Returns an unlocked lock around `value`.
    pub const fn new(value: T) -> Self {
        IrqMutex(spin::Mutex::new(value))
    }

    /// Runs `f` with the lock held.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let before = arch::irq_mask();
        let result = f(&mut self.0.lock());
        arch::irq_restore(before);
        result
    }

    /// Unlocks the lock, also if it is held, so that a kernel that stops can print the reason.
    ///
    /// # Safety
    /// No other code uses the value any more.
    pub unsafe fn force_open(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.0.force_unlock() };
    }
}

// --- RT-Thread's names ---------------------------------------------------------------------------------------------

#[cfg(not(feature = "bench"))]
mod local_irq {
    use super::*;

    #[unsafe(no_mangle)]
    pub extern "C" fn rt_hw_local_irq_disable() -> isize {
        let level = arch::irq_mask();
        core().masks.fetch_add(1, SeqCst);
        level as isize
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn rt_hw_local_irq_enable(level: isize) {
        assert!(core().masks.fetch_sub(1, SeqCst) != 0, "rt_hw_local_irq_enable without rt_hw_local_irq_disable");
        arch::irq_restore(level as usize);
    }
}

/// Does exactly what RT-Thread's own functions do: reads the mask and writes it.
#[cfg(feature = "bench")]
mod local_irq {
    use super::*;
    use core::sync::atomic::AtomicU64;

    /// Returns whether interrupts were on. The bench runs on aarch64, whose mask of interrupts is bit 7.
    #[inline(always)]
    fn were_on(level: isize) -> bool {
        level & 1 << 7 == 0
    }

    /// The largest number of instructions between the two since the bench cleared it. It includes the counting itself.
    #[unsafe(no_mangle)]
    static stand_in_longest_stretch: AtomicU64 = AtomicU64::new(cfg!(feature = "stretch") as u64);
    static SINCE: AtomicU64 = AtomicU64::new(0);
    /// A function of the bench that is called each time interrupts are on again, as an interrupt would be; or none.
    #[unsafe(no_mangle)]
    static stand_in_between: AtomicUsize = AtomicUsize::new(0);
    static IS_BETWEEN: AtomicBool = AtomicBool::new(false);

    #[unsafe(no_mangle)]
    pub extern "C" fn rt_hw_local_irq_disable() -> isize {
        let level = arch::irq_mask() as isize;
        if cfg!(feature = "stretch") && were_on(level) {
            SINCE.store(arch::cycles(), Relaxed);
        }
        level
    }

    #[unsafe(no_mangle)]
    pub extern "C" fn rt_hw_local_irq_enable(level: isize) {
        if cfg!(feature = "stretch") && were_on(level) {
            stand_in_longest_stretch.fetch_max(arch::cycles().wrapping_sub(SINCE.load(Relaxed)), Relaxed);
        }
        arch::irq_restore(level as usize);
        if cfg!(feature = "stretch") && were_on(level) {
            let function = core::ptr::with_exposed_provenance::<()>(stand_in_between.load(Relaxed));
            if !function.is_null() && !IS_BETWEEN.swap(true, Relaxed) {
                // SAFETY: the bench set it to a function of this type.
                unsafe { core::mem::transmute::<*const (), extern "C" fn()>(function)() };
                IS_BETWEEN.store(false, Relaxed);
            }
        }
    }
}

pub use local_irq::*;

/// Always returns false, as the weak function of RT-Thread's kernel does, which most processors use.
#[unsafe(no_mangle)]
extern "C" fn rt_hw_interrupt_is_disabled() -> i32 {
    0
}

#[unsafe(no_mangle)]
extern "C" fn rt_interrupt_get_nest() -> u8 {
    core().interrupts.load(SeqCst) as u8
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_cpu_id() -> i32 {
    arch::cpu_id() as i32
}

#[unsafe(no_mangle)]
extern "C" fn rt_critical_level() -> u16 {
    (core().all_cores.load(SeqCst) + core().spinlocks.load(SeqCst)) as u16
}

static ALL_CORES: AtomicBool = AtomicBool::new(false);

fn acquire(lock: &AtomicBool) {
    while lock.swap(true, Acquire) {
        core::hint::spin_loop();
    }
}

/// `rt_hw_interrupt_disable` under SMP: one recursive lock for all cores.
#[unsafe(no_mangle)]
extern "C" fn rt_cpus_lock() -> isize {
    let level = arch::irq_mask();
    if core().all_cores.fetch_add(1, SeqCst) == 0 {
        acquire(&ALL_CORES);
    }
    level as isize
}

#[unsafe(no_mangle)]
extern "C" fn rt_cpus_unlock(level: isize) {
    let depth = core().all_cores.fetch_sub(1, SeqCst);
    assert!(depth != 0, "rt_cpus_unlock without rt_cpus_lock");
    if depth == 1 {
        ALL_CORES.store(false, Release);
    }
    arch::irq_restore(level as usize);
}

/// `rt_hw_spinlock_t` of `rtdef.h`: the number of the core that holds the lock, plus one, or zero if none does. A core
/// that takes a lock that it holds, or releases one that it does not hold, stops the kernel.
#[repr(transparent)]
pub struct HwSpinlock(AtomicUsize);

const FREE: usize = 0;

fn holder() -> usize {
    arch::cpu_id() + 1
}

impl HwSpinlock {
    /// Returns a lock that no core holds.
    pub const fn new() -> Self {
        HwSpinlock(AtomicUsize::new(FREE))
    }

    /// Runs `f` with the lock held.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        rt_hw_spin_lock(self);
        let result = f();
        rt_hw_spin_unlock(self);
        result
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_spin_lock_init(lock: &HwSpinlock) {
    lock.0.store(FREE, Release);
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_spin_lock(lock: &HwSpinlock) {
    core().spinlocks.fetch_add(1, SeqCst);
    while let Err(other) = lock.0.compare_exchange(FREE, holder(), Acquire, Relaxed) {
        assert!(other != holder(), "a spinlock is taken by the core that holds it");
        core::hint::spin_loop();
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_spin_unlock(lock: &HwSpinlock) {
    let result = lock.0.compare_exchange(holder(), FREE, Release, Relaxed);
    assert!(result.is_ok(), "a spinlock is released by a core that does not hold it");
    core().spinlocks.fetch_sub(1, SeqCst);
}

#[unsafe(no_mangle)]
extern "C" fn rt_spin_lock_init(lock: &HwSpinlock) {
    rt_hw_spin_lock_init(lock);
}

#[unsafe(no_mangle)]
extern "C" fn rt_spin_lock(lock: &HwSpinlock) {
    rt_hw_spin_lock(lock);
}

#[unsafe(no_mangle)]
extern "C" fn rt_spin_unlock(lock: &HwSpinlock) {
    rt_hw_spin_unlock(lock);
}

#[unsafe(no_mangle)]
extern "C" fn rt_spin_lock_irqsave(lock: &HwSpinlock) -> isize {
    let level = rt_hw_local_irq_disable();
    rt_hw_spin_lock(lock);
    level
}

#[unsafe(no_mangle)]
extern "C" fn rt_spin_unlock_irqrestore(lock: &HwSpinlock, level: isize) {
    rt_hw_spin_unlock(lock);
    rt_hw_local_irq_enable(level);
}
