//! A machine whose drivers and devices do what random numbers choose, and a model that knows what each byte must be.

use crate::fake_kernel::*;
use crate::rig::*;
use proptest::prelude::*;
use proptest::sample::Index;
use rt_dma_pool::additions::streaming::{BusMaster, Direction, Direction::*};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};
use std::ops::Range;

const SLOT: usize = 4 * PAGE;

/// Memory of a driver, part of which may be mapped.
pub struct Slot {
    va: Va,
    /// What the processor must read; of bytes that the device has, what the device must read.
    bytes: Vec<u8>,
    mapping: Option<Mapping>,
}

struct Mapping {
    master: usize,
    handle: usize,
    /// The mapped bytes, by their offsets in the slot.
    range: Range<usize>,
    way: Direction,
    /// The bytes that were synced for the processor, by their offsets in the slot.
    synced: Range<usize>,
}

/// The machine and the model.
pub struct World {
    pub rig: Rig,
    pub masters: Vec<BusMaster>,
    pub slots: Vec<Slot>,
    /// A number for the next bytes to write.
    seed: usize,
}

/// What a step does with its slot. It takes what it needs to choose from the numbers.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Maps a part of the slot; if it is mapped, the device writes.
    MapOrDeviceWrites(Index, Index, Index),
    ProcessorWrites(Index, Index),
    DeviceReads,
    SyncForCpu(Index, Index),
    SyncForDevice {
        all: bool,
    },
    EvictCache,
    ReadAhead,
    Unmap {
        in_interrupt: bool,
    },
}

/// Chooses steps, each with the number of its slot.
pub fn steps() -> impl Strategy<Value = Vec<(Index, Step)>> {
    let number = any::<Index>;
    let step = prop_oneof![
        3 => (number(), number(), number()).prop_map(|(a, b, c)| Step::MapOrDeviceWrites(a, b, c)),
        1 => (number(), number()).prop_map(|(a, b)| Step::ProcessorWrites(a, b)),
        1 => Just(Step::DeviceReads),
        1 => (number(), number()).prop_map(|(a, b)| Step::SyncForCpu(a, b)),
        1 => any::<bool>().prop_map(|all| Step::SyncForDevice { all }),
        1 => Just(Step::EvictCache),
        1 => Just(Step::ReadAhead),
        2 => prop::bool::weighted(0.25).prop_map(|in_interrupt| Step::Unmap { in_interrupt }),
    ];
    prop::collection::vec((number(), step), 1..150)
}

impl World {
    pub fn new(uncached_pools: bool, view_limit: usize, has_linear_pools: bool) -> Self {
        let machine = Machine::new();
        machine.set_view_limit(view_limit);
        if !has_linear_pools {
            machine.fail_always(Service::MapLinear);
        }
        let rig = Rig::on(machine);
        if uncached_pools {
            rig.low.add_flags(Flags::NOCACHE);
            rig.high.add_flags(Flags::NOCACHE);
        }
        let plain = rig.machine.plain_device();
        let coherent = rig.machine.device(DeviceInfo::plain().coherent());
        let tree = rig.machine.device(behind_ranges());
        let pci = rig.machine.device(DeviceInfo::pci(&[PCI_WINDOW]));
        let masters = vec![
            rig.master(plain, ALL),
            rig.master(plain, LOW_MASK),
            rig.master(plain, LOW_POOL + 64 * PAGE - 1),
            rig.master(plain, 0xffff),
            rig.master(coherent, ALL),
            rig.master(coherent, LOW_MASK),
            rig.master(tree, ALL),
            rig.master(pci, (LOW.end - LOW.start) / 2),
        ];
        let scattered = [5, 3, 9, 7].map(|page| HEAP + SLOT + page * PAGE);
        let mixed = [HEAP + 20 * PAGE, HEAP + 21 * PAGE, HIGH_HEAP + 9 * PAGE, HIGH_HEAP + 8 * PAGE];
        let mut slots = vec![
            rig.va(HEAP),
            rig.va(HIGH_HEAP),
            rig.machine.map_pages(&scattered, MemoryType::Cached),
            rig.machine.map_pages(&mixed, MemoryType::Cached),
        ];
        slots.extend(
            [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH, Flags::ADDRESS_32BITS]
                .map(|flags| rig.buffer(SLOT, flags).va),
        );
        let slots = slots
            .into_iter()
            .enumerate()
            .map(|(seed, va)| {
                rig.machine.cpu_write(va, &bytes(seed, SLOT));
                Slot { va, bytes: bytes(seed, SLOT), mapping: None }
            })
            .collect();
        World { rig, masters, slots, seed: 100 }
    }

    fn fresh(&mut self, size: usize) -> Vec<u8> {
        self.seed += 1;
        bytes(self.seed, size)
    }

    pub fn step(&mut self, slot: Index, step: Step) {
        let slot = slot.index(self.slots.len());
        match step {
            Step::MapOrDeviceWrites(a, b, c) if self.slots[slot].mapping.is_none() => self.map(slot, a, b, c),
            Step::MapOrDeviceWrites(a, b, _) => self.device_writes(slot, a, b),
            Step::ProcessorWrites(a, b) => self.processor_writes(slot, a, b),
            Step::DeviceReads => self.device_reads(slot),
            Step::SyncForCpu(a, b) => self.sync_for_cpu(slot, a, b),
            Step::SyncForDevice { all } => self.sync_for_device(slot, all),
            Step::EvictCache => self.rig.machine.evict_cache(),
            Step::ReadAhead => self.read_ahead(slot),
            Step::Unmap { in_interrupt } => self.unmap(slot, in_interrupt),
        }
    }

    fn map(&mut self, slot: usize, a: Index, b: Index, c: Index) {
        let (master, edges) = (a.index(self.masters.len() * 4) / 4, a.index(self.masters.len() * 4) % 4);
        let way = [ToDevice, FromDevice, Bidirectional][b.index(3)];
        // Either end may be on a line.
        let start = b.index(SLOT - LINE);
        let start = if edges / 2 == 0 { start & !(LINE - 1) } else { start };
        let end = start + 1 + c.index(SLOT - start);
        let end = if edges % 2 == 0 { end.next_multiple_of(LINE) } else { end };
        let size = end - start;
        let va = self.slots[slot].va + start;
        let master_of = self.masters[master];
        let map = || self.rig.map(&master_of, va, size, way);
        let used = self.rig.pool_bytes();
        // An interrupt may lack what a thread has.
        let result = if a.index(3) == 0 { self.rig.machine.in_interrupt(map).or_else(|_| map()) } else { map() };
        let handle = match result {
            Ok(handle) => handle,
            Err(error) => {
                assert!(master_of.mask == 0xffff, "{error:?} for {size} bytes");
                assert!(self.rig.pool_bytes() <= used, "nothing is lost, and what an interrupt left is freed");
                return;
            }
        };
        assert!(handle + size - 1 <= master_of.mask, "{handle:#x} is beyond {:#x}", master_of.mask);
        let range = start..start + size;
        self.slots[slot].mapping = Some(Mapping { master, handle, range, way, synced: 0..0 });
        self.device_reads(slot);
    }

    /// Checks that the device reads what the model has.
    fn device_reads(&mut self, slot: usize) {
        let Slot { bytes, mapping: Some(mapping), .. } = &self.slots[slot] else { return };
        let Mapping { master, handle, range, synced, .. } = mapping;
        let seen = self.rig.device_read(&self.masters[*master], *handle, range.len());
        for at in range.clone().filter(|at| !synced.contains(at)) {
            assert_eq!(seen[at - range.start], bytes[at], "byte {at} of slot {slot}, {range:?}");
        }
    }

    /// The device writes some of the bytes that it has.
    fn device_writes(&mut self, slot: usize, a: Index, b: Index) {
        let Some(mapping) = &self.slots[slot].mapping else { return };
        if mapping.way == ToDevice {
            return;
        }
        let (range, synced, handle) = (mapping.range.clone(), mapping.synced.clone(), mapping.handle);
        let master = self.masters[mapping.master];
        let from = range.start + a.index(range.len());
        let free = if from < synced.start { from..synced.start } else { from.max(synced.end)..range.end };
        if free.is_empty() {
            return;
        }
        let to = free.start + 1 + b.index(free.len());
        let written = self.fresh(to - free.start);
        self.rig.device_write(&master, handle + free.start - range.start, &written);
        self.slots[slot].bytes[free.start..to].copy_from_slice(&written);
    }

    /// The processor writes some of the bytes that it has: those before or after the mapping, or those that were synced for it.
    fn processor_writes(&mut self, slot: usize, a: Index, b: Index) {
        let (range, synced) = match &self.slots[slot].mapping {
            // What the processor writes to bytes that only the device writes goes nowhere.
            Some(mapping) if mapping.way == FromDevice => (mapping.range.clone(), 0..0),
            Some(mapping) => (mapping.range.clone(), mapping.synced.clone()),
            None => (0..0, 0..0),
        };
        let parts = [0..range.start, range.end..SLOT, synced];
        let part = &parts[a.index(3)];
        if part.is_empty() {
            return;
        }
        let from = part.start + a.index(part.len());
        let to = from + 1 + b.index(part.end - from);
        let written = self.fresh(to - from);
        self.rig.machine.cpu_write(self.slots[slot].va + from, &written);
        self.slots[slot].bytes[from..to].copy_from_slice(&written);
        self.processor_reads(slot);
    }

    /// Checks that the processor reads what the model has.
    pub fn processor_reads(&self, slot: usize) {
        let Slot { va, bytes, mapping } = &self.slots[slot];
        let (range, synced) = match mapping {
            Some(mapping) => (mapping.range.clone(), mapping.synced.clone()),
            None => (SLOT..SLOT, 0..0),
        };
        let parts = [0..range.start, synced, range.end..SLOT];
        for part in parts {
            let seen = self.rig.machine.cpu_read(va + part.start, part.len());
            assert!(seen == bytes[part.clone()], "{part:?} of slot {slot}");
        }
    }

    /// Syncs a part of the mapping, in whole lines, for the processor.
    fn sync_for_cpu(&mut self, slot: usize, a: Index, b: Index) {
        let Some(mapping) = &mut self.slots[slot].mapping else { return };
        if !mapping.synced.is_empty() {
            return;
        }
        let (handle, size, start) = (mapping.handle, mapping.range.len(), mapping.range.start);
        let from = (handle + a.index(size)) & !(LINE - 1);
        let from = from.saturating_sub(handle);
        let to = (handle + from + 1 + b.index(size - from)).next_multiple_of(LINE) - handle;
        let to = to.min(size);
        mapping.synced = start + from..start + to;
        let master = &self.masters[mapping.master];
        self.rig.for_cpu(master, handle + from, to - from, mapping.way).unwrap();
        self.processor_reads(slot);
    }

    /// Syncs the part, or with `all` the whole mapping, for the device again.
    pub fn sync_for_device(&mut self, slot: usize, all: bool) {
        let Some(mapping) = &mut self.slots[slot].mapping else { return };
        if mapping.synced.is_empty() {
            return;
        }
        let (from, to) = (mapping.synced.start - mapping.range.start, mapping.synced.end - mapping.range.start);
        let master = &self.masters[mapping.master];
        // The processor has not read what the device wrote to the rest. So the whole may be synced only if no rest is left.
        let is_whole = to - from == mapping.range.len();
        if all && is_whole {
            self.rig.for_device(master, mapping.handle, mapping.range.len(), mapping.way).unwrap();
        } else {
            self.rig.for_device(master, mapping.handle + from, to - from, mapping.way).unwrap();
        }
        mapping.synced = 0..0;
        self.device_reads(slot);
    }

    /// Reads ahead as a processor does: brings lines into the cache by each cached address of the buffer.
    fn read_ahead(&mut self, slot: usize) {
        let Slot { va, mapping, .. } = &self.slots[slot];
        self.rig.machine.cpu_read(*va, SLOT);
        if let Some(Mapping { master, handle, range, .. }) = mapping {
            let pa = self.rig.on_bus(&self.masters[*master], *handle);
            let linear = self.rig.va(pa);
            if self.rig.machine.is_linear(pa & !(PAGE - 1)) {
                self.rig.machine.cpu_read(linear, range.len());
            }
        }
    }

    pub fn unmap(&mut self, slot: usize, in_interrupt: bool) {
        if !self.slots[slot].mapping.as_ref().is_some_and(|mapping| mapping.synced.is_empty()) {
            return;
        }
        let Some(Mapping { master, handle, range, way, .. }) = self.slots[slot].mapping.take() else { return };
        let unmap = || self.rig.unmap(&self.masters[master], handle, range.len(), way).unwrap();
        if in_interrupt {
            self.rig.machine.in_interrupt(unmap)
        } else {
            unmap()
        }
        self.processor_reads(slot);
    }
}
