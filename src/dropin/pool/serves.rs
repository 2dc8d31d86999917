//! Which requests a pool serves, by its flags and its owners, and with which flags.

use super::Pool;
use crate::flags::Flags;
use crate::kernel::{Device, Kernel};

/// The pools to which a request is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pools {
    /// The `memory-region` pools that the device owns.
    Owned,
    /// All pools.
    All,
}

impl<K: Kernel> Pool<K> {
    /// Returns whether the pool serves a request of `device` with `flags`. A pool with the flag `DEVICE` serves
    /// only requests with that flag, and only those of its own device. Other pools serve only requests without it.
    pub fn serves(&self, device: Device, flags: Flags) -> bool {
        self.serves_from(device, flags, Pools::All)
    }

    /// Returns whether the pool serves a request of `device` with `flags` that is made to these pools: for
    /// [`Pools::All`] the result of [`serves`](Self::serves); for [`Pools::Owned`] whether the device owns the pool and
    /// its memory has the properties that the flags ask for.
    pub fn serves_from(&self, device: Device, flags: Flags, pools: Pools) -> bool {
        let own_flags = self.flags();
        if !has_required(own_flags, flags) {
            return false;
        }
        match pools {
            Pools::Owned => self.is_owned_by(device),
            Pools::All => match (own_flags.contains(Flags::DEVICE), flags.contains(Flags::DEVICE)) {
                (false, false) => true,
                (true, true) => self.belongs_to(device),
                (true, false) | (false, true) => false,
            },
        }
    }
}

/// Returns whether a pool with `pool_flags` has the properties that a request with `flags` asks for.
fn has_required(pool_flags: Flags, flags: Flags) -> bool {
    !flags.difference(pool_flags).intersects(Flags::NOMAP.union(Flags::ADDRESS_32BITS))
}

/// Returns what [`Pool::serves`] does, for a pool with `pool_flags` and a request whose `flags` do not contain
/// `DEVICE`. (If the fast path called `serves`, an allocation would take 11 instructions more on the host.)
pub fn serves_plain(pool_flags: Flags, flags: Flags) -> bool {
    has_required(pool_flags, flags) && !pool_flags.contains(Flags::DEVICE)
}

/// Returns the flags of a request to a pool with `pool_flags`: `flags`, and `NOCACHE` if the pool has it. C may change
/// the pool's flags while a call runs, so a call maps its buffer by flags that it has read once.
pub fn with_pool_flags(pool_flags: Flags, flags: Flags) -> Flags {
    flags | pool_flags & Flags::NOCACHE
}
