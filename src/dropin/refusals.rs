//! Counting and logging refused calls. In an interrupt the kernel drops the line
//! ([`Log::log`](crate::kernel::Log::log)), so that there only the count shows the call.
//!
//! `refuse` and `log_failure` take the numbers of a line in the order of the line. `refuse_device` takes the arguments
//! of a sync call in its order, in which they are in the right registers already; `refuse_free` has size, address and
//! handle in the order of `rt_dma_free`.
//!
//! Each `inline(never)` here makes the linked core 24 to 116 bytes smaller on aarch64.

use crate::dropin::pool::Pool;
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::kernel::{Device, Handle, Kernel, Va};
use crate::log::{Level, Line, Name};
use crate::mem::atomics::Ordering::Relaxed;
use crate::text::{Text, text};

/// Returns the text of the log line about a failed call: the reason, two numbers in hexadecimal and one in decimal.
/// `docs/options.md` explains them.
fn refusal(error: Error, addresses: [usize; 2], number: usize) -> Text<'static> {
    let [first, second] = addresses;
    text!("%s (0x%lx, 0x%lx, %lu)", error.reason(), first, second, number)
}

/// The number in a line that has neither a size nor an index to state.
pub(crate) const NO_NUMBER: usize = 0;

impl<K: Kernel> Dma<K> {
    /// Returns the number of refused calls: mistakes of callers, calls that would have to sleep where the caller may
    /// not, and regions that could not be installed, or ranges of a bus that could not be read, for want of memory. An
    /// extract that finds no region with room, or no memory, is not counted.
    pub fn refused_calls(&self) -> usize {
        self.refused_calls.load(Relaxed)
    }

    /// Counts a refused call, and [logs a line](Self::log_failure).
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse(&self, error: Error, name: Name, addresses: [usize; 2], number: usize) {
        self.count_refused();
        self.log_failure(error, name, addresses, number);
    }

    /// Logs a line about a failed call. The line begins with the name of the pool or device, and has the text of
    /// [`refusal`]. `addresses` are for example the start and the end of a region, but for an extract its two sizes.
    /// `number` is a size or an index.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn log_failure(&self, error: Error, name: Name, addresses: [usize; 2], number: usize) {
        self.kernel.log(Level::Error, &Line::about(name, refusal(error, addresses, number)));
    }

    /// Counts and logs a refused call of a device.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    // If the reason came first, as elsewhere, each sync in of the coherent table would take 4 instructions more on
    // aarch64.
    pub(crate) fn refuse_device(&self, device: Device, address: usize, size: usize, error: Error) {
        self.refuse_line(&self.line_about(device, refusal(error, [address, 0], size)));
    }

    /// Returns a line that begins with the name of the device, or with its address if it has no name.
    ///
    /// Context: any.
    pub(crate) fn line_about<'a>(&'a self, device: Device, text: Text<'a>) -> Line<'a> {
        Line { device: device.address(), ..Line::about(self.kernel.device_name(device), text) }
    }

    /// Counts a refused call, and logs nothing. It is for calls whose caller may not write to the log, or writes a line
    /// itself.
    ///
    /// Context: any.
    pub(crate) fn count_refused(&self) {
        self.refused_calls.fetch_add(1, Relaxed);
    }

    /// Returns whether the caller may sleep. If it may not, counts the call, which is then refused.
    ///
    /// Context: any.
    pub(crate) fn may_sleep_or_count(&self) -> bool {
        let may_sleep = self.kernel.can_sleep();
        if !may_sleep {
            self.count_refused();
        }
        may_sleep
    }

    /// Counts a refused call, and logs `line`, which contains the reason.
    ///
    /// Context: any.
    pub(crate) fn refuse_line(&self, line: &Line) {
        self.count_refused();
        self.kernel.log(Level::Error, line);
    }

    /// Counts and logs a refused free, as [`refuse`](Self::refuse) does, with the name of `pool`; without a name if
    /// `pool` is `None`.
    ///
    /// Context: any.
    #[cold]
    #[inline(never)]
    pub(crate) fn refuse_free(&self, error: Error, pool: Option<&Pool<K>>, size: usize, va: Va, handle: Handle) {
        // The caller of an uninstall may free the name of the pool. The uninstall waits for this call, for a limited
        // time.
        let reader = self.name_readers.enter();
        self.refuse(error, pool.map_or(Name::NONE, |pool| pool.name(&reader)), [va, handle], size);
    }
}
