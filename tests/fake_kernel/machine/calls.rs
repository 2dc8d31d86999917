//! A driver's calls, as the C ABI makes them, and the contexts in which a driver runs.

use super::{Held, Machine};
use crate::fake_kernel::{context, index_of};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::error::Error;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{Device, Handle, Pa, RegionList, Va};
use std::mem::MaybeUninit;

impl Machine {
    /// Returns the device's operations. The device's first call chooses and keeps them; `None` if they cannot be chosen
    /// now.
    pub fn ops_of(&self, device: Device) -> Option<MapOps> {
        let index = index_of(device);
        if let Some(ops) = self.ops.lock().unwrap()[index] {
            return Some(ops);
        }
        let ops = self.dma.choose_ops(device).ok()?;
        self.ops.lock().unwrap()[index] = Some(ops);
        Some(ops)
    }

    pub fn alloc(&self, device: Device, size: usize, flags: Flags) -> Option<Held> {
        let ops = self.ops_of(device)?;
        let (buffer, handle) = with_handle(|handle| {
            if ops.are_translated() {
                self.dma.allocate_general(device, size, Some(handle), flags, ops)
            } else {
                self.dma.allocate_fast(device, size, Some(handle), flags)
            }
        });
        Some(Held { device, size, flags, va: buffer?.as_ptr().expose_provenance(), handle })
    }

    pub fn free(&self, held: Held) -> Result<(), Error> {
        let Held { device, size, flags, va, handle } = held;
        self.dma.free(device, size, va, handle, flags, self.ops_of(device).expect("chosen when it was allocated"))
    }

    /// Frees a buffer, and checks that the call is refused and counted, that it logs one line with the reason, and that
    /// it changes nothing.
    #[track_caller]
    pub fn assert_refused(&self, held: Held, why: Error) {
        let (before, count) = (self.balance(), self.dma.refused_calls());
        assert_eq!(self.free(held), Err(why), "{held:x?}");
        assert_eq!(self.dma.refused_calls(), count + 1, "{held:x?}");
        let (lines, reason) = (self.take_errors(), why.reason().to_str().unwrap());
        assert!(matches!(&lines[..], [line] if line.contains(reason)), "{held:x?}: {reason}: {lines:?}");
        assert_eq!(self.balance(), before, "{held:x?}");
    }

    /// Makes the bytes of a buffer visible to the device by the operations `ops`, and returns the handle. It repeats
    /// what `sync_out_by` of `src/ffi/dropin/sync_ops.rs` does. `tests/calls/sync.rs` checks the shorter paths of that
    /// file against it.
    pub fn sync_out(&self, ops: MapOps, device: Device, data: Va, size: usize, flags: Flags) -> Result<Handle, Error> {
        let handle = self.dma.handle_or_refuse(ops, device, data, size)?;
        self.dma.flush_out(ops, data, size, flags);
        Ok(handle)
    }

    /// Makes the bytes of a buffer visible to the processor.
    pub fn sync_in(&self, device: Device, data: Va, size: usize) -> Result<(), Error> {
        // SAFETY: the cache is simulated; it contains no Rust values.
        unsafe { self.dma.invalidate_or_refuse(device, data, size) }
    }

    /// Makes pools as `rt_dma_pool_extract` of revision r2 does. Returns the range of memory that they use.
    pub fn extract(&self, total: usize, coherent: usize) -> Result<(Pa, Pa), Error> {
        let before = self.dma.pools().count();
        match self.dma.extract(RegionList::NONE, total, coherent) {
            Ok(()) => {
                let start = self.dma.pools().nth(before).unwrap().installed_range().0;
                Ok((start, start.wrapping_add(total)))
            }
            Err(error) => Err(error),
        }
    }

    pub fn in_interrupt<T>(&self, code: impl FnOnce() -> T) -> T {
        context::in_interrupt(code)
    }

    pub fn with_interrupts_off<T>(&self, code: impl FnOnce() -> T) -> T {
        context::with_interrupts_off(code)
    }
}

/// Makes a call that writes a handle. Returns its result and the handle; zero if the call wrote none.
fn with_handle<T>(call: impl FnOnce(&mut MaybeUninit<Handle>) -> T) -> (T, Handle) {
    let mut handle = MaybeUninit::new(0);
    let result = call(&mut handle);
    // SAFETY: it was initialised above.
    (result, unsafe { handle.assume_init() })
}
