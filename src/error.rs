//! The reasons for which a call is refused, and their texts in the log.

use core::ffi::CStr;

/// The reason for which a call is refused. A refused call has changed nothing, unless its comment states otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
// With a narrower type, each `Result` that contains a reason is unpacked by a mask and a shift: 72 bytes more in the
// linked core on aarch64.
#[repr(usize)]
pub enum Error {
    /// No whole page would be in the pool, because its region is smaller than a page or ends before it begins. Or the
    /// coherent pool would be larger than the memory that it is a part of. Or the interface requires a list of regions,
    /// and the caller passed none.
    BadSize,
    /// The kernel has no memblock, whose list of reserved memory has the regions.
    NoMemblock,
    /// No region has room; or the region is not one of the device's pools, because the device's node does not name it,
    /// or because it was refused.
    NoRegion,
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The call must sleep, and its caller may not.
    Context,
    /// An installed pool covers a part of the region.
    Overlap,
    /// A pool that covers a part of the region is being uninstalled.
    Leaving,
    /// Nothing is mapped at the address, or the range ends past the end of memory.
    NotMapped,
    /// The device cannot reach the memory.
    NotReachable,
    /// No pool contains the address, or no memory that was lent begins at it.
    NoBuffer,
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
    NoReg,
    /// The `reg` of the node to which `memory-region` refers cannot be read, or lies where this processor cannot reach.
    BadReg,
    /// The node to which `memory-region` refers has both `no-map` and `reusable`, which exclude each other.
    NoMapAndReusable,
    /// The kernel itself uses a part of the region, or may use it later because it is not reserved.
    NotReserved,
    /// The request is for memory that is not cached, and the kernel has no page tables: its MMU is off.
    NoPageTables,
}

impl Error {
    /// Returns the text with which the log states the reason. `docs/options.md` explains each.
    pub const fn reason(self) -> &'static CStr {
        match self {
            Error::BadSize => c"bad size",
            Error::NoMemblock => c"no memblock",
            Error::NoRegion => c"no region",
            Error::NoMemory => c"no memory",
            Error::Context => c"not in a thread",
            Error::Overlap => c"pools overlap",
            Error::Leaving => c"pool is leaving",
            Error::NotMapped => c"not mapped",
            Error::NotReachable => c"unreachable",
            Error::NoBuffer => c"free: no buffer",
            Error::NotAllocated => c"free: not in use",
            Error::WrongSize => c"free: wrong size",
            Error::WrongHandle => c"free: bad handle",
            Error::NoNode => c"no such node",
            Error::Disabled => c"node is disabled",
            Error::NoReg => c"not served: no reg",
            Error::BadReg => c"bad reg",
            Error::NoMapAndReusable => c"no-map and reusable",
            Error::NotReserved => c"memory not reserved",
            Error::NoPageTables => c"no page tables",
        }
    }

    /// Returns whether the same call may succeed later.
    pub const fn can_be_repeated(self) -> bool {
        matches!(self, Error::Context | Error::NoMemory | Error::Leaving)
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn each_reason_differs_and_is_explained() {
        let explained = include_str!("../docs/options.md");
        // The arms of `reason`.
        let arms = include_str!("error.rs").lines().filter_map(|line| line.trim().strip_prefix("Error::"));
        let reasons: std::vec::Vec<_> =
            arms.filter_map(|arm| Some(arm.split_once(" => c\"")?.1.trim_end_matches("\","))).collect();
        assert!(reasons.len() > 15, "{reasons:?}");
        for (index, reason) in reasons.iter().enumerate() {
            // A call with this reason writes no line.
            let is_logged = *reason != Error::Context.reason().to_str().unwrap();
            assert!(!is_logged || explained.contains(&std::format!("`{reason}`")), "{reason}");
            assert!(!reasons[..index].contains(reason), "{reason}");
        }
    }
}
