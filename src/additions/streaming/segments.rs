//! Scatter lists: several buffers, mapped as one.

use super::errors::{MapError, report};
use super::{AtUnmap, Direction, MAPPING_ERROR, Master, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::{Kernel, Va};

/// One buffer of a scatter list.
pub trait Segment {
    /// The driver's address.
    fn va(&self) -> Va;
    /// Bytes.
    fn size(&self) -> usize;
    /// What it was mapped as.
    fn handle(&self) -> usize;
    /// Says what it is mapped as.
    fn set_handle(&mut self, handle: usize);
}

impl<K: Kernel> Streaming<K> {
    /// Makes every buffer of the list the device's, or none. Any context.
    pub fn map_list<S: Segment>(
        &self,
        dma: &Dma<K>,
        master: &Master,
        list: &mut [S],
        direction: Direction,
    ) -> Result<(), MapError> {
        if list.is_empty() {
            report(dma, master, MapError::Invalid, 0, 0);
            return Err(MapError::Invalid);
        }
        let mut done = 0;
        let result = list.iter_mut().try_for_each(|segment| {
            segment.set_handle(self.map(dma, master, segment.va(), segment.size(), direction)?);
            done += 1;
            Ok(())
        });
        if result.is_err() {
            for segment in list.iter_mut().take(done) {
                // It was mapped just now, so it can be unmapped.
                let _ = self.unmap(dma, master, segment.handle(), segment.size(), direction);
            }
            list.iter_mut().for_each(|segment| segment.set_handle(MAPPING_ERROR));
        }
        result
    }

    /// Makes every buffer of a list the processor's again: see [`Streaming::unmap_with`]. What is wrong with one is logged,
    /// and does not stop the others. Any context.
    pub fn unmap_list<S: Segment>(
        &self,
        dma: &Dma<K>,
        master: &Master,
        list: &[S],
        direction: Direction,
        how: AtUnmap,
    ) {
        for segment in list {
            // A refused call is logged where it is refused.
            let _ = self.unmap_with(dma, master, segment.handle(), segment.size(), direction, how);
        }
    }

    /// Makes every buffer of a list the processor's for a time: see [`Streaming::sync_for_cpu`]. Any context.
    pub fn sync_list_for_cpu<S: Segment>(&self, dma: &Dma<K>, master: &Master, list: &[S], direction: Direction) {
        for segment in list {
            let _ = self.sync_for_cpu(dma, master, segment.handle(), segment.size(), direction);
        }
    }

    /// Makes every buffer of a list the device's again. Any context.
    pub fn sync_list_for_device<S: Segment>(&self, dma: &Dma<K>, master: &Master, list: &[S], direction: Direction) {
        for segment in list {
            let _ = self.sync_for_device(dma, master, segment.handle(), segment.size(), direction);
        }
    }
}
