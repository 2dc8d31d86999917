//! Interrupts of devices, under RT-Thread's names, and one function that runs after each interrupt. For Arm.

use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering::*};

use crate::arch;
use crate::context::{self, IrqMutex, must_be_thread};

/// `rt_isr_handler_t`
type Handler = extern "C" fn(c_int, *mut c_void);

#[derive(Clone, Copy)]
struct Entry {
    handler: Handler,
    parameter: *mut c_void,
}

// SAFETY: the parameter is only passed to the handler that belongs to it.
unsafe impl Send for Entry {}

/// Interrupt numbers of the interrupt controller that this kernel serves: QEMU's PCI host has 35 to 38.
const NUMBERS: usize = 64;
static ENTRIES: IrqMutex<[Option<Entry>; NUMBERS]> = IrqMutex::new([None; NUMBERS]);

/// Serves a device's interrupt.
pub fn serve(number: u32) {
    let entry = ENTRIES.with(|entries| *entries.get(number as usize)?);
    let Some(entry) = entry else { panic!("interrupt {number}, for which no handler is installed") };
    context::interrupt(|| (entry.handler)(number as c_int, entry.parameter));
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_interrupt_install(
    vector: c_int,
    handler: Handler,
    parameter: *mut c_void,
    _name: *const c_char,
) -> *const c_void {
    must_be_thread("rt_hw_interrupt_install");
    ENTRIES.with(|entries| entries[vector as usize] = Some(Entry { handler, parameter }));
    null_mut()
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_interrupt_umask(vector: c_int) {
    arch::irq_enable(vector as u32, true);
}

#[unsafe(no_mangle)]
extern "C" fn rt_hw_interrupt_mask(vector: c_int) {
    arch::irq_enable(vector as u32, false);
}

static AFTER: IrqMutex<Option<extern "C" fn()>> = IrqMutex::new(None);
static AFTER_RUNS: AtomicBool = AtomicBool::new(false);

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_after_interrupt(function: Option<extern "C" fn()>) {
    AFTER.with(|after| *after = function);
}

/// Runs the function that was set, in interrupt context and with interrupts on, unless it runs already. The function
/// runs only on the first core, which is the only one that takes interrupts.
pub fn after() {
    let Some(function) = AFTER.with(|after| *after) else { return };
    if AFTER_RUNS.swap(true, SeqCst) {
        return;
    }
    context::interrupt(|| {
        arch::irq_on();
        function();
        arch::irq_mask();
    });
    AFTER_RUNS.store(false, SeqCst);
}
