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
    direction: Direction,
    /// The bytes that were synced for the processor, by their offsets in the slot.
    synced: Range<usize>,
}

/// The machine, and the model of what each byte of its drivers' memory must be.
pub struct World {
    pub rig: Rig,
    pub masters: Vec<BusMaster>,
    pub slots: Vec<Slot>,
    /// A number for the next bytes to write.
    seed: usize,
}

/// What a step chooses for a map. For a write of the device, `start` and `size` count.
#[derive(Clone, Copy, Debug)]
pub struct MapChoice {
    master: Index,
    direction: Index,
    start: Index,
    size: Index,
    is_start_on_line: bool,
    is_end_on_line: bool,
    in_interrupt: bool,
}

/// A part of some bytes.
#[derive(Clone, Copy, Debug)]
pub struct PartChoice {
    start: Index,
    size: Index,
}

/// What a step does with its slot. It takes what it needs to choose from the numbers.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Maps a part of the slot; if it is mapped, the device writes.
    MapOrDeviceWrites(MapChoice),
    ProcessorWrites(PartChoice),
    DeviceReads,
    SyncForCpu(PartChoice),
    SyncForDevice {
        all: bool,
    },
    EvictCache,
    ReadAhead,
    Unmap {
        in_interrupt: bool,
    },
}

fn map_choices() -> impl Strategy<Value = MapChoice> {
    (any::<[Index; 4]>(), any::<[bool; 2]>(), prop::bool::weighted(0.33)).prop_map(
        |(indices, on_line, in_interrupt)| {
            let [master, direction, start, size] = indices;
            let [is_start_on_line, is_end_on_line] = on_line;
            MapChoice { master, direction, start, size, is_start_on_line, is_end_on_line, in_interrupt }
        },
    )
}

fn part_choices() -> impl Strategy<Value = PartChoice> {
    any::<[Index; 2]>().prop_map(|[start, size]| PartChoice { start, size })
}

/// Chooses steps, each with the number of its slot.
pub fn steps() -> impl Strategy<Value = Vec<(Index, Step)>> {
    let step = prop_oneof![
        3 => map_choices().prop_map(Step::MapOrDeviceWrites),
        1 => part_choices().prop_map(Step::ProcessorWrites),
        1 => Just(Step::DeviceReads),
        1 => part_choices().prop_map(Step::SyncForCpu),
        1 => any::<bool>().prop_map(|all| Step::SyncForDevice { all }),
        1 => Just(Step::EvictCache),
        1 => Just(Step::ReadAhead),
        2 => prop::bool::weighted(0.25).prop_map(|in_interrupt| Step::Unmap { in_interrupt }),
    ];
    prop::collection::vec((any::<Index>(), step), 1..150)
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
        let tree = rig.machine.device(below_ranges());
        let pci = rig.machine.device(DeviceInfo::with_pci_windows(&[PCI_WINDOW]));
        let masters = vec![
            rig.master(plain, NO_MASK),
            rig.master(plain, LOW_MASK),
            rig.master(plain, LOW_POOL + 64 * PAGE - 1),
            rig.master(plain, 0xffff),
            rig.master(coherent, NO_MASK),
            rig.master(coherent, LOW_MASK),
            rig.master(tree, NO_MASK),
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
            Step::MapOrDeviceWrites(choice) if self.slots[slot].mapping.is_none() => self.map(slot, choice),
            Step::MapOrDeviceWrites(choice) => self.device_writes(slot, choice),
            Step::ProcessorWrites(part) => self.processor_writes(slot, part),
            Step::DeviceReads => self.device_reads(slot),
            Step::SyncForCpu(part) => self.sync_for_cpu(slot, part),
            Step::SyncForDevice { all } => self.sync_for_device(slot, all),
            Step::EvictCache => self.rig.machine.evict_cache(),
            Step::ReadAhead => self.read_ahead(slot),
            Step::Unmap { in_interrupt } => self.unmap(slot, in_interrupt),
        }
    }

    fn map(&mut self, slot: usize, choice: MapChoice) {
        let index = choice.master.index(self.masters.len());
        let master = self.masters[index];
        let direction = *choice.direction.get(&DIRECTIONS);
        let start = choice.start.index(SLOT - LINE);
        let start = if choice.is_start_on_line { start & !(LINE - 1) } else { start };
        let end = start + 1 + choice.size.index(SLOT - start);
        let end = if choice.is_end_on_line { end.next_multiple_of(LINE) } else { end };
        let size = end - start;
        let va = self.slots[slot].va + start;
        let map = || self.rig.map(&master, va, size, direction);
        let used = self.rig.used_bytes();
        // An interrupt may lack what a thread has.
        let result = if choice.in_interrupt { self.rig.machine.in_interrupt(map).or_else(|_| map()) } else { map() };
        let handle = match result {
            Ok(handle) => handle,
            Err(error) => {
                assert!(master.mask == 0xffff, "{error:?} for {size} bytes");
                assert!(self.rig.used_bytes() <= used, "nothing is lost, and what an interrupt left is freed");
                return;
            }
        };
        assert!(handle + size - 1 <= master.mask, "{handle:#x} is beyond {:#x}", master.mask);
        let range = start..start + size;
        self.slots[slot].mapping = Some(Mapping { master: index, handle, range, direction, synced: 0..0 });
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
    fn device_writes(&mut self, slot: usize, choice: MapChoice) {
        let Some(mapping) = &self.slots[slot].mapping else { return };
        if mapping.direction == ToDevice {
            return;
        }
        let (range, synced, handle) = (mapping.range.clone(), mapping.synced.clone(), mapping.handle);
        let master = self.masters[mapping.master];
        let from = range.start + choice.start.index(range.len());
        let free = if from < synced.start { from..synced.start } else { from.max(synced.end)..range.end };
        if free.is_empty() {
            return;
        }
        let to = free.start + 1 + choice.size.index(free.len());
        let written = self.fresh(to - free.start);
        self.rig.device_write(&master, handle + free.start - range.start, &written);
        self.slots[slot].bytes[free.start..to].copy_from_slice(&written);
    }

    /// The processor writes some of the bytes that it has: those before or after the mapping, or those that were synced
    /// for it.
    fn processor_writes(&mut self, slot: usize, choice: PartChoice) {
        let (range, synced) = match &self.slots[slot].mapping {
            // What the processor writes to bytes that only the device writes goes nowhere.
            Some(mapping) if mapping.direction == FromDevice => (mapping.range.clone(), 0..0),
            Some(mapping) => (mapping.range.clone(), mapping.synced.clone()),
            None => (0..0, 0..0),
        };
        let parts = [0..range.start, range.end..SLOT, synced];
        let part = choice.start.get(&parts);
        if part.is_empty() {
            return;
        }
        let from = part.start + choice.start.index(part.len());
        let to = from + 1 + choice.size.index(part.end - from);
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
    fn sync_for_cpu(&mut self, slot: usize, part: PartChoice) {
        let Some(mapping) = &mut self.slots[slot].mapping else { return };
        if !mapping.synced.is_empty() {
            return;
        }
        let (handle, size, start) = (mapping.handle, mapping.range.len(), mapping.range.start);
        let from = (handle + part.start.index(size)) & !(LINE - 1);
        let from = from.saturating_sub(handle);
        let to = (handle + from + 1 + part.size.index(size - from)).next_multiple_of(LINE) - handle;
        let to = to.min(size);
        mapping.synced = start + from..start + to;
        let master = &self.masters[mapping.master];
        self.rig.sync_for_cpu(master, handle + from, to - from, mapping.direction).unwrap();
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
        // The processor has not read what the device wrote to the rest. So the whole may be synced only if no rest is
        // left.
        let is_whole = to - from == mapping.range.len();
        if all && is_whole {
            self.rig.sync_for_device(master, mapping.handle, mapping.range.len(), mapping.direction).unwrap();
        } else {
            self.rig.sync_for_device(master, mapping.handle + from, to - from, mapping.direction).unwrap();
        }
        mapping.synced = 0..0;
        self.device_reads(slot);
    }

    /// Reads ahead as a processor does: brings lines into the cache by each cached address of the buffer.
    fn read_ahead(&mut self, slot: usize) {
        let Slot { va, mapping, .. } = &self.slots[slot];
        self.rig.machine.cpu_read(*va, SLOT);
        if let Some(Mapping { master, handle, range, .. }) = mapping {
            let pa = self.rig.pa_of_handle(&self.masters[*master], *handle);
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
        let Some(Mapping { master, handle, range, direction, .. }) = self.slots[slot].mapping.take() else { return };
        let unmap = || self.rig.unmap(&self.masters[master], handle, range.len(), direction).unwrap();
        if in_interrupt {
            self.rig.machine.in_interrupt(unmap)
        } else {
            unmap()
        }
        self.processor_reads(slot);
    }
}
