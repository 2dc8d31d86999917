//! Which requests a pool serves, by its flags and its owners, and with which flags.

use super::Pool;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel};

/// Which pools a request searches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SearchedPools {
    /// The `memory-region` pools that the device owns.
    Owned,
    /// All pools.
    All,
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool serves a request of `device` with `flags`. A pool with the flag `DEVICE` serves
    /// only requests with that flag, and only those of its own device. Other pools serve only requests without it.
    pub fn serves(&self, device: Device, flags: Flags) -> bool {
        self.serves_among(device, flags, SearchedPools::All)
    }

    /// Returns whether the pool serves a request of `device` with `flags` that searches these pools: for
    /// [`SearchedPools::All`] the result of [`serves`](Self::serves); for [`SearchedPools::Owned`] whether the device
    /// owns the pool and its memory has the properties that the flags ask for.
    pub fn serves_among(&self, device: Device, flags: Flags, pools: SearchedPools) -> bool {
        let own_flags = self.flags();
        if !has_required(own_flags, flags) {
            return false;
        }
        match pools {
            SearchedPools::Owned => self.is_owned_by(device),
            SearchedPools::All if own_flags.contains(Flags::DEVICE) => {
                flags.contains(Flags::DEVICE) && self.is_dev_or_owner(device)
            }
            SearchedPools::All => !flags.contains(Flags::DEVICE),
        }
    }
}

/// Returns whether a pool with `pool_flags` has the properties that a request with `flags` asks for.
fn has_required(pool_flags: Flags, flags: Flags) -> bool {
    !flags.difference(pool_flags).intersects(Flags::NOMAP.union(Flags::ADDRESS_32BITS))
}

/// Returns what [`Pool::serves`] does, for a pool with `pool_flags` and a request whose `flags` do not contain
/// `DEVICE`. (If the fast path called `serves`, an allocation would take 11 instructions more on the host.)
pub fn serves_without_device(pool_flags: Flags, flags: Flags) -> bool {
    has_required(pool_flags, flags) && !pool_flags.contains(Flags::DEVICE)
}

/// Returns the flags of a request to a pool with `pool_flags`: `flags`, and `NOCACHE` if the pool has it. C may change
/// the pool's flags while a call runs, so a call maps its buffer by flags that it has read once.
pub fn with_pool_flags(pool_flags: Flags, flags: Flags) -> Flags {
    flags | pool_flags & Flags::NOCACHE
}
