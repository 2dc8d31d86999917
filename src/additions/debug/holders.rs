//! Which devices hold memory of a pool: the lines of an uninstall that finds the pool in use.

use super::Watch;
use super::entry::DebugEntry;
use crate::kernel::{Kernel, Pa};
use crate::log::{Level, Line, Name};
use crate::text::{separate_cstr, text};

/// The most things for which lines are logged.
const MAX_LOGGED: usize = 8;

impl<K: Kernel> Watch<K> {
    /// Writes a line for each of the first [`MAX_LOGGED`] things that devices hold in `size` bytes of physical memory
    /// from `start` on, and one with the number of all. Memory that the library itself holds is not listed: pages of
    /// block pools, and bounce buffers of devices whose handles are not physical addresses.
    ///
    /// Context: thread. Calls of drivers meanwhile may change what is listed.
    pub fn log_holders(&'static self, start: Pa, size: usize) {
        let kernel = self.kernel;
        let mut count = 0;
        for entry in self.entries().filter(|entry| self.pa_of(entry).wrapping_sub(start) < size) {
            count += 1;
            if count <= MAX_LOGGED {
                let (kind, address, caller) = (entry.kind.label(), entry.address(), entry.caller);
                let held = entry.size;
                let text = text!("holds a %s of the pool: 0x%lx, %lu bytes; caller 0x%lx", kind, address, held, caller);
                let line = Line::about(self.names.get(entry.name_index), text);
                kernel.log(Level::Error, &Line { device: entry.device.address(), ..line });
            }
        }
        let text =
            text!("the pool at 0x%lx is in use: devices hold %lu buffers, blocks and mappings of it", start, count);
        kernel.log(Level::Error, &Line::about(Name::of(separate_cstr!("dma-pool")), text));
    }

    /// Returns the physical address of what a device holds. Of a mapping, it is that of the bounce buffer, if the
    /// mapping has one and the handle is a physical address.
    fn pa_of(&self, entry: &DebugEntry) -> Pa {
        match entry.mapping() {
            Some(mapping) if mapping.is_handle_pa => entry.handle,
            Some(mapping) => mapping.pa,
            None if entry.is_unmapped_buffer() => entry.va,
            None => self.kernel.v2p(entry.va).unwrap_or(0),
        }
    }
}
