//! A driver whose calls the tests make, and what the debug mode found.

use crate::fake_kernel::*;
use rt_dma_pool::additions::debug::{
    AfterFree, Call, DebugEntry, Finding, FreedBy, FreedMemory, HeldMapping, Kind, MappedBy, MappedPart, SyncedData,
    UnmappedBy, Watch,
};
use rt_dma_pool::additions::streaming::Direction;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Device;
use std::ffi::CStr;

pub const MAP: usize = 0x1111;
pub const END: usize = 0x2222;
/// `rt_dma_free`, of a device whose handles are physical addresses.
pub const FREE: FreedBy = FreedBy::Free { ops: Some(MapOps::UNTRANSLATED) };

/// A driver, its device, and the debug mode that watches it.
pub struct Rig {
    pub machine: Machine,
    pub debug: &'static Watch<FakeKernel>,
    pub device: Device,
}

impl Rig {
    pub fn with_entries(count: usize) -> Self {
        let (machine, _) = Machine::with_pool(c"pool", START, 64 * PAGE);
        let debug: &'static Watch<FakeKernel> = Box::leak(Box::new(Watch::new(machine.kernel)));
        debug.start(|| Box::leak(vec![DebugEntry::NONE; count].into_boxed_slice()));
        let device = machine.device(DeviceInfo::plain().named(c"eth0"));
        Rig { machine, debug, device }
    }

    pub fn new() -> Self {
        Rig::with_entries(64)
    }

    pub fn other(&self, name: &'static CStr) -> Device {
        self.machine.device(DeviceInfo::plain().named(name))
    }

    pub fn call(&self, caller: usize) -> Call {
        Call { caller, made_at_ms: 5, ..Call::of(self.device) }
    }

    pub fn by(&self, device: Device, caller: usize) -> Call {
        Call { device, ..self.call(caller) }
    }

    /// Allocates a buffer, and has it recorded.
    pub fn alloc(&self, size: usize, flags: Flags) -> Held {
        let held = self.machine.alloc(self.device, size, flags).unwrap();
        self.record(self.device, &held);
        held
    }

    pub fn record(&self, device: Device, held: &Held) {
        let (va, handle, size) = (held.va, held.handle, held.size);
        let kind = Kind::Buffer { flags: held.flags };
        self.debug.record_allocation(&self.by(device, MAP), DebugEntry { kind, va, handle, size, ..DebugEntry::NONE });
    }

    /// Checks a free by the device. Returns whether nothing is to be reported after it.
    pub fn free(&self, freed: FreedMemory) -> bool {
        self.free_as(self.device, freed)
    }

    pub fn free_as(&self, device: Device, freed: FreedMemory) -> bool {
        let by = match freed.by {
            FreedBy::Free { .. } => FreedBy::Free { ops: self.machine.ops_of(device) },
            by => by,
        };
        let after = self.debug.check_free(self.machine.dma, &self.by(device, END), &FreedMemory { by, ..freed });
        after == AfterFree::Nothing
    }

    /// Records a mapping, whose handle is its physical address.
    pub fn map(&self, va: usize, size: usize, direction: Direction) -> usize {
        self.map_as(self.device, buffer(va, size, direction))
    }

    pub fn map_as(&self, device: Device, buffer: DebugEntry) -> usize {
        let handle = self.machine.pa_of(buffer.va);
        self.debug.check_map(&self.by(device, MAP), DebugEntry { handle, ..buffer });
        self.debug.mark_mapping_checked(&self.by(device, MAP), handle);
        handle
    }

    pub fn unmap(&self, given: MappedPart) {
        self.unmap_by(UnmappedBy::Single, given);
    }

    pub fn unmap_by(&self, by: UnmappedBy, given: MappedPart) {
        self.debug.check_unmap(&self.call(END), by, given, |_| true);
    }

    pub fn sync_data(&self, va: usize, size: usize, flags: Flags) {
        self.debug.check_sync_data(self.machine.dma, &self.call(END), &SyncedData { va, size, flags });
    }

    /// The lines since the last call.
    pub fn lines(&self) -> Vec<String> {
        self.machine.take_errors()
    }

    /// Checks that one mistake was found since the last call, and that its line is `rest`.
    #[track_caller]
    pub fn found(&self, mistake: Finding, rest: &str) {
        assert_eq!(self.lines(), [format!("eth0: {}: {rest}; caller 0x2222", mistake.label().to_str().unwrap())]);
        let counts = |device| Finding::ALL.map(|other| self.debug.times(device, other) - usize::from(other == mistake));
        assert_eq!(counts(None), [0; Finding::ALL.len()], "it is counted once, and no other");
        assert_eq!(counts(Some(self.device)), [0; Finding::ALL.len()]);
        assert_eq!(self.debug.mistakes(None), 1);
    }

    #[track_caller]
    pub fn silent(&self) {
        assert_eq!(self.lines(), [""; 0]);
        assert_eq!(self.debug.mistakes(None), 0);
    }
}

pub fn freed(held: &Held) -> FreedMemory {
    FreedMemory { by: FREE, va: held.va, size: held.size, handle: held.handle }
}

/// A buffer that `rt_dma_map_single` maps. It has no handle yet.
pub fn buffer(va: usize, size: usize, direction: Direction) -> DebugEntry {
    let mapping = HeldMapping::new(MappedBy::Single, direction);
    DebugEntry { kind: Kind::Mapping(mapping), va, size, ..DebugEntry::NONE }
}

pub fn given(handle: usize, size: usize, direction: Direction) -> MappedPart {
    MappedPart { handle, size, direction }
}

/// The driver's own memory: mapped, and no pool's.
pub fn own_memory(rig: &Rig) -> usize {
    rig.machine.premap_linear(START + 64 * PAGE, 4 * PAGE);
    rig.machine.linear_va(START + 64 * PAGE)
}
