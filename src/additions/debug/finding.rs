//! What the debug mode finds, mistakes of drivers above all, and the line for each. `docs/debugging.md` explains every
//! line.

use core::ffi::CStr;

use crate::log::Name;
use crate::text::{Text, separate_cstr, text};

/// What a line states.
#[derive(Clone, Copy)]
pub struct Values {
    /// The address or the handle; for [`TableFull`](Finding::TableFull), the number of entries.
    pub address: usize,
    /// Bytes; for [`UnmapCount`](Finding::UnmapCount), entries of a list.
    pub size: usize,
    /// The number that the text of the finding adds; 0 if it adds none.
    pub number: usize,
    /// The name that the text of the finding adds.
    pub name: Name<'static>,
    /// The address to which the call returns.
    pub caller: usize,
}

impl Values {
    /// The values of no line.
    pub const NONE: Self = Values { address: 0, size: 0, number: 0, name: Name::NONE, caller: 0 };
}

/// Defines [`Finding`] and its texts. An entry is `Name: label, rest, values...`. A line of the log is `label: rest`,
/// where `rest` is a `printf` format, and the values are the fields of [`Values`] that it prints. A mistake is counted
/// under its label.
macro_rules! findings {
    ($($(#[$doc:meta])* $finding:ident: $label:literal, $rest:literal, $($value:ident),+;)*) => {
        /// What a line is about.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(usize)]
        pub enum Finding {
            $($(#[$doc])* $finding,)*
        }

        impl Finding {
            /// Every mistake, and after them the two findings that are none.
            pub const ALL: [Finding; [$(Finding::$finding),*].len()] = [$(Finding::$finding),*];

            /// Returns the name under which a mistake is counted: how its line begins.
            pub fn label(self) -> &'static CStr {
                match self {
                    $(Self::$finding => separate_cstr!($label),)*
                }
            }

            /// Returns the text of the line.
            pub fn text(self, values: &Values) -> Text<'static> {
                match self {
                    $(Self::$finding => text!($label ": " $rest, $(values.$value),+),)*
                }
            }
        }
    };
}

findings! {
    /// A free with a size that is not the allocation's.
    FreeSize: "free with another size",
        "0x%lx, %lu bytes, allocated with %lu; caller 0x%lx", address, size, number, caller;
    /// A free by a call that is not for this kind of memory.
    FreeKind: "free by another call", "0x%lx, %lu bytes, it is a %s; caller 0x%lx", address, size, name, caller;
    /// A free for a device that is not the allocation's.
    FreeDevice: "free for another device",
        "0x%lx, %lu bytes, allocated for %s; caller 0x%lx", address, size, name, caller;
    /// A free with a handle that is not the allocation's.
    FreeHandle: "free with another handle",
        "0x%lx, %lu bytes, its handle is 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A second free.
    FreeTwice: "freed twice", "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A free of memory that was not allocated.
    FreeUnknown: "free of what is not allocated", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// An unmap with a size that is not the mapping's.
    UnmapSize: "unmap with another size",
        "0x%lx, %lu bytes, mapped with %lu; caller 0x%lx", address, size, number, caller;
    /// An unmap with a direction that is not the mapping's.
    UnmapDirection: "unmap with another direction",
        "0x%lx, %lu bytes, mapped %s; caller 0x%lx", address, size, name, caller;
    /// An unmap by a call that is not for this kind of mapping, or of memory that was allocated.
    UnmapKind: "unmap by another call", "0x%lx, %lu bytes, it is a %s; caller 0x%lx", address, size, name, caller;
    /// An unmap for a device that is not the mapping's.
    UnmapDevice: "unmap for another device",
        "0x%lx, %lu bytes, mapped for %s; caller 0x%lx", address, size, name, caller;
    /// An unmap of a list with a number of entries that is not the mapping's.
    UnmapCount: "unmap of another number of entries",
        "0x%lx, %lu entries, mapped with %lu; caller 0x%lx", address, size, number, caller;
    /// A second unmap.
    UnmapTwice: "unmapped twice", "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx", address, size, number, caller;
    /// An unmap of what was not mapped.
    UnmapUnknown: "unmap of what is not mapped", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// An unmap of the handle that a failed map returned.
    UnmapFailed: "unmap of a map that failed", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// A mapping whose handle was never passed to `rt_dma_mapping_error`, when it ends.
    Unchecked: "mapping never checked",
        "0x%lx, %lu bytes, mapped by 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A sync of what is not mapped.
    SyncUnknown: "sync of what is not mapped", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// A sync for a device that is not the mapping's.
    SyncDevice: "sync for another device", "0x%lx, %lu bytes, mapped for %s; caller 0x%lx", address, size, name, caller;
    /// A sync that ends after the mapping or the buffer.
    SyncEnd: "sync past the end", "0x%lx, %lu bytes, the end is 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A sync with a direction that is not the mapping's.
    SyncDirection: "sync in another direction",
        "0x%lx, %lu bytes, mapped %s; caller 0x%lx", address, size, name, caller;
    /// A sync of a buffer that was freed.
    SyncFreed: "sync of what was freed",
        "0x%lx, %lu bytes, freed by 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A sync of cached memory with `RT_DMA_F_NOCACHE`.
    SyncNocache: "sync of cached memory with NOCACHE", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// A sync of memory that was allocated with `RT_DMA_F_NOCACHE`, without that flag.
    SyncCached: "sync of uncached memory without NOCACHE", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// A map, for a device that writes, of bytes that a device may write already, or of such a byte's cache line where
    /// a map has `OWN_LINES`.
    MapTwice: "mapped twice for writing",
        "0x%lx, %lu bytes, first by 0x%lx; caller 0x%lx", address, size, number, caller;
    /// A buffer on a thread's stack.
    Stack: "buffer on a stack", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// A buffer with a page that is not mapped for the processor; in a sync without a map, the page of the first byte.
    BadAddress: "buffer at an unmapped address", "0x%lx, %lu bytes; caller 0x%lx", address, size, caller;
    /// What a device held when its driver was removed, or when a new device came to its address.
    StillHeld: "still held after removal", "0x%lx, %lu bytes, a %s; caller 0x%lx", address, size, name, caller;
    /// No mistake: the table is full.
    TableFull: "debug table full", "%lu entries in use, more are not checked", address;
    /// No mistake: a call fails because a test asked for it.
    Injected: "failure on request", "allocation or mapping of %lu bytes; caller 0x%lx", size, caller;
}

impl Finding {
    /// The number of findings that are mistakes: those before [`TableFull`](Finding::TableFull).
    pub const MISTAKES: usize = Finding::TableFull as usize;

    /// Returns whether it is a mistake of a driver, which is counted and whose lines are limited.
    pub fn is_mistake(self) -> bool {
        (self as usize) < Finding::MISTAKES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_report_no_mistake_are_the_last_two() {
        let others: std::vec::Vec<_> = Finding::ALL.into_iter().filter(|finding| !finding.is_mistake()).collect();
        assert_eq!(others, [Finding::TableFull, Finding::Injected]);
    }

    #[test]
    fn each_line_differs_and_is_explained() {
        let explained = include_str!("../../../docs/debugging.md");
        for (index, finding) in Finding::ALL.iter().enumerate() {
            let label = finding.label().to_str().unwrap();
            assert!(explained.contains(&std::format!("`{label}`")), "docs/debugging.md explains {label}");
            assert!(Finding::ALL.iter().take(index).all(|other| other.label() != finding.label()), "{label}");
        }
    }
}
