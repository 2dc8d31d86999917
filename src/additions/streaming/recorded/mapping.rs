//! One mapping: its memory as the device sees it, and what is copied and maintained when it changes hands.

use super::bounce::{Bounce, copy_from_driver};
use crate::additions::streaming::buffer::LocatedBuffer;
use crate::additions::streaming::cache_sync::cache_sync_for_cpu;
use crate::additions::streaming::locate::Location;
use crate::additions::streaming::{BadMapping, BusMaster, Direction, MAPPING_ERROR, MappedBuffer, Ops};
use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::kernel::{Device, Handle, Kernel, Va};

/// Some bytes of a mapping.
#[derive(Clone, Copy)]
pub struct Part {
    /// The distance from the first byte of the mapping.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
}

/// A mapping that is live: a buffer that a device has.
#[derive(Clone, Copy)]
pub struct LiveMapping {
    /// The device, as it was when the buffer was mapped.
    pub master: BusMaster,
    /// The handle of the first byte.
    pub handle: Handle,
    /// Bytes. Not zero in a record that is in use.
    pub size: usize,
    /// The direction that the driver stated for the map.
    pub direction: Direction,
    /// The driver's address.
    pub va: Va,
    /// The address of the memory that the device sees: of the driver's buffer, or of its copy in the bounce buffer.
    pub seen_va: Va,
    /// Whether the cache lines of that memory are maintained.
    pub needs_maintenance: bool,
    /// Whether a handle of the mapping does not lead to a pool. An unmap and a sync look for such a record also where
    /// their handle leads to no pool
    /// ([`may_have_record_outside_pools`](super::table::RecordTable::may_have_record_outside_pools)).
    pub leads_outside_pools: bool,
    /// `None` if the device sees the driver's own buffer.
    pub bounce: Option<Bounce>,
    /// `None` while a `sync_out` of the BSP's own still needs its `sync_in`. Otherwise the part of the driver's last
    /// sync for the processor: a pairing `sync_out` is made for it. Always `None` with the library's operations, which
    /// need no such pairs.
    pub synced_in: Option<Part>,
}

impl LiveMapping {
    /// No mapping: what a spare record holds at first.
    pub const NONE: LiveMapping = LiveMapping {
        master: BusMaster { device: Device::NONE, ops: Ops::Library(MapOps::Coherent), mask: 0 },
        handle: MAPPING_ERROR,
        size: 0,
        direction: Direction::Neither,
        va: 0,
        seen_va: 0,
        needs_maintenance: false,
        leads_outside_pools: false,
        bounce: None,
        synced_in: None,
    };

    /// Makes a mapping of a driver's buffer, without a bounce buffer. The handle is not known yet.
    pub fn of(master: &BusMaster, location: &Location, direction: Direction) -> Self {
        let &Location { buffer: LocatedBuffer { va, size, needs_maintenance, .. }, extends_outside_pools, .. } =
            location;
        LiveMapping {
            master: *master,
            handle: MAPPING_ERROR,
            size,
            direction,
            va,
            seen_va: va,
            needs_maintenance,
            leads_outside_pools: extends_outside_pools,
            bounce: None,
            synced_in: None,
        }
    }

    /// Returns the handle of the last byte.
    pub fn last_handle(&self) -> Handle {
        self.handle.wrapping_add(self.size.wrapping_sub(1))
    }

    /// Returns the part that is the whole mapping.
    pub fn whole(&self) -> Part {
        Part { offset: 0, size: self.size }
    }

    /// Returns whether this is a mapping of the device, with this handle.
    pub fn is_of(&self, device: Device, handle: Handle) -> bool {
        self.master.device == device && self.handle == handle
    }

    /// Checks that the mapping has the size and the direction of an unmap.
    ///
    /// # Errors
    /// [`WrongSize`](BadMapping::WrongSize) or [`WrongDirection`](BadMapping::WrongDirection).
    pub fn check_unmap(&self, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        if self.size != mapped.size {
            Err(BadMapping::WrongSize)
        } else if self.direction != mapped.direction {
            Err(BadMapping::WrongDirection)
        } else {
            Ok(())
        }
    }

    /// Returns whether this is a mapping of the device with the handle, size and direction of an unmap.
    pub fn is_exactly(&self, device: Device, mapped: &MappedBuffer) -> bool {
        self.is_of(device, mapped.handle) && self.check_unmap(mapped).is_ok()
    }

    /// Checks that the range of a sync of the device lies in the mapping, and that its direction is allowed.
    ///
    /// # Errors
    /// [`Unknown`](BadMapping::Unknown) if the mapping is another device's, or if the handle is not one of its bytes;
    /// otherwise [`PastEnd`](BadMapping::PastEnd) or [`WrongDirection`](BadMapping::WrongDirection).
    pub fn check_part(&self, device: Device, mapped: &MappedBuffer) -> Result<(), BadMapping> {
        let offset = mapped.handle.wrapping_sub(self.handle);
        if self.master.device != device || offset >= self.size {
            Err(BadMapping::Unknown)
        } else if mapped.size > self.size - offset {
            Err(BadMapping::PastEnd)
        } else if !self.direction.allows_sync(mapped.direction) {
            Err(BadMapping::WrongDirection)
        } else {
            Ok(())
        }
    }

    /// Returns the address of a part in the memory that the device sees.
    pub(super) fn seen_va_of(&self, part: Part) -> Va {
        self.seen_va.wrapping_add(part.offset)
    }

    /// Copies a part of the driver's buffer to the bounce buffer, if there is one and the device reads it. Bytes of a
    /// mapping that the device only writes are never copied: the driver's are older than what the device wrote.
    ///
    /// `direction` is that of the sync. If the mapping is bidirectional, it may be another one than the mapping's.
    ///
    /// # Safety
    /// The part lies within the mapping, whose buffer is mapped, and is the caller's.
    pub unsafe fn copy_to_bounce<K: Kernel>(&self, dma: &Dma<K>, part: Part, direction: Direction) {
        if self.bounce.is_some() && direction.device_reads() {
            // SAFETY: the copy in the bounce buffer is as large as the mapping; the caller guarantees the rest.
            unsafe { copy_from_driver(dma, self.seen_va_of(part), self.va.wrapping_add(part.offset), part.size) }
        }
    }

    /// Copies a part of the bounce buffer, if there is one and the device writes it, to the driver's buffer.
    ///
    /// # Safety
    /// As for [`copy_to_bounce`](LiveMapping::copy_to_bounce).
    pub unsafe fn copy_from_bounce<K: Kernel>(&self, kernel: K, part: Part, direction: Direction) {
        if self.bounce.is_some() && direction.device_writes() {
            // SAFETY: as in `copy_to_bounce`.
            unsafe { kernel.copy(self.va.wrapping_add(part.offset), self.seen_va_of(part), part.size) }
        }
    }

    /// Makes a part the device's, for the library's operations: no line stays dirty in the cache that could be written
    /// over what the device writes.
    pub fn flush<K: Kernel>(&self, kernel: K, part: Part) {
        if self.needs_maintenance {
            kernel.cache_flush(self.seen_va_of(part), part.size);
        }
    }

    /// Makes what the device wrote to a part the processor's, for the library's operations: the next read comes from
    /// memory.
    ///
    /// # Safety
    /// The part lies within the mapping, whose buffer is mapped. No code has written to the part since it was flushed.
    pub unsafe fn sync_part_for_cpu<K: Kernel>(&self, kernel: K, part: Part) {
        // SAFETY: the caller guarantees that its buffer was not written; a bounce buffer is written by `copy_to_bounce`
        // alone, which a flush follows.
        unsafe { cache_sync_for_cpu(kernel, self.seen_va_of(part), part.size, self.needs_maintenance) }
    }
}
