//! The output of the shell command `list_dma_pool`: a table of the pools.

use crate::dropin::pool::Usage;
use crate::dropin::registry::Dma;
use crate::flags::Flags;
use crate::kernel::Kernel;
use crate::log::Name;
use crate::text::{kib, text};

/// The flags that the table shows, and their names.
const FLAG_NAMES: [(Flags, Name); 5] = [
    (Flags::LINEAR, Name::of(c"linear")),
    (Flags::ADDRESS_32BITS, Name::of(c"32bits")),
    (Flags::NOCACHE, Name::of(c"nocache")),
    (Flags::DEVICE, Name::of(c"device")),
    (Flags::NOMAP, Name::of(c"nomap")),
];

impl<K: Kernel> Dma<K> {
    /// Prints a header, a line for each pool, the number of refused calls if there were any, and the number of pools.
    ///
    /// The columns `KiB` (size), `Used`, `Free` (the longest free run) and `Peak` (the highest amount in use at the
    /// same time) are in KiB. `Failed` is the number of [failed requests](crate::dropin::pool::Failures).
    ///
    /// Context: thread.
    pub fn report(&self) {
        let kernel = self.kernel;
        kernel.print(text!("Name\t\tRegion\t\t\t\tKiB\tUsed\tFree\tPeak\tFailed\tFlags"));
        let mut count = 0;
        // An uninstall waits for this reader before the owner of a pool's name may free it, but not without a limit.
        let reader = self.name_readers.enter();
        for pool in self.pools() {
            let Usage { used, longest_free } = pool.usage();
            let (start, end) = pool.installed_range();
            let (name, size) = (pool.name(&reader), kib(pool.size()));
            let (used, free) = (kib(used), kib(longest_free));
            // A text has at most six values.
            kernel.print(text!("\n%-15s [0x%lx, 0x%lx]\t%lu\t%lu\t%lu\t", name, start, end, size, used, free));
            kernel.print(text!("%lu\t%lu\t", kib(pool.peak()), pool.failures().count));
            let flags = pool.flags();
            for (_, name) in FLAG_NAMES.iter().filter(|(flag, _)| flags.contains(*flag)) {
                kernel.print(text!(" %s", *name));
            }
            count += 1;
        }
        let refused_calls = self.refused_calls();
        if refused_calls != 0 {
            kernel.print(text!("\n%lu calls refused", refused_calls));
        }
        kernel.print(text!("\n%lu DMA memory found\n", count));
    }
}
