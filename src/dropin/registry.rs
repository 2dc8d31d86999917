//! [`Dma`], which has the state of the library, and how its pools are found.
//!
//! The functions here need no map operations of a device. The requests of drivers, which do, are in the module
//! `request`, which uses this one.

use crate::abi::rt_dma_pool;
use crate::dropin::buffer_request::BufferRequest;
use crate::dropin::loans::Loans;
use crate::dropin::name_readers::NameReaders;
use crate::dropin::pool::{Pool, PoolSpec, WholePages};
use crate::dropin::pool_list::PoolList;
use crate::kernel::{Handle, Kernel, Pa, Va};
use crate::mem::atomic_ref::AtomicRef;
use crate::mem::atomics::AtomicUsize;
use crate::mem::hook::Hook;
use crate::mem::turn::{SleepLock, Turn};

/// All DMA memory of a system.
pub struct Dma<K: Kernel> {
    pub(crate) kernel: K,
    pub(crate) list: PoolList<K>,
    /// The turn of installs: of calls that install or uninstall pools.
    pub(crate) installing: Turn,
    /// Held while a call chooses memory for `/reserved-memory` and reserves it: no two calls may choose the same
    /// memory. The call writes to the log meanwhile, so it must not hold a turn. No driver of a console waits for this
    /// lock, because only boot code reserves memory.
    pub(crate) reserving: SleepLock,
    /// The functions that install a kept pool again. Not set until the first pool is uninstalled. Each uninstall sets
    /// it, always to the same value; an install reads it.
    pub(crate) reinstall: Hook<Reinstall<K>>,
    /// The first of the pools that were uninstalled and are kept, so that they can be used again: the one that was
    /// uninstalled last. Only the holder of the turn of installs reads or changes the list.
    pub(crate) kept: AtomicRef<Pool<K>>,
    pub(crate) name_readers: NameReaders,
    /// The number of refused calls.
    pub(super) refused_calls: AtomicUsize,
    pub(crate) loans: Loans<K>,
    /// The function that makes room for an owner of lent memory. Not set until the first call that borrows. The core
    /// calls it through this pointer, so that an image without borrowers does not link `additions::lending`.
    pub(crate) make_room: Hook<MakeRoom<K>>,
}

/// The functions that install an uninstalled pool again. They belong to the additions, which this layer does not
/// import; therefore an install calls them through these pointers. The caller of both holds the turn of installs.
pub(crate) struct Reinstall<K: Kernel> {
    /// Finds a kept pool that has these pages and can serve as the specified pool, resets it and returns it; `None` if
    /// there is none. The pool stays in the list of kept pools.
    pub(crate) begin_reinstall: fn(&Dma<K>, &PoolSpec, WholePages) -> Option<&'static Pool<K>>,
    /// Removes the pool, which is in the list of pools again, from the list of kept pools, and frees all its pages.
    pub(crate) end_reinstall: fn(&Dma<K>, &'static Pool<K>),
}

/// Makes borrowers give memory back until the regions of the device can serve its request. Returns the address and the
/// handle of the buffer that it allocated.
pub(crate) type MakeRoom<K> = fn(&Dma<K>, &BufferRequest) -> Option<(Va, Handle)>;

impl<K: Kernel> Dma<K> {
    /// Makes a system without pools.
    pub const fn new(kernel: K) -> Self {
        Dma {
            kernel,
            list: PoolList::new(),
            installing: Turn::new(),
            reserving: SleepLock::new(),
            reinstall: Hook::new(),
            kept: AtomicRef::new(),
            name_readers: NameReaders::new(),
            refused_calls: AtomicUsize::new(0),
            loans: Loans::new(),
            make_room: Hook::new(),
        }
    }

    /// Returns the pools in the order of the list: a new pool comes last, and one that is installed again has its
    /// earlier place.
    ///
    /// Context: any.
    pub fn pools(&self) -> impl Iterator<Item = &'static Pool<K>> {
        self.list.iter()
    }

    /// Returns the pool whose part for C is at `pointer`, which may be any address; `None` if there is none.
    ///
    /// Context: any.
    pub fn pool_at(&self, pointer: *const rt_dma_pool) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| core::ptr::eq(&pool.public, pointer))
    }

    /// Returns the first pool that contains any byte of `[start, end)`.
    ///
    /// Context: any.
    pub(crate) fn pool_touching(&self, start: Pa, end: Pa) -> Option<&'static Pool<K>> {
        self.pools().find(|pool| start < pool.end() && pool.start() < end)
    }
}
