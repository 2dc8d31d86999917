//! Pools of pages: installing and uninstalling them, and what C sees of them.

use std::collections::BTreeMap;
use std::ffi::c_char;
use std::sync::atomic::Ordering::Relaxed;

use ::rt_dma_pool::abi::{rt_dma_pool, rt_region_t};
use ::rt_dma_pool::ffi::*;

use super::{DEVICE, Device, NOCACHE, NOMAP, c_call, world};
use crate::memory::{self, LOW_PAGES, PAGE, pa_of, page_of};
use crate::port::{BUSY, INVAL, OK, revision};
use crate::{firmware, input, machine};

/// What C sees of a pool.
pub struct Pool {
    pub public: *mut rt_dma_pool,
    pub start: usize,
    pub pages: usize,
    pub flags: usize,
    words: Vec<usize>,
}

impl Pool {
    pub fn is_used(&self, page: usize) -> bool {
        self.words[page / usize::BITS as usize] >> (page % usize::BITS as usize) & 1 != 0
    }
}

/// Returns all pools in the order in which they were installed.
pub fn all() -> Vec<Pool> {
    let mut pools = Vec::new();
    let mut public = unsafe { rt_dma_pool_next(std::ptr::null_mut()) };
    while !public.is_null() {
        // SAFETY: the public part of a pool is never freed.
        let pool = unsafe { &*public };
        let pages = pool.bits.load(Relaxed);
        let map = pool.map.load(Relaxed);
        // SAFETY: the map has a bit for each page.
        let words = (0..pages.div_ceil(usize::BITS as usize)).map(|index| unsafe { map.add(index).read_volatile() });
        let (start, flags) = (pool.start.load(Relaxed), pool.flags.load(Relaxed));
        pools.push(Pool { public, start, pages, flags, words: words.collect() });
        public = unsafe { rt_dma_pool_next(public) };
    }
    pools
}

/// Returns the maps of all pools.
pub fn maps() -> BTreeMap<usize, Vec<usize>> {
    all().into_iter().map(|pool| (pool.start, pool.words)).collect()
}

/// Checks that the maps of these pools are as before. There may be more pools now, between them too: one that was
/// uninstalled comes back to its place.
pub fn assert_unchanged(before: &BTreeMap<usize, Vec<usize>>, what: &str) {
    let now = maps();
    assert!(before.iter().all(|(start, words)| now.get(start) == Some(words)), "{what}");
}

/// Checks that no page was taken since.
pub fn assert_nothing_new(before: &BTreeMap<usize, Vec<usize>>) {
    for (start, now) in maps() {
        let taken = |before: &Vec<usize>| before.iter().zip(&now).any(|(before, now)| now & !before != 0);
        assert!(!before.get(&start).is_some_and(taken), "a page is taken for nothing");
    }
}

/// Returns the pool that contains `size` bytes.
pub fn covering(pa: usize, size: usize) -> Option<Pool> {
    let has = |pool: &Pool| {
        let offset = pa.checked_sub(pool.start);
        offset.and_then(|offset| offset.checked_add(size)).is_some_and(|end| end <= pool.pages * PAGE)
    };
    all().into_iter().find(has)
}

/// Returns whether the page at `pa` is in use.
pub fn is_used(pa: usize) -> bool {
    covering(pa, 1).is_some_and(|pool| pool.is_used((pa - pool.start) / PAGE))
}

/// Has the processor read the clean lines of free pages again: what was written to memory that is not cached is seen
/// then, and a write of the bytes that the cache had before is noticed.
pub fn refresh_free() {
    for pool in all() {
        let free = (0..pool.pages).filter(|page| !pool.is_used(*page));
        memory::with(|memory| free.for_each(|page| memory.refresh(pool.start + page * PAGE, PAGE)));
    }
}

/// First page and pages of what a board installs.
const USUAL: [(usize, usize); 4] = [(16, 24), (40, 8), (112, 208), (LOW_PAGES + 8, 32)];

fn install_region(start: usize, end: usize) -> *mut rt_dma_pool {
    let mut region = rt_region_t { start, end, name: c"installed".as_ptr() };
    c_call(|| unsafe { rt_dma_pool_install(&mut region) }).0
}

pub fn install_usual(index: usize) {
    let (first, pages) = USUAL[index];
    assert!(!install_region(pa_of(first), pa_of(first) + pages * PAGE).is_null(), "a pool is not installed");
}

/// Installs a region, which may be wrong.
pub fn install() {
    let (first, pages) = USUAL[input::below(4)];
    let from = input::below(pages);
    let start = pa_of(first) + from * PAGE + input::one_of(&[0, 0, 1, 100, PAGE - 1]);
    let size = (2 + input::below(pages - from)) * PAGE - input::one_of(&[0, 1, PAGE, 5000]);
    let end = (start.wrapping_add(size)).min(pa_of(first) + pages * PAGE);
    let end = if input::one_in(8) { start } else { end };
    let (from, to) = (start.next_multiple_of(PAGE), end & !(PAGE - 1));
    let is_free = from < to
        && end > start
        && all().iter().all(|pool| end <= pool.start || start >= pool.start + pool.pages * PAGE);
    let mut region =
        rt_region_t { start, end, name: if input::one_in(4) { std::ptr::null() } else { c"late".as_ptr() } };
    let is_null = input::one_in(16);
    let place = if is_null { std::ptr::null_mut() } else { &raw mut region };
    let (pool, happened) = c_call(|| unsafe { rt_dma_pool_install(place) });
    assert!(pool.is_null() || is_free && !is_null, "a wrong region is installed: {start:#x} to {end:#x}");
    assert!(
        !happened.is_plain() || pool.is_null() != (is_free && !is_null),
        "a region is not installed: {start:#x} to {end:#x}"
    );
}

/// Makes the boot pools.
pub fn extract() {
    let total = PAGE * input::below(40) + input::one_of(&[0, 0, 0, 1]);
    let coherent = PAGE * input::below(20) + input::one_of(&[0, 0, 0, 100]);
    let size = || all().iter().map(|pool| pool.pages).sum::<usize>();
    let (before, size_before) = (all().len(), size());
    // An incomplete page, where the rest of a region begins after a pool, counts as bytes of the region
    // (`unused_part`).
    // SAFETY: the public part of a pool is never freed.
    let ends_in_a_page = |pool: &Pool| unsafe { &*pool.public }.region_end.load(Relaxed) % PAGE != 0;
    let least = total / PAGE - usize::from(total >= PAGE && all().iter().any(ends_in_a_page));
    let mut list = firmware::boot_regions();
    let (result, _) = c_call(|| unsafe {
        match revision() {
            1 => {
                let start = if input::one_in(8) { std::ptr::null_mut() } else { list.as_mut_ptr() };
                rt_dma_pool_extract(start as usize, list.len(), total, coherent)
            }
            _ => rt_dma_pool_extract(total, coherent, 0, 0),
        }
    });
    let made = all().len() - before;
    assert!(result == OK || made == 0 || machine::in_interrupt(), "a failed extract leaves a pool");
    assert!(result != OK || (1..=2).contains(&made), "an extract makes {made} pools");
    let pages = size() - size_before;
    let is_right = (least..=total / PAGE).contains(&pages);
    assert!(result != OK || is_right, "an extract of {total} bytes takes {pages} pages");
}

/// Uninstalls a pool, or an address that is none.
pub fn uninstall() {
    let choice = input::below(16);
    let Some(pool) = all().into_iter().nth(choice) else {
        let address = input::one_of(&[0, 8, 0x5555]);
        let (result, _) = c_call(|| unsafe { rt_dma_pool_uninstall(address as *mut rt_dma_pool) });
        assert!(result == INVAL || machine::is_atomic() && result == BUSY, "a pool is uninstalled that is none");
        return;
    };
    let (first, is_in_use) = (page_of(pool.start).expect("RAM"), (0..pool.pages).any(|page| pool.is_used(page)));
    // A page that no driver has may have been in use before: by a bounce buffer that an interrupt left, which the call
    // frees.
    let is_a_drivers = world(|world| world.has_memory_in(first..first + pool.pages));
    // The library writes back what it can reach: a pool that it never mapped may have dirty lines of the boot code.
    let was_cached = memory::v2p(memory::linear(pool.start)).is_some();
    crate::log!("uninstall the pool of {} pages at {:#x}", pool.pages, pool.start);
    let (result, happened) = c_call(|| unsafe { rt_dma_pool_uninstall(pool.public) });
    if result != OK {
        assert!(result == BUSY, "a pool that is installed is not found");
        let may_stay = is_in_use || firmware::is_named(pool.start) || !happened.is_plain();
        assert!(may_stay, "a pool without a buffer stays");
        return;
    }
    assert!(!machine::is_atomic(), "a pool is uninstalled where sleeping is not allowed");
    world(|world| world.early_pools = 0);
    if happened.was_interrupted {
        return;
    }
    assert!(!is_a_drivers, "a pool with a driver's memory is uninstalled");
    assert!(all().iter().all(|known| known.public != pool.public), "a pool stays in the list");
    let is_mapped = memory::with(|memory| (first..first + pool.pages).any(|page| memory.is_mapped(page)));
    assert!(!is_mapped, "the memory of a pool that is gone is mapped");
    if was_cached {
        memory::with(|memory| memory.assert_clean(pool.start, pool.pages * PAGE));
    }
    let (again, _) = c_call(|| unsafe { rt_dma_pool_uninstall(pool.public) });
    assert!(again == INVAL, "a pool is uninstalled twice");
}

/// Looks at the pools, or changes what C may change.
pub fn look() {
    let pools = all();
    match input::below(8) {
        0 => drop(c_call(|| unsafe { list(list_dma_pool, &[]) })),
        1 if !machine::is_atomic() => drop(c_call(|| unsafe { list(rt_dma_list_pools, &[c"-v", c"-m"]) })),
        2 if !machine::is_atomic() => drop(c_call(|| unsafe { list(list_dma_pool, &[c"-m", c"-x"]) })),
        3 | 4 => {
            let Some(pool) = pools.get(input::below(8)) else { return };
            // SAFETY: the public part of a pool is never freed.
            let public = unsafe { &*pool.public };
            let flag = input::one_of(&[NOCACHE, NOMAP, DEVICE, NOCACHE]);
            public.flags.store(pool.flags ^ flag, Relaxed);
            if flag == DEVICE {
                public.dev.store(Device::any().pointer(), Relaxed);
            }
        }
        5 => drop(c_call(|| unsafe {
            rt_dma_ofw_device_map_ops(if machine::is_atomic() { std::ptr::null_mut() } else { Device::any().pointer() })
        })),
        6 => drop(c_call(|| rt_dma_reserved_memory_install())),
        _ => (0..pools.len()).for_each(assert_usage),
    }
}

unsafe fn list(command: unsafe extern "C" fn(i32, *mut *mut c_char) -> i32, options: &[&std::ffi::CStr]) -> i32 {
    if machine::is_atomic() {
        return 0;
    }
    let mut arguments: Vec<_> = [c"list"].iter().chain(options).map(|text| text.as_ptr().cast_mut()).collect();
    // SAFETY: the arguments are C strings.
    unsafe { command(arguments.len() as i32, arguments.as_mut_ptr()) }
}

/// Checks the numbers of a pool against its map.
fn assert_usage(index: usize) {
    let pool = &all()[index];
    const SIZE: usize = size_of::<rt_dma_pool_usage>();
    let mut words = [SIZE + 8, 0, 0, 0, 0, 0, 0, 0, 77];
    let (result, happened) = c_call(|| unsafe { rt_dma_pool_statistics(pool.public, words.as_mut_ptr().cast()) });
    let [_, total, used, peak, longest, buffers, _, _, unknown] = words;
    assert!(result == OK && total == pool.pages * PAGE && unknown == 0, "the statistics are refused");
    if happened.was_interrupted {
        return;
    }
    let used_pages = (0..pool.pages).filter(|page| pool.is_used(*page)).count();
    let (mut run, mut longest_run) = (0, 0);
    for page in 0..pool.pages {
        run = if pool.is_used(page) { 0 } else { run + 1 };
        longest_run = longest_run.max(run);
    }
    assert!(used == used_pages * PAGE && peak >= used, "{used} bytes are used, of {used_pages} pages");
    assert!(longest == longest_run * PAGE, "the longest run is {longest_run} pages, not {longest} bytes");
    // An uninstall that this interrupt came into has taken all pages, and they belong to no buffer.
    let has_begun_uninstall = machine::in_interrupt() && used == total && buffers == 0;
    let are_in_buffers = (buffers == 0) == (used == 0) && buffers <= used_pages;
    assert!(are_in_buffers || has_begun_uninstall, "{buffers} buffers in {used_pages} pages");
}

/// Asks for a device's own region, or ends its right to it.
pub fn own_region() {
    let device = Device::any();
    match input::below(3) {
        0 => c_call(|| unsafe { rt_dma_own_region_release(device.pointer()) }).0,
        _ => {
            let index = input::below(4);
            c_call(|| unsafe { rt_dma_own_region_init(device.pointer(), std::ptr::null(), index) });
        }
    }
}

/// Checks that no page is in use.
pub fn assert_all_free() {
    for (index, pool) in all().iter().enumerate() {
        let used: Vec<_> =
            (0..pool.pages).filter(|page| pool.is_used(*page)).map(|page| pool.start + page * PAGE).collect();
        assert!(used.is_empty(), "pages are lost: {used:x?}");
        assert_usage(index);
    }
}

/// Checks that only views of pools are mapped, each once, in addition to the kernel's own areas.
pub fn assert_mappings_are_views() {
    let pools = all();
    let mut mappings = memory::with(|memory| memory.mappings());
    mappings.retain(|(first, _)| *first >= memory::KERNEL_LOW);
    for (first, pages) in &mappings {
        let is_view = pools.iter().any(|pool| pool.start == pa_of(*first) && pool.pages == *pages);
        assert!(is_view, "{pages} pages at {:#x} are still mapped", pa_of(*first));
        let same = mappings.iter().filter(|mapping| **mapping == (*first, *pages)).count();
        assert!(same <= 3, "a pool has {same} views");
    }
}
