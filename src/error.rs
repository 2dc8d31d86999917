//! The reasons for which a call is refused, and their texts in the log.

use core::ffi::CStr;

/// The reason for which a call is refused. A refused call has changed nothing, with one exception:
/// [`High`](Error::High).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
// A narrower one is masked and shifted where it stands in a `Result`: 72 bytes of the linked core on aarch64.
#[repr(usize)]
pub enum Error {
    /// The pool would hold no whole page, because its region is smaller than a page or ends before it begins; or the
    /// coherent pool would be larger than the memory that it is a part of; or a list of regions is required and missing.
    BadSize,
    /// The kernel has no list of regions.
    NoList,
    /// No region has room.
    NoRegion,
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The call must sleep, and its caller may not.
    Context,
    /// An installed pool covers a part of the region.
    Overlap,
    /// Nothing is mapped at the address, or the range ends past the end of memory.
    NotMapped,
    /// A warning: the call succeeded, with memory at or above 4 GiB.
    High,
    /// The device cannot reach the memory.
    NotReachable,
    /// No pool contains the address.
    Foreign,
    /// No buffer begins at the address: it was freed before, or the address lies inside a buffer.
    NotAllocated,
    /// The buffer at the address has another size.
    WrongSize,
    /// The buffer at the address has another handle.
    WrongHandle,
    /// `memory-region` refers to no node.
    NoNode,
    /// `memory-region` refers to a node whose `status` is neither absent, `okay` nor `ok`. The kernel reserves nothing
    /// for such a node.
    Disabled,
    /// `memory-region` refers to a node without `reg`, for which no memory was chosen at boot.
    NotServed,
    /// The `reg` of the node to which `memory-region` refers cannot be read, or lies where this processor cannot reach.
    BadReg,
    /// The node to which `memory-region` refers has both `no-map` and `reusable`, which exclude each other.
    Conflict,
    /// The page allocator owns a part of the region.
    NotReserved,
    /// The request is for memory that is not cached, and the kernel has no page tables: its MMU is off.
    NoPageTables,
}

impl Error {
    /// Returns the text with which the log states the reason. `docs/options.md` explains each.
    pub const fn reason(self) -> &'static CStr {
        match self {
            Error::BadSize => c"bad size",
            Error::NoList => c"no memblock",
            Error::NoRegion => c"no region",
            Error::NoMemory => c"no memory",
            Error::Context => c"not in a thread",
            Error::Overlap => c"pools overlap",
            Error::NotMapped => c"not mapped",
            Error::High => c"above 4 GiB",
            Error::NotReachable => c"unreachable",
            Error::Foreign => c"free: no buffer",
            Error::NotAllocated => c"free: not in use",
            Error::WrongSize => c"free: wrong size",
            Error::WrongHandle => c"free: bad handle",
            Error::NoNode => c"no such node",
            Error::Disabled => c"node is disabled",
            Error::NotServed => c"not served: no reg",
            Error::BadReg => c"bad reg",
            Error::Conflict => c"no-map and reusable",
            Error::NotReserved => c"memory not reserved",
            Error::NoPageTables => c"no page tables",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Error::*;

    #[test]
    fn each_reason_differs_and_is_explained() {
        let errors = [
            BadSize,
            NoList,
            NoRegion,
            NoMemory,
            Context,
            Overlap,
            NotMapped,
            High,
            NotReachable,
            Foreign,
            NotAllocated,
            WrongSize,
            WrongHandle,
            NoNode,
            Disabled,
            NotServed,
            BadReg,
            Conflict,
            NotReserved,
            NoPageTables,
        ];
        let explained = include_str!("../docs/options.md");
        for (index, error) in errors.iter().enumerate() {
            let reason = error.reason().to_str().unwrap();
            // `Context` occurs only where no line is written.
            assert!(*error == Context || explained.contains(&std::format!("`{reason}`")), "{reason}");
            assert!(errors[..index].iter().all(|other| other.reason() != error.reason()), "{reason}");
        }
    }
}
