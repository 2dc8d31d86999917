//! Making records and pools ready for maps in an interrupt.

use super::bounce::Bounce;
use super::{MapError, Master, Streaming};
use crate::dropin::registry::Dma;
use crate::kernel::Kernel;

impl<K: Kernel> Streaming<K> {
    /// Makes sure that `count` mappings in an interrupt find a record, and that the pool that serves the device's bounce
    /// buffers is mapped. From then on, each call of a thread fills the stock up to `count` records.
    ///
    /// Context: thread.
    ///
    /// # Errors
    /// The heap has too little memory for the records, which changes nothing; or no pool has a bounce buffer within the
    /// device's reach, and the records are ready.
    pub fn fill(&self, dma: &Dma<K>, master: &Master, count: usize) -> Result<(), MapError> {
        self.tidy(dma);
        if !self.stock.fill(dma.kernel, count) {
            return Err(MapError::NoMemory);
        }
        if Bounce::prepare(dma, master) { Ok(()) } else { Err(MapError::NoBounce) }
    }
}
