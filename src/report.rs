//! What the shell prints: `list_dma_pool`.

use core::ffi::c_char;

use crate::flags::Flags;
use crate::kernel::{Kernel, Line, Name};
use crate::registry::Dma;

/// The flags' names, in the order of their bits.
const FLAG_NAMES: [(Flags, &[u8]); 5] = [
    (Flags::LINEAR, b"linear"),
    (Flags::ADDRESS_32BITS, b"32bits"),
    (Flags::NOCACHE, b"nocache"),
    (Flags::DEVICE, b"device"),
    (Flags::NOMAP, b"nomap"),
];

impl<K: Kernel> Dma<K> {
    /// Prints a header, one line for each pool, and their number. *Thread.*
    pub fn report(&self) {
        let print = |format, name, values, tail| {
            self.kernel.print(&Line { format, name, values }, tail);
        };
        let header = c"%-16s Region                   Size/KiB Used/KiB Free/KiB Flags";
        print(header, Name::of(c"Name"), [0; 5], Name::NONE);
        let mut count = 0;
        for pool in self.pools() {
            let region = pool.region();
            let (used, longest) = pool.usage();
            let flags = FlagText::of(pool.flags());
            let values = [region.start, region.end, pool.size() >> 10, used >> 10, longest >> 10];
            print(c"%-16s [0x%08lx, 0x%08lx] %8lu %8lu %8lu %s", region.name.shown(), values, flags.name());
            count += 1;
        }
        if self.bad_calls() != 0 {
            let values = [self.bad_calls(), 0, 0, 0, 0];
            print(c"%s: %lu calls refused", Name::of(c"dma.pool"), values, Name::NONE);
        }
        print(c"%s%lu DMA memory found", Name::of(c""), [count, 0, 0, 0, 0], Name::NONE);
    }
}

/// The names of flags, with commas between, as a C string.
struct FlagText([u8; 48]);

impl FlagText {
    fn of(flags: Flags) -> Self {
        let mut text = [0; 48];
        // The last byte stays zero.
        let mut room = text.iter_mut().take(47);
        let mut separator: &[u8] = b"";
        for (flag, name) in FLAG_NAMES {
            if flags.contains(flag) {
                for (byte, place) in separator.iter().chain(name).zip(&mut room) {
                    *place = *byte;
                }
                separator = b",";
            }
        }
        FlagText(text)
    }

    fn name(&self) -> Name {
        Name(self.0.as_ptr().cast::<c_char>())
    }
}
