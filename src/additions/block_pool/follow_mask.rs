//! Which blocks a pool hands out after the mask of its device was changed.

use super::group::Unit;
use super::{BlockPool, Pages};
use crate::kernel::Kernel;
use crate::mem::atomics::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};

/// The last address that the device reaches. Several calls may read the mask of the device at the same time: of their
/// results, that of the call that began last is kept. So each call gets a number before it reads the mask.
pub struct LastReachable {
    /// Written with the list's lock held.
    address: AtomicUsize,
    /// The number of the call that wrote `address`. Written with the list's lock held.
    writer: AtomicUsize,
    /// The number of the call that began last.
    last_call: AtomicUsize,
}

impl LastReachable {
    /// Makes the value of a new pool.
    pub fn new(address: usize) -> Self {
        LastReachable {
            address: AtomicUsize::new(address),
            writer: AtomicUsize::new(0),
            last_call: AtomicUsize::new(0),
        }
    }

    /// Returns the address.
    pub fn get(&self) -> usize {
        self.address.load(Relaxed)
    }

    /// Returns the number of a call that reads the mask after this.
    fn begin_call(&self) -> usize {
        // AcqRel: the mask that this call reads is at least as new as that of each call with a lower number.
        self.last_call.fetch_add(1, AcqRel).wrapping_add(1)
    }

    /// Sets the address that call `number` has read, unless a call with a higher number was faster. The caller holds
    /// the list's lock.
    fn set(&self, number: usize, address: usize) {
        if number > self.writer.load(Relaxed) {
            self.writer.store(number, Relaxed);
            self.address.store(address, Relaxed);
        }
    }
}

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Makes the pool hand out only blocks that the device reaches with the mask that it has now. Blocks that drivers
    /// hold stay theirs, and are freed as before.
    ///
    /// Context: any. The time grows with the pool's memory.
    pub fn follow_mask(&self) {
        let number = self.last_reachable.begin_call();
        let address = self.pages.last_reachable(self.device);
        let held = self.groups.lock(self.kernel);
        self.last_reachable.set(number, address);
        drop(held);
        // A span that is not seen here is made by a thread that sees the new address, because that thread reads the
        // address with the same lock held.
        for unit in self.spans.all().flat_map(|span| span.units) {
            self.groups.update(self.kernel, unit.group.get(), || self.set_reach(unit));
        }
    }

    /// Follows a mask that changed without a call of this library: a driver copied the operations of a device with a
    /// mask. Returns whether there is such a mask.
    #[inline(always)] // Without it, an allocation that adds a span takes 34 instructions more.
    pub(super) fn follow_copied_mask(&self) -> bool {
        let is_new = self.pages.last_reachable(self.device) != self.last_reachable.get();
        if is_new {
            self.follow_mask();
        }
        is_new
    }

    /// Sets which blocks of a unit the device reaches. The caller holds the list's lock.
    pub(super) fn set_reach(&self, unit: &Unit) {
        let reached = self.reached(unit);
        if reached != unit.bits() {
            self.note_unreachable();
        }
        unit.group.get().states.set_reach(unit.bits(), reached);
    }

    /// Returns the bits of those blocks of a unit that the device reaches.
    fn reached(&self, unit: &Unit) -> usize {
        let handle = unit.handle_of(unit.start(self.shape()));
        let reached = self.shape().blocks_within(handle, self.last_reachable.get());
        unit.bits_of_first(reached.min(unit.capacity()))
    }

    /// Returns whether the device reaches all blocks of a unit.
    pub(super) fn reaches_all(&self, unit: &Unit) -> bool {
        self.reached(unit) == unit.bits()
    }
}
