//! The mistakes of drivers that the debug mode finds, and the line for each. `docs/debugging.md` explains every line.

use core::ffi::CStr;

use crate::text::apart;

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Mistake {
    /// A free with a size that is not the allocation's.
    FreeSize,
    /// A free by a call that is not for this kind of memory.
    FreeKind,
    /// A free for a device that is not the allocation's.
    FreeDevice,
    /// A free with a handle that is not the allocation's.
    FreeHandle,
    /// A second free.
    FreeTwice,
    /// A free of memory that was not allocated.
    FreeUnknown,
    /// An unmap with a size that is not the mapping's.
    UnmapSize,
    /// An unmap with a direction that is not the mapping's.
    UnmapDirection,
    /// An unmap by a call that is not for this kind of mapping.
    UnmapKind,
    /// An unmap for a device that is not the mapping's.
    UnmapDevice,
    /// An unmap of a list with a number of entries that is not the mapping's.
    UnmapCount,
    /// A second unmap.
    UnmapTwice,
    /// An unmap of what was not mapped.
    UnmapUnknown,
    /// An unmap of the handle that a failed map returned.
    UnmapFailed,
    /// An unmap of a mapping whose handle was never passed to `rt_dma_mapping_error`.
    Unchecked,
    /// A sync of what is not mapped.
    SyncUnknown,
    /// A sync for a device that is not the mapping's.
    SyncDevice,
    /// A sync that ends after the mapping or the buffer.
    SyncEnd,
    /// A sync with a direction that is not the mapping's.
    SyncDirection,
    /// A sync of a buffer that was freed.
    SyncFreed,
    /// A sync of cached memory with `RT_DMA_F_NOCACHE`.
    SyncNocache,
    /// A sync of memory that was allocated with `RT_DMA_F_NOCACHE`, without that flag.
    SyncCached,
    /// A map of bytes, for a device that writes them, that a device may write already.
    MapTwice,
    /// A buffer on a thread's stack.
    Stack,
    /// A buffer of which a page is not mapped for the processor.
    Unmapped,
    /// Memory that a device held when its driver was removed.
    StillHeld,
    /// No mistake: the table is full.
    TableFull,
    /// No mistake: a call fails because a test asked for it.
    Injected,
}

use Mistake::*;

impl Mistake {
    /// Every mistake, and after them the two lines that are none.
    pub const ALL: [Mistake; 28] = [
        FreeSize,
        FreeKind,
        FreeDevice,
        FreeHandle,
        FreeTwice,
        FreeUnknown,
        UnmapSize,
        UnmapDirection,
        UnmapKind,
        UnmapDevice,
        UnmapCount,
        UnmapTwice,
        UnmapUnknown,
        UnmapFailed,
        Unchecked,
        SyncUnknown,
        SyncDevice,
        SyncEnd,
        SyncDirection,
        SyncFreed,
        SyncNocache,
        SyncCached,
        MapTwice,
        Stack,
        Unmapped,
        StillHeld,
        TableFull,
        Injected,
    ];
    /// The number of mistakes.
    pub const COUNT: usize = Mistake::ALL.len() - 2;

    /// Returns whether the line reports a mistake of a driver, which is counted and whose lines are limited.
    pub fn is_mistake(self) -> bool {
        (self as usize) < Mistake::COUNT
    }

    /// Returns the values of the line: address and size, perhaps a detail, and the caller.
    pub fn values(self, all: &[usize; 4]) -> ([usize; 4], usize) {
        let [address, size, detail, caller] = *all;
        match self {
            TableFull => ([address, 0, 0, 0], 1),
            Injected => ([size, caller, 0, 0], 2),
            FreeUnknown | UnmapUnknown | UnmapFailed | SyncUnknown | SyncNocache | SyncCached | Stack | Unmapped => {
                ([address, size, caller, 0], 3)
            }
            _ => ([address, size, detail, caller], 4),
        }
    }
}

/// The texts of the lines: how a line begins, under which the mistake is also counted, and the `printf` format of the rest.
macro_rules! texts {
    ($($mistake:ident: $label:literal, $rest:literal;)*) => {
        impl Mistake {
            /// Returns the name under which the mistake is counted: how its line begins.
            pub fn label(self) -> &'static CStr {
                match self {
                    $($mistake => apart!($label),)*
                }
            }

            /// Returns the `printf` format of the line. Its arguments are the [values](Mistake::values).
            pub fn format(self) -> &'static CStr {
                match self {
                    $($mistake => apart!($label, ": ", $rest),)*
                }
            }
        }
    };
}

texts! {
    FreeSize: "free with another size", "0x%lx, %lu bytes, allocated with %lu; caller 0x%lx";
    FreeKind: "free by another call", "0x%lx, %lu bytes, it is a %s; caller 0x%lx";
    FreeDevice: "free for another device", "0x%lx, %lu bytes, allocated for %s; caller 0x%lx";
    FreeHandle: "free with another handle", "0x%lx, %lu bytes, its handle is 0x%lx; caller 0x%lx";
    FreeTwice: "freed twice", "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx";
    FreeUnknown: "free of what is not allocated", "0x%lx, %lu bytes; caller 0x%lx";
    UnmapSize: "unmap with another size", "0x%lx, %lu bytes, mapped with %lu; caller 0x%lx";
    UnmapDirection: "unmap with another direction", "0x%lx, %lu bytes, mapped %s; caller 0x%lx";
    UnmapKind: "unmap by another call", "0x%lx, %lu bytes, it is a %s; caller 0x%lx";
    UnmapDevice: "unmap for another device", "0x%lx, %lu bytes, mapped for %s; caller 0x%lx";
    UnmapCount: "unmap of another number of entries", "0x%lx, %lu entries, mapped with %lu; caller 0x%lx";
    UnmapTwice: "unmapped twice", "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx";
    UnmapUnknown: "unmap of what is not mapped", "0x%lx, %lu bytes; caller 0x%lx";
    UnmapFailed: "unmap of a map that failed", "0x%lx, %lu bytes; caller 0x%lx";
    Unchecked: "mapping never checked", "0x%lx, %lu bytes, mapped by 0x%lx; caller 0x%lx";
    SyncUnknown: "sync of what is not mapped", "0x%lx, %lu bytes; caller 0x%lx";
    SyncDevice: "sync for another device", "0x%lx, %lu bytes, mapped for %s; caller 0x%lx";
    SyncEnd: "sync past the end", "0x%lx, %lu bytes, the end is 0x%lx; caller 0x%lx";
    SyncDirection: "sync in another direction", "0x%lx, %lu bytes, mapped %s; caller 0x%lx";
    SyncFreed: "sync of what was freed", "0x%lx, %lu bytes, freed by 0x%lx; caller 0x%lx";
    SyncNocache: "sync of cached memory with NOCACHE", "0x%lx, %lu bytes; caller 0x%lx";
    SyncCached: "sync of uncached memory without NOCACHE", "0x%lx, %lu bytes; caller 0x%lx";
    MapTwice: "mapped twice for writing", "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx";
    Stack: "buffer on a stack", "0x%lx, %lu bytes; caller 0x%lx";
    Unmapped: "buffer at an unmapped address", "0x%lx, %lu bytes; caller 0x%lx";
    StillHeld: "still held after removal", "0x%lx, %lu bytes, a %s; caller 0x%lx";
    TableFull: "debug table full", "%lu entries in use, more are not checked";
    Injected: "failure on request", "allocation or mapping of %lu bytes; caller 0x%lx";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_places_in_the_list() {
        assert!(Mistake::ALL.iter().enumerate().all(|(place, mistake)| *mistake as usize == place));
        assert_eq!(Mistake::ALL.iter().filter(|mistake| mistake.is_mistake()).count(), Mistake::COUNT);
    }

    #[test]
    fn each_line_differs_and_is_explained() {
        let explained = include_str!("../../../docs/debugging.md");
        for (place, mistake) in Mistake::ALL.iter().enumerate() {
            let label = mistake.label().to_str().unwrap();
            assert!(explained.contains(&std::format!("`{label}`")), "docs/debugging.md explains {label}");
            assert!(Mistake::ALL.iter().take(place).all(|other| other.label() != mistake.label()), "{label}");
        }
    }

    #[test]
    fn each_format_takes_as_many_values_as_the_line_has() {
        for mistake in Mistake::ALL {
            let conversions = mistake.format().to_str().unwrap().matches('%').count();
            assert_eq!(conversions, mistake.values(&[0; 4]).1, "{mistake:?}");
        }
    }
}
