//! Random buffers, devices and calls against a model that knows, for every byte, what must be there.

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
struct Slot {
    va: Va,
    /// What the processor must see; where the device has it, what the device must see.
    bytes: Vec<u8>,
    mapping: Option<Mapping>,
}

struct Mapping {
    master: usize,
    handle: usize,
    /// In the slot.
    range: Range<usize>,
    way: Direction,
    /// What the processor has for the time being, in the slot.
    lent: Range<usize>,
}

struct World {
    rig: Rig,
    masters: Vec<BusMaster>,
    slots: Vec<Slot>,
    /// A number for the next bytes to write.
    seed: usize,
}

/// One step: what, where, and three numbers.
type Step = (u8, Index, Index, Index, Index);

impl World {
    fn new(uncached_pools: bool, view_limit: usize, has_linear_pools: bool) -> Self {
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
            rig.master(plain, BITS_32),
            rig.master(plain, LOW_POOL + 64 * PAGE - 1),
            rig.master(plain, 0xffff),
            rig.master(coherent, ALL),
            rig.master(coherent, BITS_32),
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

    fn step(&mut self, (what, which, a, b, c): Step) {
        let slot = which.index(self.slots.len());
        match what {
            0..=2 if self.slots[slot].mapping.is_none() => self.map(slot, a, b, c),
            0..=2 => self.device_writes(slot, a, b),
            3 => self.processor_writes(slot, a, b),
            4 => self.device_reads(slot),
            5 => self.lend(slot, a, b),
            6 => self.give_back(slot, a.index(2) == 0),
            7 => self.rig.machine.evict_cache(),
            8 => self.read_ahead(slot),
            _ => self.unmap(slot, a.index(4) == 0),
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
        self.slots[slot].mapping = Some(Mapping { master, handle, range, way, lent: 0..0 });
        self.device_reads(slot);
    }

    /// The device must have what the model has.
    fn device_reads(&mut self, slot: usize) {
        let Slot { bytes, mapping: Some(mapping), .. } = &self.slots[slot] else { return };
        let Mapping { master, handle, range, lent, .. } = mapping;
        let seen = self.rig.device_read(&self.masters[*master], *handle, range.len());
        for at in range.clone().filter(|at| !lent.contains(at)) {
            assert_eq!(seen[at - range.start], bytes[at], "byte {at} of slot {slot}, {range:?}");
        }
    }

    /// Some of what the device has, and may write.
    fn device_writes(&mut self, slot: usize, a: Index, b: Index) {
        let Some(mapping) = &self.slots[slot].mapping else { return };
        if mapping.way == ToDevice {
            return;
        }
        let (range, lent, handle) = (mapping.range.clone(), mapping.lent.clone(), mapping.handle);
        let master = self.masters[mapping.master];
        let from = range.start + a.index(range.len());
        let free = if from < lent.start { from..lent.start } else { from.max(lent.end)..range.end };
        if free.is_empty() {
            return;
        }
        let to = free.start + 1 + b.index(free.len());
        let written = self.fresh(to - free.start);
        self.rig.device_write(&master, handle + free.start - range.start, &written);
        self.slots[slot].bytes[free.start..to].copy_from_slice(&written);
    }

    /// Some of what the processor has: neighbours, what is lent to it, or all.
    fn processor_writes(&mut self, slot: usize, a: Index, b: Index) {
        let (range, lent) = match &self.slots[slot].mapping {
            // What the processor writes to bytes that only the device writes goes nowhere.
            Some(mapping) if mapping.way == FromDevice => (mapping.range.clone(), 0..0),
            Some(mapping) => (mapping.range.clone(), mapping.lent.clone()),
            None => (0..0, 0..0),
        };
        let parts = [0..range.start, range.end..SLOT, lent];
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

    /// The processor must have what the model has.
    fn processor_reads(&self, slot: usize) {
        let Slot { va, bytes, mapping } = &self.slots[slot];
        let (range, lent) = match mapping {
            Some(mapping) => (mapping.range.clone(), mapping.lent.clone()),
            None => (SLOT..SLOT, 0..0),
        };
        let parts = [0..range.start, lent, range.end..SLOT];
        for part in parts {
            let seen = self.rig.machine.cpu_read(va + part.start, part.len());
            assert!(seen == bytes[part.clone()], "{part:?} of slot {slot}");
        }
    }

    /// Part of the mapping becomes the processor's, in whole lines.
    fn lend(&mut self, slot: usize, a: Index, b: Index) {
        let Some(mapping) = &mut self.slots[slot].mapping else { return };
        if !mapping.lent.is_empty() {
            return;
        }
        let (handle, size, start) = (mapping.handle, mapping.range.len(), mapping.range.start);
        let from = (handle + a.index(size)) & !(LINE - 1);
        let from = from.saturating_sub(handle);
        let to = (handle + from + 1 + b.index(size - from)).next_multiple_of(LINE) - handle;
        let to = to.min(size);
        mapping.lent = start + from..start + to;
        let master = &self.masters[mapping.master];
        self.rig.for_cpu(master, handle + from, to - from, mapping.way).unwrap();
        self.processor_reads(slot);
    }

    /// What was lent becomes the device's, or everything does.
    fn give_back(&mut self, slot: usize, all: bool) {
        let Some(mapping) = &mut self.slots[slot].mapping else { return };
        if mapping.lent.is_empty() {
            return;
        }
        let (from, to) = (mapping.lent.start - mapping.range.start, mapping.lent.end - mapping.range.start);
        let master = &self.masters[mapping.master];
        // Of what the device wrote to the rest, the processor has not heard: only a part may be given.
        let is_whole = to - from == mapping.range.len();
        if all && is_whole {
            self.rig.for_device(master, mapping.handle, mapping.range.len(), mapping.way).unwrap();
        } else {
            self.rig.for_device(master, mapping.handle + from, to - from, mapping.way).unwrap();
        }
        mapping.lent = 0..0;
        self.device_reads(slot);
    }

    /// The processor reads ahead: it brings lines into the cache, by every cached address that there is.
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

    fn unmap(&mut self, slot: usize, in_interrupt: bool) {
        if !self.slots[slot].mapping.as_ref().is_some_and(|mapping| mapping.lent.is_empty()) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn each_side_sees_what_the_other_wrote(
        uncached_pools in any::<bool>(),
        view_limit in prop::sample::select(vec![0, 64 * MIB]),
        has_linear_pools in any::<bool>(),
        steps in prop::collection::vec(
            (0u8..11, any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>()), 1..150),
    ) {
        let mut world = World::new(uncached_pools, view_limit, has_linear_pools);
        // Views are made on first use, and stay.
        for master in world.masters.clone() {
            for way in [FromDevice, Bidirectional] {
                let va = world.rig.va(HEAP + 200 * PAGE + 1);
                if let Ok(handle) = world.rig.map(&master, va, 100, way) {
                    world.rig.unmap(&master, handle, 100, way).unwrap();
                }
            }
        }
        world.rig.streaming.trim(world.rig.machine.dma);
        let before = world.rig.machine.balance();
        for step in steps {
            world.step(step);
        }
        for slot in 0..world.slots.len() {
            world.give_back(slot, true);
            world.unmap(slot, slot % 2 == 0);
            world.processor_reads(slot);
        }
        world.rig.machine.evict_cache();
        (0..world.slots.len()).for_each(|slot| world.processor_reads(slot));
        world.rig.streaming.trim(world.rig.machine.dma);
        prop_assert_eq!(world.rig.machine.balance(), before);
        world.rig.assert_errors(0);
    }
}
