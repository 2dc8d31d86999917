//! Memory that drivers map, and what each side must see of it.

use std::ops::Range;

use super::buffers::Buffer;
use super::{Device, fresh, world};
use crate::input;
use crate::memory::{self, HIGH, LOW, LOW_PAGES, MemoryType, PAGE};

/// Memory of a driver: all bytes that the processor must see, or the device where it has them.
#[derive(Clone)]
pub struct Area {
    pub va: usize,
    pub bytes: Vec<u8>,
    /// One mapping, or none.
    pub mappings: Vec<Mapping>,
    /// Whether it is a buffer of a pool, so that each mapping has a record.
    pub is_of_pool: bool,
}

/// A part of an area that a device has.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub device: Device,
    pub handle: usize,
    pub range: Range<usize>,
    pub direction: i32,
    /// The part that is synced for the processor; empty if none is.
    pub synced: Range<usize>,
    pub is_managed: bool,
    pub attributes: usize,
}

impl Mapping {
    pub fn size(&self) -> usize {
        self.range.len()
    }

    pub fn snoops(&self) -> bool {
        self.device.kind().is_coherent
    }

    pub fn pa(&self) -> usize {
        let Mapping { device, handle, .. } = self;
        let pa = device.reach(*handle, self.size());
        pa.unwrap_or_else(|| panic!("the device does not reach {} bytes at {handle:#x}", self.size()))
    }
}

/// Returns the first index at which two slices of one length differ.
fn first_difference(seen: &[u8], expected: &[u8]) -> Option<usize> {
    // The comparison of whole slices is the fast one.
    if seen == expected { None } else { seen.iter().zip(expected).position(|(seen, expected)| seen != expected) }
}

impl Area {
    pub fn is_mapped_for(&self, device: Device) -> bool {
        self.mappings.iter().any(|mapping| mapping.device.0 == device.0)
    }

    pub fn is_managed_by(&self, device: Device) -> bool {
        self.mappings.iter().any(|mapping| mapping.is_managed && mapping.device.0 == device.0)
    }

    /// Checks what the processor sees: all that is not the device's.
    pub fn check(&self) {
        let seen = memory::read(self.va, self.bytes.len());
        for part in self.parts() {
            let at = first_difference(&seen[part.clone()], &self.bytes[part.clone()]);
            assert!(
                at.is_none(),
                "the processor sees another byte at offset {:?} of {:#x}: {:x?}",
                at.map(|at| part.start + at),
                self.va,
                self.mappings
            );
        }
    }

    /// The processor's parts: before the mapping, after it, and the part that is synced for it.
    pub fn parts(&self) -> [Range<usize>; 3] {
        match self.mappings.first() {
            Some(mapping) => [0..mapping.range.start, mapping.range.end..self.bytes.len(), mapping.synced.clone()],
            None => [0..self.bytes.len(), 0..0, 0..0],
        }
    }

    /// Checks what the device sees: all that is not synced for the processor.
    pub fn check_device(&self) {
        let Some(mapping) = self.mappings.first() else { return };
        let seen = memory::with(|memory| memory.device_read(mapping.pa(), mapping.size(), mapping.snoops()));
        let Range { start, end } = mapping.range;
        let synced = mapping.synced.start.clamp(start, end)..mapping.synced.end.clamp(start, end);
        for part in [start..synced.start, synced.end.max(synced.start)..end] {
            let at = first_difference(&seen[part.start - start..part.end - start], &self.bytes[part.clone()]);
            assert!(
                at.is_none(),
                "the device sees another byte at offset {:?}: {mapping:x?} of {:#x}",
                at.map(|at| part.start + at),
                self.va
            );
        }
    }

    /// Notes that a managed mapping was ended.
    pub fn released(&mut self) {
        self.mappings.remove(0);
        self.check();
    }
}

/// Returns the kernel's memory that is mapped in a run: low, high, scattered, and both.
pub fn areas() -> Vec<Area> {
    let map =
        |pages: [usize; 4]| memory::with(|memory| memory.map_pages(&pages, MemoryType::Cached)).expect("a window");
    let places = [
        memory::linear(LOW + 4 * PAGE),
        memory::linear(HIGH + 2 * PAGE),
        map([8, 10, 9, 11]),
        map([14, 15, LOW_PAGES + 6, LOW_PAGES + 7]),
    ];
    let area = |va| {
        let bytes = fresh(3 * PAGE + 500);
        memory::write(va, &bytes);
        Area { va, bytes, mappings: Vec::new(), is_of_pool: false }
    };
    places.map(area).into()
}

/// An area of the kernel's memory, or of a buffer, which the model has no more until it is put back.
pub enum TakenArea {
    Kernel(Area),
    Buffer(Buffer),
}

impl TakenArea {
    pub fn area(&mut self) -> &mut Area {
        match self {
            TakenArea::Kernel(area) => area,
            TakenArea::Buffer(buffer) => &mut buffer.area,
        }
    }

    pub fn put_back(self) {
        world(|world| match self {
            TakenArea::Kernel(area) => world.areas.push(area),
            TakenArea::Buffer(buffer) => world.buffers.push(buffer),
        });
    }
}

/// Takes an area for which `is_wanted` holds out of the model.
pub fn take_out(is_wanted: impl Fn(&Area) -> bool) -> Option<TakenArea> {
    let choice = input::byte() as usize;
    world(|world| {
        let areas = world.areas.iter().map(|area| (area, true)).enumerate();
        let buffers = world.buffers.iter().map(|buffer| (&buffer.area, false)).enumerate();
        let all: Vec<_> = areas.chain(buffers).filter(|(_, (area, _))| is_wanted(area)).collect();
        let (index, (_, is_kernels)) = *all.get(choice % all.len().max(1))?;
        Some(if is_kernels {
            TakenArea::Kernel(world.areas.swap_remove(index))
        } else {
            TakenArea::Buffer(world.buffers.swap_remove(index))
        })
    })
}
