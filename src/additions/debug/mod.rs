//! The debug mode: it watches the calls of drivers in C, and reports their mistakes, as Linux's `kernel/dma/debug.c`
//! does.
//!
//! The functions of `rtthread-port/rt_dma_port_debug*.c` stand between the drivers and the library, and pass each call
//! to a [`Watch`]. It keeps a [`table`] of what each device holds.
//!
//! A mistake is counted, and reported in one line with the device, the address, the size, and the address of the
//! caller. The library then does what it does without the debug mode. Only a test can change a call: it asks for a
//! failure ([`Watch::fail_nth`]).
//!
//! Calls of the library itself (bounce buffers, the pages of block pools) and of drivers in Rust do not pass here.
//! Memory that is not in the table is therefore not reported, unless the library itself refused the call.
//!
//! | file | what it has |
//! | --- | --- |
//! | `calls.rs` | A call of a driver, and what it stated: the memory that it frees, the mapping that it ends. |
//! | `checks.rs` | What is done at each call: the kernel is asked about the memory, then the call is checked. |
//! | `checker/` | Compares a call with the table, with the lock held: its mistakes, and what changes in the table. |
//! | `table.rs`, `entry.rs` | The table of what devices hold, and one entry of it. |
//! | `finding.rs` | What can be found, and the text of the line for each. |
//! | `devices.rs` | What is known of each device: its name, its mistakes, and the call that is to fail. |
//! | `reports.rs`, `write.rs` | The lines that wait until a thread writes them, and how it writes them. |
//! | `list.rs`, `holders.rs` | What `list_dma_debug` prints, and which devices hold memory of a pool. |
//!
//! # Context
//! Any, unless a function states otherwise. The lock is held while the live entries of the table are searched. Lines
//! are written without the lock, in a thread: those of an interrupt wait for the next call of a thread.

mod calls;
mod checker;
mod checks;
mod devices;
mod entry;
mod finding;
mod holders;
mod list;
mod reports;
mod table;
mod write;

pub use calls::{Call, FreedBy, FreedMemory, SyncedData, UnmappedBy};
pub use checker::AfterFree;
pub use entry::{DebugEntry, HeldMapping, Kind, MappedBy};
pub use finding::Finding;

use self::checker::Checker;
use self::devices::{Devices, Names};
use self::entry::HeldPool;
use self::finding::Values;
use self::reports::Reports;
use self::table::EntryTable;
use crate::kernel::{Device, Kernel};
use crate::log::Name;
use crate::mem::atomics::AtomicBool;
use crate::mem::lock::IrqLock;

/// What the debug mode knows.
pub struct Watch<K: Kernel> {
    kernel: K,
    state: IrqLock<State>,
    names: Names,
    /// Whether a thread writes the lines that wait.
    is_writing: AtomicBool,
}

/// What the lock protects.
struct State {
    table: EntryTable,
    devices: Devices,
    reports: Reports,
    /// Whether it was reported that the table is full.
    has_reported_full: bool,
}

impl State {
    /// Reports as still held each thing that a device holds and that fulfils a condition, once.
    fn report_held(&mut self, device: Device, is_wanted: impl Fn(&DebugEntry) -> bool) {
        let State { table, devices, reports, .. } = self;
        let is_to_report = |entry: &&mut DebugEntry| entry.device == device && !entry.is_reported && is_wanted(entry);
        for entry in table.live_mut().iter_mut().filter(is_to_report) {
            entry.is_reported = true;
            devices.count(entry.name_index, Finding::StillHeld);
            let (address, size, name, caller) = (entry.address(), entry.size, entry.kind.label(), entry.caller);
            let values = Values { address, size, name, caller, ..Values::NONE };
            reports.add(Finding::StillHeld, device, entry.name_index, values);
        }
    }
}

impl<K: Kernel> Watch<K> {
    /// Makes a debug mode that knows nothing.
    pub const fn new(kernel: K) -> Self {
        let state = State {
            table: EntryTable::new(),
            devices: Devices::new(),
            reports: Reports::new(),
            has_reported_full: false,
        };
        Watch { kernel, state: IrqLock::new(state), names: Names::new(), is_writing: AtomicBool::new(false) }
    }

    /// Gives the table the memory that `entries` returns. Before this call nothing is recorded; a second call has no
    /// effect, and does not call `entries`.
    ///
    /// `entries` is called with the lock held: another caller that comes meanwhile finds the table with its memory.
    pub fn start(&self, entries: impl FnOnce() -> &'static mut [DebugEntry]) {
        self.state.lock(self.kernel).table.start(entries);
    }

    /// Lets `act` check a call with the lock held. Then writes the lines that wait, if the caller is a thread.
    fn with_checker<T>(&'static self, call: &Call, act: impl FnOnce(&mut Checker) -> T) -> T {
        let name = self.kernel.device_name(call.device);
        let mut state = self.state.lock(self.kernel);
        // With the lock held: a call records what it allocated after its device got operations.
        if call.is_new() {
            self.forget_earlier_device(&mut state, call.device, name);
        }
        let name_index = state.devices.index_or_new(call.device, name, &self.names);
        let result = act(&mut Checker { state: &mut state, names: &self.names, call, name_index });
        drop(state);
        self.write_lines();
        result
    }

    /// Ends what is known of an earlier device at the address of this one, which has no map operations yet. Reports
    /// what the earlier one still held, and lists it for no device.
    fn forget_earlier_device(&self, state: &mut State, device: Device, name: Name) {
        // The device of a pool without blocks needs no operations: it may be the one that is there now.
        let is_of_earlier_device =
            |entry: &DebugEntry| !matches!(entry.kind, Kind::BlockPool(HeldPool { had_blocks: false, .. }));
        state.report_held(device, is_of_earlier_device);
        let entries = state.table.live_mut().iter_mut();
        for entry in entries.filter(|entry| entry.device == device && is_of_earlier_device(entry)) {
            entry.device = Device::NONE;
        }
        state.devices.forget_earlier_device(device, name, &self.names);
    }

    /// Notes that a call begins, which may be the first of a new device.
    pub fn note_call(&'static self, call: &Call) {
        self.with_checker(call, |_| ());
    }

    /// Counts an allocation or a mapping. Returns whether it must fail, because [`fail_nth`](Self::fail_nth) asked for
    /// it. `size` is that of the request.
    pub fn count_and_check_failure(&'static self, call: &Call, size: usize) -> bool {
        self.with_checker(call, |checker| {
            let must_fail = checker.state.devices.count_and_check_failure(checker.name_index);
            if must_fail {
                checker.report(Finding::Injected, 0, size, 0);
            }
            must_fail
        })
    }

    /// Makes the `number`-th allocation or mapping of the device from now on fail; none if `number` is 0. Returns false
    /// if there is no room for a record of the device.
    pub fn fail_nth(&'static self, call: &Call, number: usize) -> bool {
        self.with_checker(call, |checker| checker.state.devices.fail_nth(checker.name_index, number))
    }

    /// Returns whether the call that [`fail_nth`](Self::fail_nth) asked for has failed.
    pub fn has_failed(&self, device: Device) -> bool {
        self.state.lock(self.kernel).devices.has_failed(device)
    }

    /// Returns the device with a name; `None` if no such device made a call that passed here.
    pub fn find(&self, name: Name) -> Option<Device> {
        self.state.lock(self.kernel).devices.find(name, &self.names)
    }

    /// Returns how many mistakes were found: of one device, or of all if `device` is `None`.
    pub fn mistakes(&self, device: Option<Device>) -> usize {
        let state = self.state.lock(self.kernel);
        let mistakes = Finding::ALL.iter().filter(|finding| finding.is_mistake());
        mistakes.map(|finding| state.devices.times(device, *finding)).sum()
    }

    /// Returns how often a mistake was found: of one device, or of all if `device` is `None`.
    pub fn times(&self, device: Option<Device>, finding: Finding) -> usize {
        self.state.lock(self.kernel).devices.times(device, finding)
    }
}
