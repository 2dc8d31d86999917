//! What the shell prints: `list_dma_pool`.

use core::ffi::CStr;

use crate::kernel::{Kernel, Level, Line, Name};
use crate::registry::Dma;

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
        self.print(c"Name\t\t Region\t\t\t  Size/KiB Used/KiB Free/KiB Flags", 0, 0);
        let mut count = 0;
        let mut next = self.first.get();
        while let Some(pool) = next {
            let (used, longest) = pool.usage();
            let region = pool.region();
            let words =
                [region.name.shown().word(), region.start, region.end, pool.size() >> 10, used >> 10, longest >> 10];
            self.kernel.say(Level::Shell, &Line { format: c"\n%-16s [0x%08lx, 0x%08lx] %8lu %8lu %8lu", words });
            let mut flags = pool.flags().bits();
            let mut separator = b' ';
            for name in FLAG_NAMES.chunks_exact(STEP) {
                if flags & 1 != 0 {
                    self.print(c"%c%s", separator.into(), Name(name.as_ptr().cast()).word());
                    separator = b',';
                }
                flags >>= 1;
            }
            count += 1;
            next = pool.next.get();
        }
        let bad_calls = self.bad_calls();
        if bad_calls != 0 {
            self.print(c"\n%lu calls refused", bad_calls, 0);
        }
        self.print(c"\n%lu DMA memory found\n", count, 0);
    }

    #[inline(never)]
    fn print(&self, format: &'static CStr, a: usize, b: usize) {
        self.kernel.say(Level::Shell, &Line { format, words: [a, b, 0, 0, 0, 0] });
    }
}
