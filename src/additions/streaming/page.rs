//! Mapping a part of a page, which the caller knows by its physical address.

use super::errors::report_map;
use super::{Buffer, BusMaster, Direction, MapError, Streaming, last_byte};
use crate::kernel::{Handle, Kernel, Pa, Va};

impl<K: Kernel> Streaming<'_, K> {
    /// Maps the `size` bytes from `page_pa + offset` on, and returns the handle: by their linear address, or, where a
    /// pool contains them, by the address at which they were allocated. They may end in a later page.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// As [`map`](Streaming::map).
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map_page(
        self,
        master: &BusMaster,
        page_pa: Pa,
        offset: usize,
        size: usize,
        direction: Direction,
    ) -> Result<Handle, MapError> {
        let va = self
            .va_in_page(page_pa, offset, size)
            .inspect_err(|error| report_map(self.dma, master, *error, page_pa.wrapping_add(offset), size))?;
        // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
        unsafe { self.map(master, &Buffer::new(va, size, direction)) }
    }

    /// Returns the processor's address of the `size` bytes at `offset` of the page at `page_pa`: in a pool that
    /// contains the first of them, the address that [`Pool::va_of`](crate::dropin::pool::Pool::va_of) returns, and
    /// otherwise its linear address.
    fn va_in_page(self, page_pa: Pa, offset: usize, size: usize) -> Result<Va, MapError> {
        let pa = page_pa.checked_add(offset).ok_or(MapError::Invalid)?;
        let va = match self.dma.pool_touching(pa, pa.saturating_add(1)) {
            Some(pool) => pool.va_of(pa).ok_or(MapError::NotMapped)?,
            None => self.dma.kernel.linear(pa),
        };
        // The linear address is only computed: the page tables decide whether these bytes are mapped there. The
        // addresses after a view, or after a buffer's own mapping, do not lead to these bytes either. `map` refuses a
        // buffer without a last byte.
        let last = last_byte(va, size).unwrap_or(va);
        if self.lies_at(va, last, pa) { Ok(va) } else { Err(MapError::NotMapped) }
    }
}
