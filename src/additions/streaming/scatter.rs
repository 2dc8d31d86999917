//! Scatter lists: several buffers that are mapped by one call.

use super::errors::{MapError, report_map};
use super::{Buffer, BusMaster, Direction, MAPPING_ERROR, MappedBuffer, Streaming};
use crate::kernel::{Handle, Kernel, Va};

/// One buffer of a scatter list.
pub trait Segment {
    /// Returns the driver's address.
    fn va(&self) -> Va;
    /// Returns the number of bytes.
    fn size(&self) -> usize;
    /// Returns the handle that [`set_handle`](Segment::set_handle) stored.
    fn handle(&self) -> Handle;
    /// Stores the handle of the mapping.
    fn set_handle(&mut self, handle: Handle);
}

impl<K: Kernel> Streaming<'_, K> {
    /// Makes every buffer of the list the device's, or none.
    ///
    /// Context: any.
    ///
    /// # Errors
    /// As [`Streaming::map`]; every handle is [`MAPPING_ERROR`] then. An empty list is [`MapError::Invalid`].
    ///
    /// # Safety
    /// See [the module](crate::additions::streaming).
    pub unsafe fn map_list<S: Segment>(
        self,
        master: &BusMaster,
        list: &mut [S],
        direction: Direction,
    ) -> Result<(), MapError> {
        if list.is_empty() {
            report_map(self.dma, master, MapError::Invalid, 0, 0);
            return Err(MapError::Invalid);
        }
        for (index, segment) in list.iter_mut().enumerate() {
            let buffer = Buffer::new(segment.va(), segment.size(), direction);
            // SAFETY: the caller hands over the buffer, as the module's `# Safety` states.
            match unsafe { self.map(master, &buffer) } {
                Ok(handle) => segment.set_handle(handle),
                Err(error) => {
                    // SAFETY: the buffers before this one were mapped just now.
                    unsafe { self.undo_map_list(master, list, index, direction) };
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Unmaps the first `mapped` buffers of a list of which the next one cannot be mapped, and sets every handle to
    /// [`MAPPING_ERROR`].
    ///
    /// Context: any.
    #[cold]
    unsafe fn undo_map_list<S: Segment>(self, master: &BusMaster, list: &mut [S], mapped: usize, direction: Direction) {
        for segment in list.iter().take(mapped) {
            let mapped = MappedBuffer::new(segment.handle(), segment.size(), direction);
            // It is mapped, so that the unmap succeeds.
            // SAFETY: the mapping is live.
            let _ = unsafe { self.unmap(master, &mapped) };
        }
        list.iter_mut().for_each(|segment| segment.set_handle(MAPPING_ERROR));
    }
}
