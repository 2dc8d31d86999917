//! What the shell prints: `list_dma_debug`.

use super::entry::{DebugEntry, Kind, direction_label};
use super::table::TableUsage;
use super::{Finding, Watch};
use crate::kernel::{Device, Kernel};
use crate::text::text;

impl<K: Kernel> Watch<K> {
    /// Prints how often each mistake was made, and what devices hold: all devices, or one. `now` is the time in
    /// milliseconds.
    ///
    /// Context: thread. Calls of drivers meanwhile may change what is listed.
    pub fn list(&'static self, device: Option<Device>, now: usize) {
        self.write_lines();
        let kernel = self.kernel;
        let mut all = 0;
        for finding in Finding::ALL.iter().filter(|finding| finding.is_mistake()) {
            let times = self.times(device, *finding);
            if times != 0 {
                kernel.print(text!("%-40s %lu\n", finding.label(), times));
            }
            all += times;
        }
        kernel.print(text!("%lu mistakes found\n", all));
        self.list_held(device, now);
    }

    /// Prints what devices hold: all devices, or one. `now` is the time in milliseconds.
    ///
    /// Context: thread.
    pub fn list_held(&'static self, device: Option<Device>, now: usize) {
        let kernel = self.kernel;
        kernel
            .print(text!("Device          Kind            Address            Bytes     Caller             Age (ms)\n"));
        let mut count = 0;
        for entry in self.entries().filter(|entry| device.is_none_or(|device| entry.device == device)) {
            self.print_entry(&entry, now);
            count += 1;
        }
        kernel.print(match device {
            Some(_) => text!("%lu held by the device\n", count),
            None => text!("%lu held by devices\n", count),
        });
        let TableUsage { live, peak, room, unrecorded } = self.state.lock(kernel).table.usage();
        kernel.print(text!("%lu of %lu entries in use, %lu at most, %lu not recorded\n", live, room, peak, unrecorded));
    }

    /// Returns the live entries of the table. The lock is taken for each of them, and not held in between.
    pub(super) fn entries(&self) -> impl Iterator<Item = DebugEntry> {
        (0..).map_while(|index| self.state.lock(self.kernel).table.at(index).copied())
    }

    /// Prints one line of the list of what devices hold.
    fn print_entry(&'static self, entry: &DebugEntry, now: usize) {
        let (kernel, name, kind) = (self.kernel, self.names.shown(entry.name_index), entry.kind.label());
        let (address, caller, age) = (entry.address(), entry.caller, now.wrapping_sub(entry.made_at_ms));
        kernel.print(text!("%-15s %-15s 0x%-16lx %-9lu 0x%-16lx %lu", name, kind, address, entry.size, caller, age));
        if let Kind::Mapping(mapping) = entry.kind {
            kernel.print(text!(" %s", direction_label(mapping.direction)));
        }
        kernel.print(text!("\n"));
    }
}
