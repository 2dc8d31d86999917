//! The calls of a BSP's own `sync_out` and `sync_in` for a mapping with a record. Over the life of the mapping, each
//! `sync_out` that succeeded gets exactly one `sync_in` ([`BspOps`]).
//!
//! A driver need not sync in pairs: it may sync for the processor twice, or only for the device. Then the call that is
//! missing in a pair is made too ([`Purpose::Pairing`]). Whether one is missing follows from
//! [`synced_in`](LiveMapping::synced_in):
//!
//! | call of the driver | a `sync_out` still needs its `sync_in` | each `sync_out` has had its `sync_in` |
//! | --- | --- | --- |
//! | sync for the processor | `sync_in` | pairing `sync_out`, then `sync_in` |
//! | sync for the device | `sync_out`, then pairing `sync_in` | `sync_out` |
//! | unmap | `sync_in` | nothing, or as a sync for the processor if bytes change hands |
//!
//! The map itself makes a `sync_out`.

use super::mapping::{LiveMapping, Part};
use crate::additions::streaming::bus_master::{BspOps, sync_flags};
use crate::flags::Flags;
use crate::kernel::Kernel;

/// Why an operation of a BSP's own is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Bytes change hands, so the cache is maintained.
    Transfer,
    /// Each `sync_out` needs one `sync_in`, and the other way round. The call asks for no cache maintenance.
    Pairing,
}

impl Purpose {
    /// Returns `Transfer` if bytes change hands, otherwise `Pairing`.
    pub fn transfer_if(bytes_change_hands: bool) -> Self {
        if bytes_change_hands { Purpose::Transfer } else { Purpose::Pairing }
    }
}

impl LiveMapping {
    /// Returns the flags of a call of a BSP's own operations.
    fn flags_for(&self, purpose: Purpose) -> Flags {
        sync_flags(purpose == Purpose::Transfer && self.needs_maintenance)
    }

    /// Makes one call of a BSP's own `sync_out` for a part; returns whether it succeeded.
    pub fn sync_out(&self, bsp: &BspOps, part: Part, purpose: Purpose) -> bool {
        // SAFETY: the caller of `map` guarantees that the device exists as long as the mapping.
        unsafe { (bsp.sync_out)(self.master.device, self.seen_va_of(part), part.size, self.flags_for(purpose)) }
            .is_some()
    }

    /// Makes one call of a BSP's own `sync_in` for a part; returns whether it succeeded. If the purpose is a transfer,
    /// this makes what the device wrote to the part the processor's.
    ///
    /// # Safety
    /// If the purpose is a transfer, as for [`sync_part_for_cpu`](LiveMapping::sync_part_for_cpu).
    pub unsafe fn sync_in<K: Kernel>(&self, kernel: K, bsp: &BspOps, part: Part, purpose: Purpose) -> bool {
        let va = self.seen_va_of(part);
        if purpose == Purpose::Transfer {
            kernel.device_barrier();
        }
        if self.needs_maintenance && purpose == Purpose::Pairing && !self.direction.device_writes() {
            // The buffer may share cache lines with others. What they wrote to these must not be lost if the BSP's
            // operation invalidates lines all the same.
            kernel.cache_flush(va, part.size);
        }
        let handle = self.handle.wrapping_add(part.offset);
        // SAFETY: as in `sync_out`; the handle is that of the part. `Pairing` sets `NOCACHE`; for a transfer, the
        // caller guarantees that no code has written to the part since it was flushed.
        unsafe { (bsp.sync_in)(self.master.device, va, part.size, handle, self.flags_for(purpose)) }
    }

    /// Makes one call of a BSP's own `sync_in` for a part, and the `sync_out` that it needs before it if each
    /// `sync_out` has had its `sync_in`: `synced_in` is then the part for it. If that `sync_out` fails, no `sync_in` is
    /// made.
    ///
    /// If the purpose is a transfer, what the device wrote to the part is the processor's afterwards: where the call
    /// fails or is not made, the cache is maintained as for the library's operations.
    ///
    /// # Safety
    /// As for [`sync_in`](LiveMapping::sync_in).
    pub unsafe fn sync_in_paired<K: Kernel>(
        &self,
        kernel: K,
        bsp: &BspOps,
        synced_in: Option<Part>,
        part: Part,
        purpose: Purpose,
    ) {
        let has_sync_out = synced_in.is_none_or(|before| self.sync_out(bsp, before, Purpose::Pairing));
        // SAFETY: the caller guarantees it.
        let is_synced = has_sync_out && unsafe { self.sync_in(kernel, bsp, part, purpose) };
        if purpose == Purpose::Transfer && !is_synced {
            // SAFETY: the caller guarantees it.
            unsafe { self.sync_part_for_cpu(kernel, part) }
        }
    }

    /// Makes the last calls of a BSP's own operations for the mapping. If the purpose is a transfer, the device's bytes
    /// are the processor's after them.
    ///
    /// # Safety
    /// As for [`sync_in_paired`](LiveMapping::sync_in_paired), for the whole buffer.
    #[inline(never)] // As a part of `take_back` it takes 4 instructions more ("pool").
    pub(super) unsafe fn sync_in_at_end<K: Kernel>(&self, kernel: K, bsp: &BspOps, purpose: Purpose) {
        // A transfer needs a `sync_in` even after another one: since then the device may have written other bytes, or,
        // if the driver polls, the same ones.
        if self.synced_in.is_none() || purpose == Purpose::Transfer {
            // SAFETY: the caller guarantees it.
            unsafe { self.sync_in_paired(kernel, bsp, self.synced_in, self.whole(), purpose) }
        }
    }
}
