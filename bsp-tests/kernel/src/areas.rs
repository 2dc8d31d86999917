//! The areas of the kernel's address space: mappings in the ioremap window, and at fixed addresses.

use alloc::collections::BTreeMap;
use core::ffi::c_void;
use core::ptr::null_mut;

use crate::arch;
use crate::aspace::{Aspace, CACHED, DEVICE, UNCACHED, map, must_have_page_tables, unmap};
use crate::context::must_be_thread;
use crate::memory::{self, PAGE};

const MMF_MAP_FIXED: usize = 1 << 9;
/// The flag of an area whose `struct rt_varea` the caller frees.
const MMF_STATIC_ALLOC: usize = 1 << 13;

struct Area {
    size: usize,
    /// The address of the `struct rt_varea` that a caller of `rt_aspace_map_static` gave.
    varea: Option<usize>,
}

/// Every area, by its start.
static AREAS: spin::Mutex<BTreeMap<usize, Area>> = spin::Mutex::new(BTreeMap::new());

#[unsafe(no_mangle)]
static rt_ioremap_start: usize = arch::WINDOW.start;
#[unsafe(no_mangle)]
static rt_ioremap_size: usize = arch::WINDOW.end - arch::WINDOW.start;

/// Reserves the lowest free place in the window, as RT-Thread does.
fn place(size: usize, varea: Option<usize>) -> Option<usize> {
    let mut areas = AREAS.lock();
    let mut start = arch::WINDOW.start;
    for (&taken, area) in areas.range(arch::WINDOW) {
        if taken - start >= size {
            break;
        }
        start = taken + area.size;
    }
    if arch::WINDOW.end - start < size {
        return None;
    }
    areas.insert(start, Area { size, varea });
    Some(start)
}

fn ioremap(what: &str, pa: usize, size: usize, attribute: usize) -> *mut c_void {
    must_be_thread(what);
    must_have_page_tables(what);
    let offset = pa % PAGE;
    let size = (size + offset).next_multiple_of(PAGE);
    match place(size, None) {
        Some(va) if size != 0 => {
            if map(va, pa - offset, size, attribute) == 0 {
                AREAS.lock().remove(&va);
                return null_mut();
            }
            (va + offset) as *mut c_void
        }
        _ => null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap", pa, size, DEVICE)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_nocache(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_nocache", pa, size, DEVICE)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_wt(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_wt", pa, size, UNCACHED)
}

#[unsafe(no_mangle)]
extern "C" fn rt_ioremap_cached(pa: usize, size: usize) -> *mut c_void {
    ioremap("rt_ioremap_cached", pa, size, CACHED)
}

/// Removes the area that contains `va`.
fn remove(what: &str, va: usize) {
    must_be_thread(what);
    must_have_page_tables(what);
    let start =
        AREAS.lock().range(..=va).next_back().filter(|(start, area)| va - **start < area.size).map(|(start, _)| *start);
    let start = start.unwrap_or_else(|| panic!("{what} of {va:#x}, where no area is"));
    let (size, varea) = AREAS.lock().get(&start).map(|area| (area.size, area.varea)).unwrap();
    let varea = varea.map(core::ptr::with_exposed_provenance_mut::<Varea>);
    // SAFETY: an area's `struct rt_varea` and its object live until it is unmapped.
    match varea.and_then(|varea| unsafe { (*(*varea).object).on_varea_close.map(|close| close(varea)) }) {
        Some(()) => {}
        None => unmap(start, size),
    }
    AREAS.lock().remove(&start);
    if let Some(varea) = varea
        // SAFETY: an area's `struct rt_varea` lives until it is unmapped, and this one is freed below.
        && unsafe { (*varea).flags } & MMF_STATIC_ALLOC == 0
    {
        memory::rt_free(varea.cast());
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_iounmap(va: usize) {
    remove("rt_iounmap", va);
}

#[unsafe(no_mangle)]
extern "C" fn rt_aspace_unmap(_: &Aspace, va: usize) -> i32 {
    remove("rt_aspace_unmap", va);
    0
}

/// See `stand_in.h`.
#[unsafe(no_mangle)]
extern "C" fn stand_in_mappings() -> usize {
    AREAS.lock().range(arch::WINDOW).count()
}

/// `struct rt_mm_va_hint`
#[repr(C)]
struct Hint {
    limit_start: usize,
    limit_size: usize,
    prefer: usize,
    size: usize,
    flags: usize,
}

#[unsafe(no_mangle)]
extern "C" fn rt_aspace_map_phy(_: &Aspace, hint: &Hint, attribute: usize, page: usize, va: &mut usize) -> i32 {
    must_be_thread("rt_aspace_map_phy");
    must_have_page_tables("rt_aspace_map_phy");
    assert!(hint.flags & MMF_MAP_FIXED != 0, "the stand-in maps at a fixed address only");
    assert!(hint.prefer % PAGE == 0 && hint.size % PAGE == 0, "rt_aspace_map_phy of parts of pages");
    if map(hint.prefer, page * PAGE, hint.size, attribute) == 0 {
        *va = 0;
        return -1;
    }
    AREAS.lock().insert(hint.prefer, Area { size: hint.size, varea: None });
    *va = hint.prefer;
    0
}

/// `struct rt_varea`
#[repr(C)]
struct Varea {
    start: usize,
    size: usize,
    flags: usize,
    aspace: *const Aspace,
    object: *const Object,
    data: *mut c_void,
}

/// `struct rt_mem_obj`
#[repr(C)]
struct Object {
    hint_free: Option<extern "C" fn(&mut Hint)>,
    on_varea_close: Option<unsafe extern "C" fn(*mut Varea)>,
}

/// Reserves addresses, as RT-Thread does. If the object has no `hint_free`, they may lie anywhere in the address space.
/// A caller gets addresses of the window only if `hint_free` limits the search to it.
#[unsafe(no_mangle)]
extern "C" fn rt_aspace_map_static(
    aspace: &Aspace,
    varea: &mut Varea,
    va: &mut usize,
    size: usize,
    _attribute: usize,
    flags: usize,
    object: &Object,
    _page: usize,
) -> i32 {
    must_be_thread("rt_aspace_map_static");
    must_have_page_tables("rt_aspace_map_static");
    assert!(*va % PAGE == 0 && size % PAGE == 0 && size != 0, "rt_aspace_map_static of parts of pages");
    let (limit_start, limit_size) = aspace.limits();
    let mut hint = Hint { limit_start, limit_size, prefer: *va, size, flags };
    if let Some(hint_free) = object.hint_free {
        hint_free(&mut hint);
    }
    let address = core::ptr::from_mut(varea).expose_provenance();
    if flags & MMF_MAP_FIXED != 0 {
        assert!(hint.limit_start <= *va && size <= hint.limit_size, "{va:#x} is outside of the limits");
        AREAS.lock().insert(*va, Area { size, varea: Some(address) });
    } else {
        assert_eq!(hint.limit_start..hint.limit_start + hint.limit_size, arch::WINDOW, "not the ioremap window");
        match place(size, Some(address)) {
            Some(place) => *va = place,
            None => return -1,
        }
    }
    *varea = Varea { start: *va, size, flags: flags | MMF_STATIC_ALLOC, aspace, object, data: varea.data };
    0
}
