//! Why a call is refused, and what the log says of it.

use crate::log::Name;

/// Why a call is refused. Nothing was changed.
///
/// It is a word, and not zero, so that a result with one travels in a register or two. Those that
/// [`extract`](crate::dropin::extract) returns come first, in the order of the error numbers that C gets for them
/// (`rt_dma_port_errors`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Error {
    /// A pool would hold no whole page: its region is smaller, or ends before it begins; or the coherent pool is to be
    /// larger than what it is a part of. Or there are no regions to take it from.
    BadSize = 1,
    /// The kernel has no list of regions.
    NoList,
    /// No region has room.
    NoRegion,
    /// The heap has no room for the bookkeeping.
    NoMemory,
    /// The caller may not sleep, and this cannot be done without.
    Context,
    /// A pool covers part of the region already.
    Overlap,
    /// Nothing is mapped at the address, or the range ends past the end of memory.
    NotMapped,
    /// It was done after all, and only deserves a warning: with memory that 32 bits cannot name.
    High,
    /// The device cannot reach the memory.
    NotReachable,
    /// The address is not one that was handed out.
    Foreign,
    /// No buffer begins there: it was freed before, or the address lies inside one.
    NotAllocated,
    /// A buffer begins there, but has another size.
    WrongSize,
    /// The buffer has another handle.
    WrongHandle,
    /// `memory-region` leads to no node.
    NoNode,
    /// `memory-region` leads to a node whose `status` is neither absent, `okay` nor `ok`: the kernel reserved nothing for
    /// it.
    Disabled,
    /// `memory-region` leads to a node without `reg`, for which nobody has chosen memory: the region is not served.
    NotServed,
    /// The `reg` of the node that `memory-region` leads to cannot be read, or lies where this processor cannot reach.
    BadReg,
    /// The node that `memory-region` leads to has both `no-map` and `reusable`, which exclude each other.
    Conflict,
    /// The page allocator owns a part of the region.
    NotReserved,
    /// Memory that is not cached is wanted of a kernel without page tables, whose MMU is off.
    NoPageTables,
}

/// Bytes from one reason to the next.
const STEP: usize = 20;

/// A reason for each error, in their order: one constant instead of as many pointers. `docs/options.md` explains them.
static REASONS: &[u8; STEP * 20] = b"\
bad size\0\0\0\0\0\0\0\0\0\0\0\0\
no memblock\0\0\0\0\0\0\0\0\0\
no region\0\0\0\0\0\0\0\0\0\0\0\
no memory\0\0\0\0\0\0\0\0\0\0\0\
not in a thread\0\0\0\0\0\
pools overlap\0\0\0\0\0\0\0\
not mapped\0\0\0\0\0\0\0\0\0\0\
above 4 GiB\0\0\0\0\0\0\0\0\0\
unreachable\0\0\0\0\0\0\0\0\0\
free: no buffer\0\0\0\0\0\
free: not in use\0\0\0\0\
free: wrong size\0\0\0\0\
free: bad handle\0\0\0\0\
no such node\0\0\0\0\0\0\0\0\
node is disabled\0\0\0\0\
not served: no reg\0\0\
bad reg\0\0\0\0\0\0\0\0\0\0\0\0\0\
no-map and reusable\0\
memory not reserved\0\
no page tables\0\0\0\0\0\0";

impl Error {
    /// What the log says of it.
    pub fn reason(self) -> Name {
        Name(REASONS.as_ptr().wrapping_add((self as usize - 1) * STEP).cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_own_reason() {
        let reasons = [
            (Error::BadSize, "bad size"),
            (Error::NoList, "no memblock"),
            (Error::NoRegion, "no region"),
            (Error::NoMemory, "no memory"),
            (Error::Context, "not in a thread"),
            (Error::Overlap, "pools overlap"),
            (Error::NotMapped, "not mapped"),
            (Error::High, "above 4 GiB"),
            (Error::NotReachable, "unreachable"),
            (Error::Foreign, "free: no buffer"),
            (Error::NotAllocated, "free: not in use"),
            (Error::WrongSize, "free: wrong size"),
            (Error::WrongHandle, "free: bad handle"),
            (Error::NoNode, "no such node"),
            (Error::Disabled, "node is disabled"),
            (Error::NotServed, "not served: no reg"),
            (Error::BadReg, "bad reg"),
            (Error::Conflict, "no-map and reusable"),
            (Error::NotReserved, "memory not reserved"),
            (Error::NoPageTables, "no page tables"),
        ];
        assert_eq!(REASONS.len(), reasons.len() * STEP);
        for (error, reason) in reasons {
            let begin = error.reason().0.addr() - REASONS.as_ptr().addr();
            let text = core::ffi::CStr::from_bytes_until_nul(&REASONS[begin..begin + STEP]);
            assert_eq!(text.unwrap().to_str(), Ok(reason), "{error:?}");
        }
    }
}
