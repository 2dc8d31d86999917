//! Small services: strings, the device tree for drivers, power.

use core::ffi::{CStr, c_char, c_int};

use crate::{arch, boot, memory};

#[unsafe(no_mangle)]
extern "C" fn stand_in_power_off() -> ! {
    arch::power_off()
}

#[unsafe(no_mangle)]
extern "C" fn rt_assert_handler(what: *const c_char, function: *const c_char, line: usize) -> ! {
    panic!("assertion failed: {} at {}:{line}", text(what), text(function));
}

fn text<'a>(c: *const c_char) -> &'a str {
    // SAFETY: all of them are C string literals.
    unsafe { CStr::from_ptr(c) }.to_str().unwrap_or("?")
}

/// See `stand_in.h`.
///
/// # Safety
/// `start` and `size` are valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn stand_in_fdt_reg(
    compatible: *const c_char,
    index: c_int,
    start: *mut u64,
    size: *mut u64,
) -> c_int {
    // SAFETY: the caller guarantees it.
    unsafe { give(boot::reg(text(compatible), index as usize), start, size) }
}

/// See `stand_in.h`.
///
/// # Safety
/// `start` and `size` are valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn stand_in_pci_window(start: *mut u64, size: *mut u64) -> c_int {
    // SAFETY: the caller guarantees it.
    unsafe { give(boot::pci_window(), start, size) }
}

/// See `stand_in.h`.
///
/// # Safety
/// `start` and `size` are valid for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn stand_in_high_memory(start: *mut u64, size: *mut u64) -> c_int {
    let end = boot::memory().1;
    let high = end.checked_sub(memory::FOUR_GIB).filter(|&size| size != 0);
    // SAFETY: the caller guarantees it.
    unsafe { give(high.map(|size| (memory::FOUR_GIB, size)), start, size) }
}

unsafe fn give(found: Option<(u64, u64)>, start: *mut u64, size: *mut u64) -> c_int {
    let Some(found) = found else { return -1 };
    // SAFETY: the caller guarantees it.
    unsafe { (*start, *size) = found };
    0
}

#[unsafe(no_mangle)]
extern "C" fn stand_in_cma_size() -> usize {
    boot::cma_size()
}

#[unsafe(no_mangle)]
extern "C" fn stand_in_coherent_size() -> usize {
    boot::coherent_size()
}

/// Returns whether the device tree's first node with this compatible string has the property.
#[unsafe(no_mangle)]
extern "C" fn stand_in_fdt_has(compatible: *const c_char, property: *const c_char) -> c_int {
    boot::has_property(text(compatible), text(property)).into()
}
