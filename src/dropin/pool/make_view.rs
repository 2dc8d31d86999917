//! Mapping a pool: linearly when it is installed, and as a whole with one memory type when a view is first needed.
//!
//! None of this happens in a turn: if the kernel has no room for a mapping, it writes a line itself (RT-Thread's
//! `_insert_new_varea` and `_ioremap_type`), and the driver of the console may then install a pool, or need this very view. One
//! caller at a time maps a pool. Others wait for it, but not for ever.

use core::sync::atomic::AtomicBool;

use super::Pool;
use super::removal::State;
use crate::dropin::pool::view::{NOWHERE, leads_to, map_checked};
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, Va};
use crate::mem::atomics::Ordering::{Acquire, Relaxed, Release};

/// How many ticks a call waits for another call that maps the pool.
const PATIENCE: usize = 100;

/// The right to map a pool. Dropping it ends the right.
pub(super) struct Mapper<'a>(&'a AtomicBool);

impl Drop for Mapper<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}

impl<K: Kernel> Pool<K> {
    /// Waits for the right to map the pool; `None` if another call has it for long. Context: thread.
    pub(super) fn mapper(&self) -> Option<Mapper<'_>> {
        let mut patience = PATIENCE;
        while self.is_mapping.swap(true, Acquire) {
            patience = patience.checked_sub(1)?;
            self.kernel.pause();
        }
        Some(Mapper(&self.is_mapping))
    }

    /// Maps a pool that is in the list since a moment ago, and writes its boot line. Context: thread.
    #[inline(never)]
    pub(crate) fn finish_install(&self) {
        if let Some(_mapper) = self.mapper() {
            self.map_linear();
        }
        let region = self.region();
        self.kernel.log_reserved(region.start, region.name, region.end.wrapping_sub(region.start));
        // From now on it can be uninstalled.
        self.membership.set(State::Installed);
    }

    /// Where the view of this type begins; maps it if there is none. `None` if it cannot be had now: then the next call tries
    /// again, unless the pool is larger than views may be. A caller that gets `None` maps its buffer by itself.
    ///
    /// Context: thread; elsewhere `None`.
    #[inline(always)]
    pub(super) fn make_view(&self, memory: MemoryType) -> Option<Va> {
        let (view, kernel) = (self.view(memory), self.kernel);
        if self.size() > kernel.view_limit() || !kernel.can_sleep() {
            return None;
        }
        let _mapper = self.mapper()?;
        if memory == MemoryType::Cached {
            // What failed when the pool was installed may work now.
            self.map_linear();
        }
        // Another thread may have made it while this one waited.
        if view.base().is_none()
            && let Some(base) = map_checked(kernel, self.start, self.size(), memory)
        {
            view.put(base.get());
        }
        view.base()
    }

    /// Makes the linear map the cached view, if there is no cached view and firmware does not forbid a linear map, and sets
    /// `LINEAR`. Maps the pool linearly first if it is not mapped at all. Does nothing on failure. The caller has the right
    /// to map the pool. Context: thread.
    #[inline(never)]
    fn map_linear(&self) {
        debug_assert!(self.kernel.can_sleep(), "a pool is mapped where sleeping is allowed");
        let (kernel, start, size) = (self.kernel, self.start, self.size());
        let (view, base) = (self.view(MemoryType::Cached), kernel.linear(start));
        // A view contains neither C's null pointer nor the end of the address space within a page.
        let is_whole = base != 0 && base.checked_add(size - 1).is_some();
        if self.no_map || !is_whole || view.base().is_some() {
            return;
        }
        if leads_to(kernel, base, size, NOWHERE) {
            // SAFETY: nothing is mapped there, and the pool owns the memory.
            #[allow(unsafe_code)]
            unsafe {
                kernel.map_linear(base, start, size)
            }
            // Also if the mapping leads elsewhere.
            self.is_mapped_linearly.store(kernel.v2p(base).is_some(), Relaxed);
        }
        if leads_to(kernel, base, size, start) {
            view.put(base);
            self.add_flags(Flags::LINEAR);
        }
    }
}
