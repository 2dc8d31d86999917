//! `rt_dma_watch_*`: the debug mode (`PKG_RT_DMA_POOL_USING_DEBUG`).
//!
//! Only `rtthread-port/rt_dma_port_debug.c` calls these functions. With the option, it is compiled, the archive is built with the
//! feature `debug`, and the linker passes it the drivers' calls (`--wrap`). Without the option nothing of this exists.

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::abi::rt_device;
use crate::additions::debug::{Allocated, Buffer, Call, Debug, Entry, Freed, Kind, Named};
use crate::additions::streaming::MAPPING_ERROR;
use crate::ffi::additions::block_pool::rt_dma_block_pool;
use crate::ffi::additions::streaming_device::{RT_DMA_ATTR_OWN_LINES, direction_of};
use crate::ffi::additions::streaming_list::{entries, rt_dma_sg};
use crate::ffi::{DMA, device};
use crate::flags::Flags;
use crate::kernel::rtthread::RtThread;
use crate::log::Name;

/// The debug mode of the system.
static DEBUG: Debug<RtThread> = Debug::new(RtThread);

/// @brief Words of memory for each entry of the table.
pub const RT_DMA_WATCH_ENTRY_WORDS: usize = 11;

const _: () = assert!(size_of::<Entry>() <= RT_DMA_WATCH_ENTRY_WORDS * size_of::<usize>());

/// @brief A call of a driver.
#[repr(C)]
pub struct rt_dma_watch_call {
    /// The device, which is not null.
    pub dev: *mut rt_device,
    /// The address to which the call returns.
    pub caller: usize,
    /// The time in milliseconds.
    pub time: usize,
    /// 1 if the device has no map operations yet.
    pub is_new: c_int,
    /// The first byte of the calling thread's stack; 0 if it is not known.
    pub stack: usize,
    /// Bytes of that stack.
    pub stack_size: usize,
}

/// Returns the call, and calls `act` with it.
///
/// # Safety
/// `call` points to a call, whose device is not null.
unsafe fn with<T: Default>(call: *const rt_dma_watch_call, act: impl FnOnce(&rt_dma_watch_call, &Call) -> T) -> T {
    // SAFETY: the port's promise.
    let Some(call) = (unsafe { call.as_ref() }) else { return T::default() };
    let Some(device) = device(call.dev) else { return T::default() };
    act(call, &Call { device, caller: call.caller, time: call.time, is_new: call.is_new != 0 })
}

/// Returns the call, and calls `act` with it, after the library did what the call asks for: the check before that noticed
/// whether the device is new.
///
/// # Safety
/// As for [`with`].
unsafe fn after<T: Default>(call: *const rt_dma_watch_call, act: impl FnOnce(&rt_dma_watch_call, &Call) -> T) -> T {
    // SAFETY: the caller's promise.
    unsafe { with(call, |context, call| act(context, &Call { is_new: false, ..*call })) }
}

impl rt_dma_watch_call {
    fn has_on_stack(&self, address: usize) -> bool {
        address.wrapping_sub(self.stack) < self.stack_size
    }
}

/// @brief Gives the debug mode the memory of its table. Calls after the first one have no effect.
///
/// @param[in] memory Zeroed memory, aligned for a pointer, which the debug mode keeps: RT_DMA_WATCH_ENTRY_WORDS words for
/// each entry.
/// @param[in] count Entries.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_start(memory: *mut c_void, count: usize) {
    static IS_STARTED: AtomicBool = AtomicBool::new(false);
    if !IS_STARTED.swap(true, Relaxed) && !memory.is_null() {
        // SAFETY: the port gives the memory away, and this is the first call. An `Entry` may consist of zeros: its enums and
        // bools have values for that.
        DEBUG.start(unsafe { core::slice::from_raw_parts_mut(memory.cast::<Entry>(), count) });
    }
}

/// @brief Counts an allocation or a mapping, and returns whether it must fail: `rt_dma_watch_fail` asked for it.
///
/// @param[in] call The call.
/// @param[in] size Bytes that the driver asked for.
/// @return 1 if the call must fail, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_must_fail(call: *const rt_dma_watch_call, size: usize) -> c_int {
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.must_fail(call, size).into()) }
}

/// @brief Makes an allocation or a mapping of a device fail.
///
/// @param[in] call The call, with the device.
/// @param[in] number 1 for the next one, 2 for the one after it; 0 for none any more.
/// @return 1; 0 if there is no room for a record of the device.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_fail(call: *const rt_dma_watch_call, number: usize) -> c_int {
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.fail(call, number).into()) }
}

/// @brief Returns whether the call that `rt_dma_watch_fail` asked for has failed.
///
/// @param[in] dev The device.
/// @return 1 if it has, else 0.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_has_failed(dev: *mut rt_device) -> c_int {
    device(dev).is_some_and(|device| DEBUG.has_failed(device)).into()
}

/// @brief Returns the device with a name.
///
/// @param[in] name The name.
/// @return The device; null if no such device used DMA memory.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_find(name: *const c_char) -> *mut rt_device {
    // SAFETY: the port passes a C string, which is used during the call only.
    let device = DEBUG.find(unsafe { Name::from_ptr(name) }).map_or(0, |device| device.0);
    core::ptr::with_exposed_provenance_mut(device)
}

/// @brief Returns how many mistakes were found.
///
/// @param[in] dev The device; null for all devices.
/// @return The number.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_mistakes(dev: *mut rt_device) -> usize {
    DEBUG.mistakes(device(dev))
}

/// @brief Prints the mistakes that were found, and what devices hold.
///
/// @param[in] dev The device; null for all devices.
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list(dev: *mut rt_device, now: usize) {
    DEBUG.list(device(dev), now);
}

/// @brief Prints what devices hold.
///
/// @param[in] now The time in milliseconds.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_watch_list_held(now: usize) {
    DEBUG.list_held(None, now);
}

/// @brief Notes that the device is removed: its managed resources are released, and what it holds besides is reported.
///
/// @param[in] call The call.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_released(call: *const rt_dma_watch_call) {
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.released(call)) }
}

// Memory

/// @brief Records a buffer.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes that the driver asked for.
/// @param[in] dma_handle The handle.
/// @param[in] flags The flags.
/// @param[in] is_managed 1 if `rt_dmam_release` frees it.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_allocated(
    call: *const rt_dma_watch_call,
    cpu_addr: *mut c_void,
    size: usize,
    dma_handle: usize,
    flags: usize,
    is_managed: c_int,
) {
    let (va, is_managed) = (cpu_addr.expose_provenance(), is_managed != 0);
    let new = Allocated { kind: Kind::Buffer, va, handle: dma_handle, size, flags, pool: 0, is_managed };
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.allocated(call, &new)) }
}

/// @brief Checks a free before it is done.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] dma_handle The handle.
/// @param[in] is_managed 1 if the call is for managed buffers.
/// @return What `rt_dma_watch_freed` takes.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freeing(
    call: *const rt_dma_watch_call,
    cpu_addr: *mut c_void,
    size: usize,
    dma_handle: usize,
    is_managed: c_int,
) -> usize {
    let (va, is_managed) = (cpu_addr.expose_provenance(), is_managed != 0);
    let freed = Freed { kind: Kind::Buffer, va, size, handle: dma_handle, pool: 0, is_managed };
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| check_free(call, &freed)) }
}

/// Checks a free. Returns 0 if the table has what is freed; else one more than the number of calls that were refused before.
fn check_free(call: &Call, freed: &Freed) -> usize {
    if DEBUG.freeing(call, freed) { 0 } else { DMA.bad_calls().wrapping_add(1) }
}

/// @brief Checks whether a free of memory that the table does not have was refused.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes; 0 if the call does not state it.
/// @param[in] refused The result of the check before the free.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_freed(
    call: *const rt_dma_watch_call,
    cpu_addr: *mut c_void,
    size: usize,
    refused: usize,
) {
    if refused != 0 && DMA.bad_calls().wrapping_add(1) != refused {
        let va = cpu_addr.expose_provenance();
        let freed = Freed { kind: Kind::Buffer, va, size, handle: 0, pool: 0, is_managed: false };
        // SAFETY: the port's promise.
        unsafe { after(call, |_, call| DEBUG.refused(call, &freed)) }
    }
}

/// @brief Records a block pool.
///
/// @param[in] call The call.
/// @param[in] pool The pool.
/// @param[in] size Bytes in a block.
/// @param[in] is_managed 1 if `rt_dmam_release` destroys it.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_pool_created(
    call: *const rt_dma_watch_call,
    pool: *mut rt_dma_block_pool,
    size: usize,
    is_managed: c_int,
) {
    let (va, is_managed) = (pool.expose_provenance(), is_managed != 0);
    let new = Allocated { kind: Kind::Pool, va, handle: 0, size, flags: 0, pool: 0, is_managed };
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.allocated(call, &new)) }
}

/// @brief Forgets a block pool that was destroyed.
///
/// @param[in] pool The pool.
/// @note Context: any.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_watch_pool_destroyed(pool: *mut rt_dma_block_pool) {
    DEBUG.destroyed(pool.expose_provenance());
}

/// @brief Returns the device of a block pool.
///
/// @param[in] pool The pool.
/// @return The device; null if the pool is not in the table.
/// @note Context: any.
#[unsafe(no_mangle)]
pub extern "C" fn rt_dma_watch_pool_device(pool: *mut rt_dma_block_pool) -> *mut rt_device {
    let device = DEBUG.device_of_pool(pool.expose_provenance()).unwrap_or(0);
    core::ptr::with_exposed_provenance_mut(device)
}

/// @brief Records a block.
///
/// @param[in] call The call.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] dma_handle The handle.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_allocated(
    call: *const rt_dma_watch_call,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    dma_handle: usize,
) {
    let (va, pool) = (block.expose_provenance(), pool.expose_provenance());
    let size = DEBUG.block_size(pool);
    let new = Allocated { kind: Kind::Block, va, handle: dma_handle, size, flags: 0, pool, is_managed: false };
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.allocated(call, &new)) }
}

/// @brief Checks the free of a block before it is done.
///
/// @param[in] call The call.
/// @param[in] pool The pool.
/// @param[in] block The block.
/// @param[in] dma_handle The handle.
/// @return What `rt_dma_watch_freed` takes.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_block_freeing(
    call: *const rt_dma_watch_call,
    pool: *mut rt_dma_block_pool,
    block: *mut c_void,
    dma_handle: usize,
) -> usize {
    let (va, pool) = (block.expose_provenance(), pool.expose_provenance());
    let freed = Freed { kind: Kind::Block, va, size: 0, handle: dma_handle, pool, is_managed: false };
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| check_free(call, &freed)) }
}

// Mappings

/// @brief Checks a map after it was done, and records the mapping.
///
/// @param[in] call The call.
/// @param[in] cpu_addr The buffer.
/// @param[in] size Bytes.
/// @param[in] direction The direction.
/// @param[in] attrs The attributes.
/// @param[in] dma_handle What the map returned.
/// @param[in] is_managed 1 if `rt_dmam_release` ends the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_mapped(
    call: *const rt_dma_watch_call,
    cpu_addr: *mut c_void,
    size: usize,
    direction: c_int,
    attrs: usize,
    dma_handle: usize,
    is_managed: c_int,
) {
    let record = |context: &rt_dma_watch_call, call: &Call| {
        let va = cpu_addr.expose_provenance();
        let buffer = Buffer {
            kind: Kind::Single,
            va,
            pa: 0,
            size,
            direction: direction_of(direction),
            count: 0,
            has_own_lines: attrs & RT_DMA_ATTR_OWN_LINES != 0,
            is_on_stack: context.has_on_stack(va),
            is_managed: is_managed != 0,
        };
        DEBUG.mapped(call, &buffer, dma_handle);
    };
    // SAFETY: the port's promise.
    unsafe { after(call, record) }
}

/// @brief Checks the map of a part of a page after it was done, and records the mapping.
///
/// @param[in] call The call.
/// @param[in] pa The physical address of the part.
/// @param[in] size Bytes.
/// @param[in] direction The direction.
/// @param[in] dma_handle What the map returned.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_page_mapped(
    call: *const rt_dma_watch_call,
    pa: usize,
    size: usize,
    direction: c_int,
    dma_handle: usize,
) {
    let buffer = Buffer {
        kind: Kind::Page,
        va: 0,
        pa,
        size,
        direction: direction_of(direction),
        count: 0,
        has_own_lines: false,
        is_on_stack: false,
        is_managed: false,
    };
    // SAFETY: the port's promise.
    unsafe { after(call, |_, call| DEBUG.mapped(call, &buffer, dma_handle)) }
}

/// @brief Checks the map of a list after it was done, and records the mappings.
///
/// @param[in] call The call.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction.
/// @param[in] is_mapped 1 if the list was mapped.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_mapped(
    call: *const rt_dma_watch_call,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
    is_mapped: c_int,
) {
    let record = |context: &rt_dma_watch_call, call: &Call| {
        // SAFETY: the driver's list.
        let list = unsafe { entries(sg, nents) };
        let count = list.len();
        for entry in list {
            let va = entry.addr.expose_provenance();
            let buffer = Buffer {
                kind: Kind::List,
                va,
                pa: 0,
                size: entry.length,
                direction: direction_of(direction),
                count,
                has_own_lines: false,
                is_on_stack: context.has_on_stack(va),
                is_managed: false,
            };
            DEBUG.mapped(call, &buffer, if is_mapped != 0 { entry.dma_handle } else { MAPPING_ERROR });
        }
    };
    // SAFETY: the port's promise.
    unsafe { after(call, record) }
}

/// @brief Notes that a driver checked whether a map failed.
///
/// @param[in] call The call.
/// @param[in] dma_handle What the map returned.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_checked(call: *const rt_dma_watch_call, dma_handle: usize) {
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.checked(call, dma_handle)) }
}

/// @brief The call is for mappings of `rt_dma_map_single`.
pub const RT_DMA_WATCH_SINGLE: c_int = 0;
/// @brief The call is for mappings of `rt_dma_map_page`.
pub const RT_DMA_WATCH_PAGE: c_int = 1;
/// @brief The call is for mappings of `rt_dma_map_single` and of `rt_dma_map_page`.
pub const RT_DMA_WATCH_ANY: c_int = 2;
/// @brief The call is for mappings of `rt_dmam_map_single`.
pub const RT_DMA_WATCH_MANAGED: c_int = 3;

/// @brief Checks an unmap before it is done.
///
/// @param[in] call The call.
/// @param[in] dma_handle The handle.
/// @param[in] size Bytes.
/// @param[in] direction The direction.
/// @param[in] kind RT_DMA_WATCH_SINGLE, RT_DMA_WATCH_PAGE, RT_DMA_WATCH_ANY or RT_DMA_WATCH_MANAGED.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_unmapping(
    call: *const rt_dma_watch_call,
    dma_handle: usize,
    size: usize,
    direction: c_int,
    kind: c_int,
) {
    let named = Named {
        kind: match kind {
            RT_DMA_WATCH_ANY => None,
            RT_DMA_WATCH_PAGE => Some(Kind::Page),
            _ => Some(Kind::Single),
        },
        handle: dma_handle,
        size,
        direction: direction_of(direction),
        count: 0,
        is_managed: kind == RT_DMA_WATCH_MANAGED,
    };
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.unmapping(call, &named)) }
}

/// Calls `act` with each entry of a list.
///
/// # Safety
/// `call` points to a call; `sg` is null or points to `nents` entries.
unsafe fn for_each(
    call: *const rt_dma_watch_call,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
    act: impl Fn(&Call, &Named),
) {
    let each = |_: &rt_dma_watch_call, call: &Call| {
        // SAFETY: the driver's list.
        let list = unsafe { entries(sg, nents) };
        let (count, direction) = (list.len(), direction_of(direction));
        for entry in list {
            let (kind, handle, size) = (Some(Kind::List), entry.dma_handle, entry.length);
            act(call, &Named { kind, handle, size, direction, count, is_managed: false });
        }
    };
    // SAFETY: the caller's promise.
    unsafe { with(call, each) }
}

/// @brief Checks the unmap of a list before it is done.
///
/// @param[in] call The call.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_unmapping(
    call: *const rt_dma_watch_call,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    // SAFETY: the port's promise.
    unsafe { for_each(call, sg, nents, direction, |call, named| DEBUG.unmapping(call, named)) }
}

/// @brief Checks a sync before it is done.
///
/// @param[in] call The call.
/// @param[in] dma_handle The handle.
/// @param[in] size Bytes.
/// @param[in] direction The direction.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_syncing(
    call: *const rt_dma_watch_call,
    dma_handle: usize,
    size: usize,
    direction: c_int,
) {
    let direction = direction_of(direction);
    let named = Named { kind: None, handle: dma_handle, size, direction, count: 0, is_managed: false };
    // SAFETY: the port's promise.
    unsafe { with(call, |_, call| DEBUG.syncing(call, &named)) }
}

/// @brief Checks the sync of a list before it is done.
///
/// @param[in] call The call.
/// @param[in] sg The list.
/// @param[in] nents Entries in the list.
/// @param[in] direction The direction.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_syncing(
    call: *const rt_dma_watch_call,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    // SAFETY: the port's promise.
    unsafe { for_each(call, sg, nents, direction, |call, named| DEBUG.syncing(call, named)) }
}

/// @brief Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`.
///
/// @param[in] call The call.
/// @param[in] data The buffer.
/// @param[in] size Bytes.
/// @param[in] flags The flags.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_syncing_data(
    call: *const rt_dma_watch_call,
    data: *mut c_void,
    size: usize,
    flags: usize,
) {
    let check = |context: &rt_dma_watch_call, call: &Call| {
        let va = data.expose_provenance();
        DEBUG.syncing_data(&DMA, call, va, size, Flags::from_bits_retain(flags), context.has_on_stack(va));
    };
    // SAFETY: the port's promise.
    unsafe { with(call, check) }
}
