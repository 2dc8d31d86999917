//! The threads and timers that the tests need: the shell's thread on the first core, one thread at a time on the second
//! core, and timers that run in the first core's tick interrupt.

use alloc::boxed::Box;
use core::ffi::{c_char, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering::*};

use crate::arch;
use crate::context::{self, IrqMutex, must_be_thread};

/// Ticks in a second: `RT_TICK_PER_SECOND`.
pub const TICK_HZ: u32 = 1000;

const RT_EOK: isize = 0;
const RT_EBUSY: isize = 7;

type Function = extern "C" fn(*mut c_void);

/// A thread that the second core is to run.
pub struct Thread {
    entry: Function,
    parameter: *mut c_void,
}

/// The part of `struct rt_thread` that C code reads.
#[repr(C)]
struct Stack {
    start: AtomicUsize,
    size: AtomicU32,
}

/// The size of the stack of each core, as the linker's script has it.
const STACK_SIZE: u32 = 0x20000;

/// Two threads that exist only as results of `rt_thread_self`: the shell's, and the second core's own.
static IDENTITY: [Stack; context::CORES] =
    [const { Stack { start: AtomicUsize::new(0), size: AtomicU32::new(STACK_SIZE) } }; context::CORES];
/// The thread that the second core is to run, or runs.
static SECOND: AtomicPtr<Thread> = AtomicPtr::new(null_mut());
static SECOND_IS_UP: AtomicBool = AtomicBool::new(false);

/// Runs on the second core, in a loop: each thread that `rt_thread_startup` hands over.
pub fn second_core() -> ! {
    SECOND_IS_UP.store(true, SeqCst);
    arch::wake();
    loop {
        let thread = SECOND.load(SeqCst);
        if thread.is_null() {
            arch::wait();
            continue;
        }
        // SAFETY: `rt_thread_startup` handed the thread over, and only this core uses it from then on.
        let thread = unsafe { Box::from_raw(thread) };
        (thread.entry)(thread.parameter);
        drop(thread);
        SECOND.store(null_mut(), SeqCst);
    }
}

/// Returns whether the second core runs.
pub fn second_is_up() -> bool {
    SECOND_IS_UP.load(SeqCst)
}

#[unsafe(no_mangle)]
extern "C" fn rt_thread_self() -> *const c_void {
    unsafe extern "C" {
        static __stack_top: u8;
        static __second_stack_top: u8;
    }
    if !context::is_boot_over() {
        return null_mut();
    }
    let tops = [(&raw const __stack_top).addr(), (&raw const __second_stack_top).addr()];
    let core = arch::cpu_id();
    IDENTITY[core].start.store(tops[core] - STACK_SIZE as usize, SeqCst);
    (&raw const IDENTITY[core]).cast()
}

/// The part of `struct rt_cpu` that C code reads.
#[repr(C)]
struct Cpu {
    current_thread: AtomicPtr<c_void>,
}

/// Returns a core, with a thread of which C code asks only whether it is there.
#[unsafe(no_mangle)]
extern "C" fn rt_cpu_index(index: i32) -> *const Cpu {
    static CPUS: [Cpu; context::CORES] = [const { Cpu { current_thread: AtomicPtr::new(null_mut()) } }; context::CORES];
    let cpu = &CPUS[index as usize];
    let has_thread = context::is_boot_over() && (index == 0 || second_is_up());
    let thread = if has_thread { (&raw const IDENTITY).cast_mut().cast() } else { null_mut() };
    cpu.current_thread.store(thread, SeqCst);
    cpu
}

#[unsafe(no_mangle)]
extern "C" fn rt_thread_create(
    _name: *const c_char,
    entry: Function,
    parameter: *mut c_void,
    _stack: u32,
    _priority: u8,
    _tick: u32,
) -> *mut Thread {
    must_be_thread("rt_thread_create");
    Box::into_raw(Box::new(Thread { entry, parameter }))
}

/// Binds a thread to the second core. Every thread runs there.
#[unsafe(no_mangle)]
extern "C" fn rt_thread_control(_: *mut Thread, _command: i32, _argument: *mut c_void) -> isize {
    RT_EOK
}

#[unsafe(no_mangle)]
extern "C" fn rt_thread_startup(thread: *mut Thread) -> isize {
    if !second_is_up() || SECOND.compare_exchange(null_mut(), thread, SeqCst, SeqCst).is_err() {
        return -RT_EBUSY;
    }
    arch::wake();
    RT_EOK
}

#[unsafe(no_mangle)]
extern "C" fn rt_thread_mdelay(ms: i32) -> isize {
    must_be_thread("rt_thread_mdelay");
    rt_hw_us_delay(ms.max(0) as u32 * 1000);
    RT_EOK
}

#[unsafe(no_mangle)]
extern "C" fn rt_thread_yield() -> isize {
    must_be_thread("rt_thread_yield");
    RT_EOK
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_us_delay(us: u32) {
    let end = arch::counter() + u64::from(us) * arch::frequency() / 1_000_000;
    while arch::counter() < end {
        core::hint::spin_loop();
    }
}

// --- timers --------------------------------------------------------------------------------------------------------

/// `struct rt_timer`: a hard, periodic timer.
#[derive(Clone, Copy)]
pub struct Timer {
    function: Function,
    parameter: *mut c_void,
    period: u32,
    left: u32,
    running: bool,
}

// SAFETY: the parameter is only passed to the function that belongs to it.
unsafe impl Send for Timer {}

const TIMERS: usize = 4;
static SLOTS: IrqMutex<[Option<Timer>; TIMERS]> = IrqMutex::new([None; TIMERS]);
static TICKS: AtomicU32 = AtomicU32::new(0);

/// The tick interrupt: runs the timers that are due.
pub fn tick() {
    context::interrupt(|| {
        TICKS.fetch_add(1, SeqCst);
        for index in 0..TIMERS {
            let due = SLOTS.with(|slots| {
                let timer = slots[index].as_mut().filter(|timer| timer.running)?;
                timer.left -= 1;
                if timer.left != 0 {
                    return None;
                }
                timer.left = timer.period;
                Some(*timer)
            });
            if let Some(timer) = due {
                (timer.function)(timer.parameter);
            }
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn rt_tick_get() -> u32 {
    TICKS.load(SeqCst)
}

/// The pointer that C holds for a timer: its number plus one.
type Handle = usize;

fn with_timer(handle: Handle, f: impl FnOnce(&mut Option<Timer>)) -> isize {
    SLOTS.with(|slots| f(&mut slots[handle - 1]));
    RT_EOK
}

#[unsafe(no_mangle)]
extern "C" fn rt_timer_create(
    _name: *const c_char,
    function: Function,
    parameter: *mut c_void,
    period: u32,
    flags: u8,
) -> Handle {
    const PERIODIC: u8 = 2;
    must_be_thread("rt_timer_create");
    assert!(flags == PERIODIC, "the stand-in has hard, periodic timers only");
    SLOTS.with(|slots| {
        let Some(index) = slots.iter().position(Option::is_none) else { return 0 };
        slots[index] = Some(Timer { function, parameter, period, left: period, running: false });
        index + 1
    })
}

#[unsafe(no_mangle)]
extern "C" fn rt_timer_start(handle: Handle) -> isize {
    with_timer(handle, |timer| timer.as_mut().unwrap().running = true)
}

#[unsafe(no_mangle)]
extern "C" fn rt_timer_stop(handle: Handle) -> isize {
    with_timer(handle, |timer| timer.as_mut().unwrap().running = false)
}

#[unsafe(no_mangle)]
extern "C" fn rt_timer_delete(handle: Handle) -> isize {
    with_timer(handle, |timer| *timer = None)
}
