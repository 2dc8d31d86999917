//! Giving the processor an address for pages that were just allocated, and removing a buffer's own mapping.

use core::num::NonZeroUsize;

use super::Pool;
use super::checked_mapping::map_checked;
use super::own_mappings::{BufferPages, OwnMapping};
use crate::dropin::page_map::CacheState;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Kernel, MemoryType, PAGE_SHIFT, PAGE_SIZE, Va};
use crate::mem::atomics::Ordering::Relaxed;

/// Pages with an address.
struct MappedPages {
    /// The address for the processor; the physical address if the pages get no mapping.
    va: NonZeroUsize,
    /// The new cache state of the pages.
    cache: CacheState,
}

/// Returns the memory type of a request with `flags`, which contain neither `NOMAP` nor `WRITE_THROUGH`, and the cache
/// state of pages that were last handed out with this type.
pub(super) fn usual_memory(flags: Flags) -> (MemoryType, CacheState) {
    let memory = if flags.contains(Flags::NOCACHE) { MemoryType::Uncached } else { MemoryType::Cached };
    (memory, state_in_view(memory))
}

/// Returns the cache state of pages that were last handed out through the view of this memory type.
fn state_in_view(memory: MemoryType) -> CacheState {
    if memory == MemoryType::Cached { CacheState::Dirty } else { CacheState::Clean }
}

/// Returns the memory type of a request with `flags`; `None` with `NOMAP`: the processor gets no mapping.
fn memory_type(flags: Flags) -> Option<MemoryType> {
    if flags.contains(Flags::NOMAP) {
        None
    } else if flags.contains(Flags::NOCACHE) {
        Some(MemoryType::Uncached)
    } else if flags.contains(Flags::WRITE_THROUGH) {
        Some(MemoryType::WriteThrough)
    } else {
        Some(MemoryType::Cached)
    }
}

impl<K: Kernel> Pool<K> {
    /// Returns the address through which the processor accesses the `page_count` pages from `page` on, which the caller
    /// has just allocated. If they cannot be mapped, returns `None` and frees them.
    ///
    /// Context: any if the view is mapped already, otherwise thread.
    #[inline(always)] // Without it, an allocation that the tree of free runs serves takes 15 to 18 instructions more.
    pub fn map_buffer(&self, page: usize, page_count: usize, flags: Flags) -> Option<NonZeroUsize> {
        if !flags.intersects(Flags::NOMAP.union(Flags::WRITE_THROUGH)) {
            let (memory, cache) = usual_memory(flags);
            // The usual case: the view is mapped, and the cache has no dirty lines of another memory type.
            if let Some(base) = self.view(memory).base()
                && !self.cache_states.differ(page, page_count, cache)
            {
                return NonZeroUsize::new(base + (page << PAGE_SHIFT));
            }
        }
        self.map_buffer_slow(page, page_count, flags)
    }

    /// Returns the address of pages that were just allocated, as [`map_buffer`](Self::map_buffer) does, in every case:
    /// maps them if necessary, removes lines of another memory type from the cache, and sets the cache state of the
    /// pages.
    fn map_buffer_slow(&self, page: usize, page_count: usize, flags: Flags) -> Option<NonZeroUsize> {
        let memory = memory_type(flags);
        let mapped = match memory {
            Some(memory) => self.map_pages(page, page_count, memory),
            None => self.leave_unmapped(page),
        };
        let Some(MappedPages { va, cache }) = mapped else {
            // The caller has just allocated the pages, so this succeeds.
            let _ = self.free_pages(page, page_count);
            return None;
        };
        // If pages will not be cached, the cache must keep no line from the time when they were. Their new cache
        // state does not decide this: it is `Dirty` also for pages without a mapping, and for some with an own mapping
        // (see `own_mapping_state`).
        if memory != Some(MemoryType::Cached) && self.cache_states.differ(page, page_count, CacheState::Clean) {
            // A buffer without a mapping has a physical address only: no line can be removed through it.
            let mapped_at = memory.is_some().then_some(va.get());
            self.flush_and_invalidate_pages(page, page_count, mapped_at);
        }
        if self.cache_states.differ(page, page_count, cache) {
            // Other callers change neighbouring bits of the same words. They hold the lock, too.
            let _held = self.lock();
            self.cache_states.set(page, page_count, cache);
        }
        Some(va)
    }

    /// Returns the physical address of pages that get no mapping, and their cache state. Notes that the pool has such a
    /// buffer.
    fn leave_unmapped(&self, page: usize) -> Option<MappedPages> {
        self.had_buffer_without_mapping.store(true, Relaxed);
        NonZeroUsize::new(self.pa_of(page)).map(|pa| MappedPages { va: pa, cache: CacheState::Dirty })
    }

    /// Writes dirty lines of the pages to memory and removes all lines, through the cached view if it is mapped,
    /// because the lines were written through it, or else through the buffer's address `va`, if it has one. Cache
    /// maintenance works on the physical address, whatever the memory type of the mapping is (Arm ARM DDI 0487,
    /// D7.5.9).
    ///
    /// A plain flush may leave the lines, clean, and an uncached access may then read an old byte from a line in place
    /// of what the device has written (Arm ARM DDI 0406, "Mismatched memory attributes"; RISC-V privileged manual,
    /// "Svpbmt"). Linux removes the lines, too, on 32-bit Arm (`__dma_clear_buffer`) and on RISC-V
    /// (`arch_dma_prep_coherent`). Lines that a write-through view left are clean, and stay: their pages count as
    /// clean.
    fn flush_and_invalidate_pages(&self, page: usize, page_count: usize, va: Option<Va>) {
        let in_cached_view = self.view(MemoryType::Cached).base().map(|base| base + (page << PAGE_SHIFT));
        if let Some(through) = in_cached_view.or(va) {
            // One page per call, because the kernel may mask interrupts during a call.
            for offset in (0..page_count << PAGE_SHIFT).step_by(PAGE_SIZE) {
                self.kernel.cache_flush_and_invalidate(through + offset, PAGE_SIZE);
            }
        }
    }

    /// Returns the cache state of pages with an own mapping of this memory type.
    ///
    /// Write-through pages have no dirty lines, so in a view they are clean. Their address shows that they lie in the
    /// write-through view, and so that the cache may hold lines of them. The address of an own mapping does not show
    /// its memory type: only the cache state does. It is therefore `Dirty` if the cache may hold lines of the pages.
    fn own_mapping_state(&self, memory: MemoryType) -> CacheState {
        match memory {
            MemoryType::Cached => CacheState::Dirty,
            MemoryType::WriteThrough if self.kernel.caches_write_through() => CacheState::Dirty,
            MemoryType::WriteThrough | MemoryType::Uncached => CacheState::Clean,
        }
    }

    /// Returns the address of the buffer of `page_count` pages at `page` in the view, which is mapped if it is not yet,
    /// and the cache state of the pages. If the view cannot be mapped, makes an own mapping of the buffer. Without page
    /// tables there is no memory but cached.
    fn map_pages(&self, page: usize, page_count: usize, memory: MemoryType) -> Option<MappedPages> {
        let base = match self.view(memory).base() {
            Some(base) => Some(base),
            None if memory != MemoryType::Cached && !self.kernel.has_page_tables() => return None,
            None => self.make_view(memory),
        };
        match base {
            Some(base) => {
                let va = NonZeroUsize::new(base + (page << PAGE_SHIFT))?;
                Some(MappedPages { va, cache: state_in_view(memory) })
            }
            None => self.make_own_mapping(page, page_count, memory),
        }
    }

    /// Makes an own mapping of the buffer of `page_count` pages at `page`, and returns its address and the cache state
    /// of the pages.
    fn make_own_mapping(&self, page: usize, page_count: usize, memory: MemoryType) -> Option<MappedPages> {
        let kernel = self.kernel;
        let cache = self.own_mapping_state(memory);
        let record = self.own_mappings.reserve(kernel, BufferPages { first_page: page, page_count }, cache)?;
        let Some(va) = map_checked(kernel, self.pa_of(page), page_count << PAGE_SHIFT, memory) else {
            self.own_mappings.release(record);
            return None;
        };
        record.set_address(va);
        Some(MappedPages { va, cache })
    }

    /// Removes the own mapping of the buffer of `page_count` pages at `page`, which is mapped at `va`.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// The errors of [`OwnMappings::claim`](super::own_mappings::OwnMappings::claim).
    pub fn remove_own_mapping(
        &self,
        mapping: &OwnMapping,
        va: Va,
        page: usize,
        page_count: usize,
    ) -> Result<(), Error> {
        self.own_mappings.claim(self.kernel, mapping, va, BufferPages { first_page: page, page_count })?;
        // Dirty lines are written to memory now. If the next buffer in these pages has no mapping, there is no address
        // through which they could be flushed then.
        self.kernel.cache_flush(va, page_count << PAGE_SHIFT);
        // SAFETY: `claim` succeeds for one call only, so no other call unmaps `va`, which `map` returned.
        #[allow(unsafe_code)]
        unsafe {
            self.kernel.unmap(va)
        }
        self.own_mappings.release(mapping);
        Ok(())
    }

    /// Returns whether any buffer has its own mapping.
    pub fn has_any_own_mapping(&self) -> bool {
        self.own_mappings.count() != 0
    }
}
