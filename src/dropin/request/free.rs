//! Freeing buffers.

use super::whole_pages;
use crate::dropin::map_ops::MapOps;
use crate::dropin::page_map::is_across;
use crate::dropin::pool::own_mappings::OwnMapping;
use crate::dropin::pool::{Pool, Unserved};
use crate::dropin::registry::Dma;
use crate::dropin::translate::Bus;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Va};

/// A buffer that was found by its address.
struct FoundBuffer<K: Kernel> {
    pool: &'static Pool<K>,
    /// The first page.
    page: usize,
    /// Its own mapping, if it is not seen through a view.
    mapping: Option<&'static OwnMapping>,
}

impl<K: Kernel> Dma<K> {
    /// Frees a buffer for a caller within the library: a managed buffer, lent memory, or a bounce buffer. (C's calls
    /// enter at [`free_fast`](Self::free_fast) or [`free_general`](Self::free_general).)
    ///
    /// The buffer has `size` bytes, and its address is `va`. `handle` must be the handle of the buffer under `ops`, or
    /// its physical address, or zero if the caller did not ask for the handle when it allocated the buffer.
    ///
    /// `flags` are those of the call. The same number may be an address in a view of one pool and the physical address
    /// of unmapped memory of another. With [`Flags::NOMAP`], the physical address is searched first, otherwise the
    /// view.
    ///
    /// Context: any; thread for a buffer with its own mapping.
    ///
    /// # Errors
    /// The reason why the call is refused. The call is then counted and logged, and changes nothing. Of the functions
    /// here, only this one refuses a size or an address of zero: C's `rt_dma_free`, which calls the others, promises to
    /// do nothing then.
    pub fn free(
        &self,
        device: Device,
        size: usize,
        va: Va,
        handle: Handle,
        flags: Flags,
        ops: MapOps,
    ) -> Result<(), Error> {
        let refuse = |error| {
            self.refuse_free(error, None, size, va, handle);
            Err(error)
        };
        if va == 0 {
            return refuse(Error::NoBuffer);
        }
        if size == 0 {
            return refuse(Error::WrongSize);
        }
        if ops.are_translated() {
            self.free_general(device, size, va, handle, flags, ops)
        } else {
            self.free_fast(device, size, va, handle, flags)
        }
    }

    /// Frees the last allocation from the open run of the pool that has `va` in a view, for a device whose handles are
    /// physical addresses. If that fails, the next function in the order of the [paths](super) continues. Neither
    /// `size` nor `va` is zero.
    ///
    /// Context: as [`free`](Self::free).
    // `rt_dma_free` needs no stack frame, because this function is inlined and its loop is written out (`find_map`
    // would take 34 instructions more on aarch64). The arguments have the order of C's, and so the registers in which
    // `rt_dma_free` gets them. `free_general` has `ops` after them.
    #[inline(always)]
    pub fn free_fast(&self, device: Device, size: usize, va: Va, handle: Handle, flags: Flags) -> Result<(), Error> {
        if !flags.contains(Flags::NOMAP) && va.is_multiple_of(PAGE_SIZE) {
            for pool in self.pools() {
                let Some(page) = pool.buffer_in_view_fast(va) else { continue };
                if handle != 0 && handle != pool.pa_of(page) {
                    // The general path refuses the call, and logs it.
                    break;
                }
                let pages = whole_pages(size);
                if is_across(page, pages) {
                    return self.free_across(size, va, handle, pool, page);
                }
                // `or_else` would pass `unserved` in memory: 23 instructions more on the host.
                return match pool.free_last_in_word(page, pages) {
                    Ok(()) => Ok(()),
                    Err(unserved) => self.free_locked(size, va, handle, pool, page, unserved),
                };
            }
        }
        self.free_general(device, size, va, handle, flags, MapOps::UNTRANSLATED)
    }

    /// Frees a found buffer whose pages are [across](is_across) several words. (Without this function, a free of 1 MiB
    /// would take 217 instructions more on aarch64.)
    ///
    /// Context: any.
    fn free_across(&self, size: usize, va: Va, handle: Handle, pool: &Pool<K>, page: usize) -> Result<(), Error> {
        match pool.free_last_across(page, whole_pages(size)) {
            Ok(()) => Ok(()),
            Err(unserved) => self.free_locked(size, va, handle, pool, page, unserved),
        }
    }

    /// Frees a found buffer with the lock of its pool. Takes the lock first, if the fast path did not get it.
    ///
    /// Context: any.
    fn free_locked<'a>(
        &self,
        size: usize,
        va: Va,
        handle: Handle,
        pool: &'a Pool<K>,
        page: usize,
        unserved: Unserved<'a, K>,
    ) -> Result<(), Error> {
        let map = match unserved {
            Unserved::Locked(map) => map,
            // The fast path only missed the lock: in contrast to an allocation, the pool is known.
            Unserved::NotLocked => pool.lock(),
        };
        let result = pool.free_pages_locked(map, page, whole_pages(size));
        if let Err(error) = result {
            self.refuse_free(error, Some(pool), size, va, handle);
        }
        result
    }

    /// Frees as [`free`](Self::free) does, for a device with any operations. Neither `size` nor `va` is zero: the
    /// record of a buffer that was freed contains the address zero, so a search for zero could find it.
    ///
    /// Context: as [`free`](Self::free).
    pub fn free_general(
        &self,
        device: Device,
        size: usize,
        va: Va,
        handle: Handle,
        flags: Flags,
        ops: MapOps,
    ) -> Result<(), Error> {
        let Some(found) = self.find(va, flags) else {
            self.refuse_free(Error::NoBuffer, None, size, va, handle);
            return Err(Error::NoBuffer);
        };
        self.free_found(&found, self.bus(ops, device), size, va, handle)
            .inspect_err(|error| self.refuse_free(*error, Some(found.pool), size, va, handle))
    }

    /// Checks the handle and the size of a found buffer, unmaps it if it has its own mapping, and frees its pages.
    ///
    /// Any device may free by the physical address: in the C original, the translation of a handle leaves an address
    /// unchanged that no range covers.
    ///
    /// Context: as [`free`](Self::free).
    fn free_found(
        &self,
        found: &FoundBuffer<K>,
        bus: Bus<K>,
        size: usize,
        va: Va,
        handle: Handle,
    ) -> Result<(), Error> {
        let FoundBuffer { pool, page, mapping } = *found;
        let pa = pool.pa_of(page);
        if handle != 0 && handle != pa && !bus.is_handle_of(pa, handle) {
            return Err(Error::WrongHandle);
        }
        let pages = whole_pages(size);
        if let Some(mapping) = mapping {
            pool.remove_own_mapping(mapping, va, page, pages)?;
        }
        pool.free_pages(page, pages)
    }

    /// Finds a buffer that may have been handed out at `va`.
    ///
    /// Context: any.
    fn find(&self, va: Va, flags: Flags) -> Option<FoundBuffer<K>> {
        if flags.contains(Flags::NOMAP)
            && let Some(found) = self.find_by(|pool| pool.buffer_without_mapping(va))
        {
            return Some(found);
        }
        // The views first, so that buffers in views do not pay for those with own mappings.
        self.find_by(|pool| pool.buffer_in_view(va))
            .or_else(|| self.find_own_mapping(va))
            .or_else(|| self.find_by(|pool| pool.buffer_without_mapping(va)))
    }

    /// Finds a buffer without an own mapping, by what `page_in` returns for its pool: its first page.
    fn find_by(&self, page_in: impl Fn(&Pool<K>) -> Option<usize>) -> Option<FoundBuffer<K>> {
        self.pools().find_map(|pool| Some(FoundBuffer { pool, page: page_in(pool)?, mapping: None }))
    }

    /// Finds a buffer with an own mapping, by the address of its mapping.
    fn find_own_mapping(&self, va: Va) -> Option<FoundBuffer<K>> {
        self.pools().find_map(|pool| {
            let (page, mapping) = pool.own_mappings.find(va)?;
            Some(FoundBuffer { pool, page, mapping: Some(mapping) })
        })
    }
}
