//! Mappings of drivers' own buffers, and the sync calls.

use core::ffi::{c_int, c_void};

use super::call::has_no_ops;
use super::{WATCH, checked_after, checked_before, rt_dma_watch_call};
use crate::abi::{rt_size_t, rt_ubase_t};
use crate::additions::debug::{Call, DebugEntry, HeldMapping, Kind, MappedBy, SyncedData, UnmappedBy};
use crate::additions::streaming::{BusMaster, MAPPING_ERROR, MappedBuffer};
use crate::ffi::DMA;
use crate::ffi::additions::streaming::arguments::{
    RT_DMA_ATTR_LIST_ENTRY, RT_DMA_ATTR_OWN_LINES, bus_master_of, direction_of,
};
use crate::ffi::additions::streaming::scatter::{entries, mapped_buffers, rt_dma_sg};
use crate::ffi::additions::streaming::system::STREAMING;
use crate::flags::Flags;

/// Returns the device as its mappings see it; `None` if it has no operations. `bus_master_of` would choose those of a
/// new device, which has no mapping.
fn master_of(call: &Call) -> Option<BusMaster> {
    if has_no_ops(call.device) { None } else { bus_master_of(call.device).ok() }
}

/// Makes a mapping that a call has made.
fn mapping_of(call: &Call, by: MappedBy, direction: c_int) -> HeldMapping {
    let is_handle_pa = master_of(call).is_some_and(|master| master.has_physical_handles());
    HeldMapping { is_handle_pa, ..HeldMapping::new(by, direction_of(direction)) }
}

/// @brief Checks a map after it was done, and records the mapping.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] cpu_addr The buffer. It may be null or at a wrong address: that is a mistake, which is reported.
/// @param[in] size Bytes, as the driver passed them to the map.
/// @param[in] direction As the driver passed it to the map.
/// @param[in] attrs As the driver passed them to `rt_dma_map_single_attrs`; 0 for other functions.
/// @param[in] dma_handle What the map returned. If it is `RT_DMA_MAPPING_ERROR`, no mapping is recorded.
/// @param[in] is_managed 1 if `rt_dmam_release` ends the mapping.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_mapped(
    call: Option<&rt_dma_watch_call>,
    cpu_addr: *mut c_void,
    size: rt_size_t,
    direction: c_int,
    attrs: rt_ubase_t,
    dma_handle: rt_ubase_t,
    is_managed: c_int,
) {
    let by = if attrs & RT_DMA_ATTR_LIST_ENTRY != 0 { MappedBy::List } else { MappedBy::Single };
    let has_own_lines = attrs & RT_DMA_ATTR_OWN_LINES != 0;
    let (va, is_managed) = (cpu_addr.expose_provenance(), is_managed != 0);
    let Some(call) = checked_after(call) else { return };
    let kind = Kind::Mapping(HeldMapping { has_own_lines, ..mapping_of(&call, by, direction) });
    WATCH.check_map(&call, DebugEntry { kind, va, handle: dma_handle, size, is_managed, ..DebugEntry::NONE });
}

/// @brief Checks the map of a part of a page after it was done, and records the mapping.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] pa The physical address of the part.
/// @param[in] size Bytes, as the driver passed them to the map.
/// @param[in] direction As the driver passed it to the map.
/// @param[in] dma_handle What the map returned. If it is `RT_DMA_MAPPING_ERROR`, no mapping is recorded.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_page_mapped(
    call: Option<&rt_dma_watch_call>,
    pa: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
    dma_handle: rt_ubase_t,
) {
    let Some(call) = checked_after(call) else { return };
    let kind = Kind::Mapping(HeldMapping { pa, ..mapping_of(&call, MappedBy::Page, direction) });
    WATCH.check_map(&call, DebugEntry { kind, handle: dma_handle, size, ..DebugEntry::NONE });
}

/// @brief Checks the map of a list after it was done, and records the mappings.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] sg The list, after the map. May be null.
/// @param[in] nents Entries in the list. If it is not positive, there are none.
/// @param[in] direction As the driver passed it to the map.
/// @param[in] is_mapped 0 if the map failed: then no mapping is recorded.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_mapped(
    call: Option<&rt_dma_watch_call>,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
    is_mapped: c_int,
) {
    let Some(call) = checked_after(call) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    let list = unsafe { entries(sg, nents) };
    let mapping = HeldMapping { list_entries: list.len(), ..mapping_of(&call, MappedBy::List, direction) };
    for entry in list {
        let (va, size) = (entry.addr.expose_provenance(), entry.length);
        let handle = if is_mapped != 0 { entry.dma_handle } else { MAPPING_ERROR };
        WATCH.check_map(&call, DebugEntry { kind: Kind::Mapping(mapping), va, handle, size, ..DebugEntry::NONE });
    }
}

/// @brief Notes that a driver checked whether a map failed.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] dma_handle What the map returned; `RT_DMA_MAPPING_ERROR` if it failed.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_checking(call: Option<&rt_dma_watch_call>, dma_handle: rt_ubase_t) {
    let Some(call) = checked_before(call) else { return };
    WATCH.mark_mapping_checked(&call, dma_handle);
}

/// @brief A `kind` of `rt_dma_watch_unmapping`: the call ends mappings of `rt_dma_map_single`.
pub const RT_DMA_WATCH_SINGLE: c_int = 0;
/// @brief A `kind` of `rt_dma_watch_unmapping`: the call ends mappings of `rt_dma_map_page`.
pub const RT_DMA_WATCH_PAGE: c_int = 1;
/// @brief A `kind` of `rt_dma_watch_unmapping`: the call ends mappings of `rt_dma_map_single` and of `rt_dma_map_page`.
pub const RT_DMA_WATCH_SINGLE_OR_PAGE: c_int = 2;
/// @brief A `kind` of `rt_dma_watch_unmapping`: the call ends mappings of `rt_dmam_map_single`.
pub const RT_DMA_WATCH_MANAGED: c_int = 3;
/// @brief A `kind` of `rt_dma_watch_unmapping`: the call ends mappings with `RT_DMA_ATTR_LIST_ENTRY`.
pub const RT_DMA_WATCH_LIST_ENTRY: c_int = 4;

/// @brief Checks an unmap before it is done.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] dma_handle What the driver unmaps. It may be wrong: that is a mistake, which is reported.
/// @param[in] size Bytes, as the driver passed them to this call; the mapping may have another size.
/// @param[in] direction As the driver passed it to this call; the mapping may have another.
/// @param[in] kind The mappings that the called function may end: RT_DMA_WATCH_SINGLE, RT_DMA_WATCH_PAGE,
/// RT_DMA_WATCH_SINGLE_OR_PAGE, RT_DMA_WATCH_MANAGED or RT_DMA_WATCH_LIST_ENTRY.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_unmapping(
    call: Option<&rt_dma_watch_call>,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
    kind: c_int,
) {
    let by = match kind {
        RT_DMA_WATCH_PAGE => UnmappedBy::Page,
        RT_DMA_WATCH_SINGLE_OR_PAGE => UnmappedBy::SingleOrPage,
        RT_DMA_WATCH_MANAGED => UnmappedBy::ManagedSingle,
        RT_DMA_WATCH_LIST_ENTRY => UnmappedBy::List { entries: 0 },
        _ => UnmappedBy::Single,
    };
    let Some(call) = checked_before(call) else { return };
    check_unmap(&call, by, MappedBuffer::new(dma_handle, size, direction_of(direction)));
}

/// Checks an unmap.
fn check_unmap(call: &Call, by: UnmappedBy, given: MappedBuffer) {
    let master = master_of(call);
    WATCH.check_unmap(call, by, given, |mapped| {
        master.as_ref().is_some_and(|master| STREAMING.has_record(master, &mapped))
    });
}

/// @brief Checks the unmap of a list before it is done.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] sg The list, with the handles of its mappings. May be null.
/// @param[in] nents Entries in the list. If it is not positive, there are none.
/// @param[in] direction As the driver passed it to this call; the mappings may have another.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_unmapping(
    call: Option<&rt_dma_watch_call>,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(call) = checked_before(call) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    let list = unsafe { entries(sg, nents) };
    let by = UnmappedBy::List { entries: list.len() };
    mapped_buffers(list, direction).for_each(|given| check_unmap(&call, by, given));
}

/// @brief Checks a sync before it is done.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] dma_handle The first byte to sync: what the map returned, or a later byte of the mapping.
/// @param[in] size Bytes to sync.
/// @param[in] direction As the driver passed it to this call; the mapping may have another.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_syncing(
    call: Option<&rt_dma_watch_call>,
    dma_handle: rt_ubase_t,
    size: rt_size_t,
    direction: c_int,
) {
    let Some(call) = checked_before(call) else { return };
    WATCH.check_sync(&call, MappedBuffer::new(dma_handle, size, direction_of(direction)));
}

/// @brief Checks the sync of a list before it is done.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] sg The list, with the handles of its mappings. May be null.
/// @param[in] nents Entries in the list. If it is not positive, there are none.
/// @param[in] direction As the driver passed it to this call; the mappings may have another.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_list_syncing(
    call: Option<&rt_dma_watch_call>,
    sg: *mut rt_dma_sg,
    nents: c_int,
    direction: c_int,
) {
    let Some(call) = checked_before(call) else { return };
    // SAFETY: the list is null, or has `nents` entries that no other code changes during the call (`crate::ffi`).
    let list = unsafe { entries(sg, nents) };
    mapped_buffers(list, direction).for_each(|given| WATCH.check_sync(&call, given));
}

/// @brief Checks a call of `rt_dma_sync_out_data` or `rt_dma_sync_in_data`. One for NULL or 0 bytes is not checked: the
/// library refuses it.
///
/// @param[in] call The driver's call. Nothing is done if it or its `dev` is null.
/// @param[in] data The first byte to sync. May be null.
/// @param[in] size Bytes to sync.
/// @param[in] flags As the driver passed them to this call; the buffer may have been allocated with others.
/// @note Context: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_watch_syncing_data(
    call: Option<&rt_dma_watch_call>,
    data: *mut c_void,
    size: rt_size_t,
    flags: rt_ubase_t,
) {
    let Some(call) = checked_before(call) else { return };
    let va = data.expose_provenance();
    if va != 0 && size != 0 {
        WATCH.check_sync_data(&DMA, &call, &SyncedData { va, size, flags: Flags::from_bits_retain(flags) });
    }
}
