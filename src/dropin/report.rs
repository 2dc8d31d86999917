//! What the shell prints: `list_dma_pool`.

use crate::dropin::registry::Dma;
use crate::kernel::Kernel;
use crate::log::Name;

/// Bytes from one flag's name to the next.
const STEP: usize = 8;

/// The flags' names, in the order of their bits.
static FLAG_NAMES: &[u8; STEP * 5] = b"\
linear\0\0\
32bits\0\0\
nocache\0\
device\0\0\
nomap\0\0\0";

impl<K: Kernel> Dma<K> {
    /// Prints a header, one line for each pool, and their number. *Thread.*
    pub fn report(&self) {
        let kernel = self.kernel;
        kernel.print(c"Name\t\tRegion\t\t\t\tKiB\tUsed\tFree\tFlags", &[]);
        let mut count = 0;
        for pool in self.pools() {
            let (used, longest) = pool.usage();
            let region = pool.region();
            let values = [region.name.word(), region.start, region.end, pool.size() >> 10, used >> 10, longest >> 10];
            kernel.print(c"\n%-15s [0x%lx, 0x%lx]\t%lu\t%lu\t%lu\t", &values);
            let mut flags = pool.flags().bits() % (1 << (FLAG_NAMES.len() / STEP));
            let mut name = FLAG_NAMES.as_ptr();
            while flags != 0 {
                if flags & 1 != 0 {
                    kernel.print(c" %s", &[Name(name.cast()).word()]);
                }
                flags >>= 1;
                name = name.wrapping_add(STEP);
            }
            count += 1;
        }
        let bad_calls = self.bad_calls();
        if bad_calls != 0 {
            kernel.print(c"\n%lu calls refused", &[bad_calls]);
        }
        kernel.print(c"\n%lu DMA memory found\n", &[count]);
    }
}
