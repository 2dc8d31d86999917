//! A driver whose calls the tests make, and what the debug mode found.

use crate::fake_kernel::*;
use rt_dma_pool::additions::debug::{
    AfterFree, Call, DebugEntry, Finding, FreedBy, FreedMemory, HeldMapping, Kind, MappedBy, SyncedData, UnmappedBy,
    Watch,
};
use rt_dma_pool::additions::streaming::{Direction, MappedBuffer};
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Device;
use std::ffi::CStr;

/// The return address of a driver's calls that allocate or map.
pub const ALLOC_SITE: usize = 0x1111;
/// The return address of its other calls.
pub const OTHER_SITE: usize = 0x2222;
/// `rt_dma_free`, of a device whose handles are physical addresses.
pub const BY_FREE: FreedBy = FreedBy::Free { ops: Some(MapOps::UNTRANSLATED) };

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

    pub fn other_device(&self, name: &'static CStr) -> Device {
        self.machine.device(DeviceInfo::plain().named(name))
    }

    pub fn call(&self, caller: usize) -> Call {
        Call { caller, made_at_ms: 5, ..Call::of(self.device) }
    }

    pub fn call_for(&self, device: Device, caller: usize) -> Call {
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
        self.debug.record_allocation(
            &self.call_for(device, ALLOC_SITE),
            DebugEntry { kind, va, handle, size, ..DebugEntry::NONE },
        );
    }

    /// Checks a free. Returns whether nothing is to be reported after it.
    pub fn free(&self, freed: FreedMemory) -> bool {
        self.free_as(self.device, freed)
    }

    /// Checks a free by the device. Returns whether nothing is to be reported after it.
    pub fn free_as(&self, device: Device, freed: FreedMemory) -> bool {
        let by = match freed.by {
            FreedBy::Free { .. } => FreedBy::Free { ops: self.machine.ops_of(device) },
            by => by,
        };
        let freed = FreedMemory { by, ..freed };
        self.debug.check_free(self.machine.dma, &self.call_for(device, OTHER_SITE), &freed) == AfterFree::Nothing
    }

    /// Records a mapping, whose handle is its physical address.
    pub fn map(&self, va: usize, size: usize, direction: Direction) -> usize {
        self.map_as(self.device, buffer(va, size, direction))
    }

    pub fn map_as(&self, device: Device, buffer: DebugEntry) -> usize {
        let handle = self.machine.pa_of(buffer.va);
        self.debug.check_map(&self.call_for(device, ALLOC_SITE), DebugEntry { handle, ..buffer });
        self.debug.mark_mapping_checked(&self.call_for(device, ALLOC_SITE), handle);
        handle
    }

    pub fn unmap(&self, part: MappedBuffer) {
        self.unmap_by(UnmappedBy::Single, part);
    }

    pub fn unmap_by(&self, by: UnmappedBy, part: MappedBuffer) {
        self.debug.check_unmap(&self.call(OTHER_SITE), by, part, |_| true);
    }

    pub fn sync_data(&self, va: usize, size: usize, flags: Flags) {
        self.debug.check_sync_data(self.machine.dma, &self.call(OTHER_SITE), &SyncedData { va, size, flags });
    }

    /// Returns the lines since the last call.
    pub fn lines(&self) -> Vec<String> {
        self.machine.take_errors()
    }

    /// Checks that one mistake was found since the last call, and that its line is `rest`.
    #[track_caller]
    pub fn assert_found(&self, mistake: Finding, rest: &str) {
        assert_eq!(self.lines(), [format!("eth0: {}: {rest}; caller 0x2222", mistake.label().to_str().unwrap())]);
        let counts = |device| Finding::ALL.map(|other| self.debug.times(device, other) - usize::from(other == mistake));
        assert_eq!(counts(None), [0; Finding::ALL.len()], "it is counted once, and no other");
        assert_eq!(counts(Some(self.device)), [0; Finding::ALL.len()]);
        assert_eq!(self.debug.mistakes(None), 1);
    }

    /// Checks that nothing was found.
    #[track_caller]
    pub fn assert_silent(&self) {
        assert_eq!(self.lines(), NO_LINES);
        assert_eq!(self.debug.mistakes(None), 0);
    }
}

pub fn freed(held: &Held) -> FreedMemory {
    FreedMemory { by: BY_FREE, va: held.va, size: held.size, handle: held.handle }
}

/// Makes the record of a buffer that `rt_dma_map_single` maps. It has no handle yet.
pub fn buffer(va: usize, size: usize, direction: Direction) -> DebugEntry {
    let mapping = HeldMapping::new(MappedBy::Single, direction);
    DebugEntry { kind: Kind::Mapping(mapping), va, size, ..DebugEntry::NONE }
}

pub fn part(handle: usize, size: usize, direction: Direction) -> MappedBuffer {
    MappedBuffer::new(handle, size, direction)
}

/// Returns the driver's own memory: mapped, and no pool's.
pub fn own_memory(rig: &Rig) -> usize {
    rig.machine.premap_linear(START + 64 * PAGE, 4 * PAGE);
    rig.machine.linear_va(START + 64 * PAGE)
}

/// Makes the record of a buffer of 64 bytes. Its handle is its address.
pub fn allocated(va: usize) -> DebugEntry {
    DebugEntry { kind: Kind::Buffer { flags: Flags::empty() }, va, handle: va, size: 64, ..DebugEntry::NONE }
}

/// Makes the record of a block pool.
pub fn block_pool(va: usize) -> DebugEntry {
    DebugEntry { kind: Kind::NEW_POOL, va, size: 64, ..DebugEntry::NONE }
}
