//! Mapping a whole pool: linearly when it is installed, and as a view when a call first needs the view.
//!
//! A call holds no turn while it maps a pool. If the kernel has no room for a mapping, it writes a line to the console
//! itself (RT-Thread's `_insert_new_varea` and `_ioremap_type`), and the console's driver may then install a pool, or
//! need the same view. One call at a time maps a pool. The others wait for a limited time.

use super::Pool;
use super::checked_mapping::{is_mapped_to, is_unmapped, map_checked};
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, Va};
use crate::mem::atomics::Ordering::Relaxed;
use crate::mem::turn::SleepLockGuard;

/// The most ticks that a call waits while another call maps the pool.
const MAPPING_TICKS: usize = 100;

impl<K: Kernel> Pool<K> {
    /// Takes the lock `making_view`, so that no other call maps the pool. Returns `None` if another call holds it for
    /// more than [`MAPPING_TICKS`] ticks.
    ///
    /// Context: thread.
    fn begin_mapping(&self) -> Option<SleepLockGuard<'_>> {
        let mut ticks = MAPPING_TICKS;
        loop {
            if let Some(guard) = self.making_view.try_lock() {
                return Some(guard);
            }
            ticks = ticks.checked_sub(1)?;
            self.kernel.pause();
        }
    }

    /// Maps a pool that was just added to the list, as far as that is possible now.
    ///
    /// Context: thread.
    pub(crate) fn map_at_install(&self) {
        // If another call maps the pool for longer, the first cached buffer tries again, except in a large pool on r1.
        if let Some(_mapping) = self.begin_mapping() {
            self.use_linear_map();
        }
        if self.kernel.maps_at_install() && self.kernel.has_page_tables() && !self.is_no_map() {
            // If that fails, the first uncached buffer causes the next try.
            let _ = self.make_view(MemoryType::Uncached);
        }
    }

    /// Returns the address of the view of this memory type, and maps it if it is not mapped. Returns `None` if that is
    /// not possible now, or if the pool is larger than the limit for views, and not mapped linearly; the caller then
    /// makes an own mapping of its buffer.
    ///
    /// Context: any. A caller that may not sleep gets `None`.
    pub(super) fn make_view(&self, memory: MemoryType) -> Option<Va> {
        let (view, kernel) = (self.view(memory), self.kernel);
        if !kernel.can_sleep() {
            return None;
        }
        let is_within_limit = self.size() <= kernel.view_limit();
        let may_be_linear = memory == MemoryType::Cached && self.may_retry_linear_map();
        if !is_within_limit && !may_be_linear {
            return None;
        }
        let _mapping = self.begin_mapping()?;
        if may_be_linear {
            self.use_linear_map();
        }
        // Another thread may have mapped the view while this one waited.
        if is_within_limit
            && view.base().is_none()
            && let Some(base) = map_checked(kernel, self.start, self.size(), memory)
        {
            view.put(base.get());
        }
        view.base()
    }

    /// Returns whether the linear map, which may have failed when the pool was installed, is tried again:
    ///
    /// - A pool within the view limit: yes, before it is mapped in the ioremap window.
    /// - A larger pool whose linear map the library makes (r2): yes. It takes no addresses of the ioremap window, so
    ///   the limit does not apply to it.
    /// - A larger pool whose linear map boot code makes (r1): no. Memory that boot code left out stays out, and each
    ///   cached buffer would look up every page of the pool.
    fn may_retry_linear_map(&self) -> bool {
        self.size() <= self.kernel.view_limit() || !self.kernel.sets_linear_always()
    }

    /// Makes the linear map the cached view and sets `LINEAR`, unless there is a cached view already or firmware
    /// forbids a linear map. If the pool is not mapped linearly, maps it first. Does nothing on failure. The caller
    /// holds `making_view`.
    ///
    /// Context: thread.
    fn use_linear_map(&self) {
        debug_assert!(self.kernel.can_sleep(), "a pool is mapped where sleeping is allowed");
        let (kernel, start, size) = (self.kernel, self.start, self.size());
        let (view, base) = (self.view(MemoryType::Cached), kernel.linear(start));
        // The linear map of a pool at the start or the end of the address space is not used: it would contain the null
        // pointer, or would not fit.
        let fits = base != 0 && base.checked_add(size - 1).is_some();
        if self.is_no_map() || !fits || view.base().is_some() {
            return;
        }
        if is_unmapped(kernel, base, size) {
            // SAFETY: nothing is mapped at these addresses, and the pool owns the memory.
            #[allow(unsafe_code)]
            unsafe {
                kernel.map_linear(base, start, size)
            }
            // The library has mapped it, even if the check below finds that it leads to other memory.
            self.is_mapped_linearly.store(kernel.v2p(base).is_some(), Relaxed);
        }
        if is_mapped_to(kernel, base, size, start) {
            view.put(base);
            self.add_flags(Flags::LINEAR);
        }
    }
}
