//! The devices of the machine: each has a kind, which states its place in the device tree or on the PCI bus.

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use crate::firmware::{BAD_NODE, DISABLED, FOUND, NO_NODE, NO_REG, NOT_RESERVED};
use crate::memory::{self, HIGH, HIGH_PAGES, LOW, LOW_PAGES, PAGE};
use crate::own_table;
use crate::port::UNMAPPED;

/// Number of devices.
pub const DEVICES: usize = 12;

/// A `struct rt_device`.
#[repr(C, align(64))]
struct Place {
    ops: AtomicPtr<c_void>,
    kind: AtomicUsize,
}

/// Memory that a device reaches: addresses of the device, of the processor, bytes. The layout is
/// `rt_dma_port_window`'s.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Window {
    bus: u64,
    cpu: u64,
    size: u64,
}

/// How a device's addresses are translated.
#[derive(Clone, Copy)]
pub enum Bus {
    /// They are physical addresses.
    Plain,
    /// By the `dma-ranges` of its bus.
    Ranges(&'static [Window]),
    /// By the windows of its host bridge.
    Windows(&'static [Window]),
}

/// A table of operations of the board's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Chosen,
    /// With all operations.
    Own,
    /// With one operation, and null pointers.
    Partial,
}

/// A kind of devices.
pub struct Kind {
    pub name: Option<&'static CStr>,
    pub has_node: bool,
    /// The cache of the processor is kept coherent with the device.
    pub is_coherent: bool,
    pub bus: Bus,
    /// The entries of `memory-region`: indices of [`REGIONS`](crate::firmware::REGIONS), or errors.
    pub regions: &'static [Result<usize, c_int>],
    pub table: Table,
}

const LOW_SIZE: u64 = (LOW_PAGES * PAGE) as u64;
const HIGH_SIZE: u64 = (HIGH_PAGES * PAGE) as u64;

/// All low memory, at other addresses.
static WHOLE_LOW_MEMORY: [Window; 1] = [Window { bus: 0x8000_0000, cpu: LOW as u64, size: LOW_SIZE }];
/// Low memory in two parts, in another order and with a hole; high memory at addresses of 32 bits.
static PARTS_WITH_A_HOLE: [Window; 3] = [
    Window { bus: 0x9000_0000, cpu: (LOW + 24 * PAGE) as u64, size: 20 * PAGE as u64 },
    Window { bus: 0x0010_0000, cpu: (LOW + 50 * PAGE) as u64, size: 100 * PAGE as u64 },
    Window { bus: 0xa000_0000, cpu: HIGH as u64, size: HIGH_SIZE },
];
/// Two windows that overlap, of which the first counts, and one that begins within a page.
static OVERLAPPING: [Window; 3] = [
    Window { bus: 0x2000_0000, cpu: (LOW + 20 * PAGE) as u64, size: 10 * PAGE as u64 },
    Window { bus: 0x3000_0000, cpu: LOW as u64, size: 60 * PAGE as u64 + 100 },
    Window { bus: 0x5000_0040, cpu: (LOW + 64 * PAGE + 64) as u64, size: 96 * PAGE as u64 - 64 },
];

const PLAIN: Kind = Kind {
    name: Some(c"plain"),
    has_node: false,
    is_coherent: false,
    bus: Bus::Plain,
    regions: &[],
    table: Table::Chosen,
};

pub static KINDS: [Kind; 16] = [
    PLAIN,
    Kind { name: Some(c"coherent"), is_coherent: true, ..PLAIN },
    Kind { name: Some(c"ranges"), has_node: true, bus: Bus::Ranges(&WHOLE_LOW_MEMORY), ..PLAIN },
    Kind { name: Some(c"pci"), bus: Bus::Windows(&WHOLE_LOW_MEMORY), ..PLAIN },
    Kind { name: Some(c"own"), table: Table::Own, ..PLAIN },
    Kind { name: Some(c"owner"), has_node: true, regions: &[Ok(0)], ..PLAIN },
    Kind { name: Some(c"owners"), has_node: true, regions: &[Ok(0), Ok(1)], ..PLAIN },
    Kind { name: Some(c"holes"), has_node: true, bus: Bus::Ranges(&PARTS_WITH_A_HOLE), ..PLAIN },
    Kind { name: Some(c"windows"), bus: Bus::Windows(&OVERLAPPING), ..PLAIN },
    Kind { name: None, ..PLAIN },
    Kind { name: Some(c"no-map"), has_node: true, regions: &[Ok(2)], is_coherent: true, ..PLAIN },
    Kind {
        name: Some(c"refused"),
        has_node: true,
        regions: &[Err(NO_NODE), Err(DISABLED), Ok(4), Err(NO_REG), Ok(3), Err(BAD_NODE), Err(NOT_RESERVED)],
        ..PLAIN
    },
    Kind { name: Some(c"partial"), table: Table::Partial, ..PLAIN },
    Kind { name: Some(c"node"), has_node: true, ..PLAIN },
    Kind {
        name: Some(c"shared"),
        has_node: true,
        regions: &[Ok(1)],
        is_coherent: true,
        bus: Bus::Ranges(&PARTS_WITH_A_HOLE),
        ..PLAIN
    },
    Kind { name: Some(c"coherent-pci"), is_coherent: true, bus: Bus::Windows(&PARTS_WITH_A_HOLE), ..PLAIN },
];

fn place(dev: usize) -> &'static Place {
    // SAFETY: the devices lie in the first page of the kernel's memory, which stays mapped; their members are atomic.
    unsafe { &*(dev as *const Place) }
}

/// Returns the address of a device.
pub fn address(device: usize) -> usize {
    memory::linear(LOW) + device * size_of::<Place>()
}

/// Returns `dev->dma_ops`.
pub fn ops_of(dev: usize) -> &'static AtomicPtr<c_void> {
    &place(dev).ops
}

/// Makes the device a new one of this kind.
pub fn attach(device: usize, kind: usize) {
    let dev = address(device);
    place(dev).kind.store(kind, Relaxed);
    let ops = match KINDS[kind].table {
        Table::Chosen => std::ptr::null_mut(),
        Table::Own => own_table::own(),
        Table::Partial => own_table::partial(),
    };
    ops_of(dev).store(ops, Relaxed);
}

/// Returns the kind of the device at `dev`; `None` for the address of a borrower, which is no device.
pub fn kind(dev: usize) -> Option<&'static Kind> {
    dev.is_multiple_of(64).then(|| &KINDS[place(dev).kind.load(Relaxed)])
}

fn known(dev: usize) -> &'static Kind {
    kind(dev).unwrap_or_else(|| panic!("{dev:#x} is taken for a device"))
}

impl Bus {
    fn windows(self) -> Option<&'static [Window]> {
        match self {
            Bus::Plain => None,
            Bus::Ranges(windows) | Bus::Windows(windows) => Some(windows),
        }
    }

    /// Returns the device's address of `pa`, and the last address up to which the result holds.
    fn address(self, pa: usize) -> (Option<usize>, usize) {
        let Some(windows) = self.windows() else { return (Some(pa), usize::MAX) };
        let mut last = u64::MAX;
        for Window { bus, cpu, size } in windows {
            match (pa as u64).checked_sub(*cpu) {
                None => last = last.min(cpu - 1),
                Some(offset) if offset < *size => {
                    return (Some((bus + offset) as usize), last.min(cpu + size - 1) as usize);
                }
                Some(_) => {}
            }
        }
        (None, last as usize)
    }

    /// Returns the physical address of the byte at `handle`, for a handle that the library may return.
    pub fn physical(self, handle: usize) -> Option<usize> {
        let Some(windows) = self.windows() else { return Some(handle) };
        let found = windows.iter().find_map(|Window { bus, cpu, size }| {
            let offset = (handle as u64).checked_sub(*bus).filter(|offset| offset < size)?;
            Some((cpu + offset) as usize)
        })?;
        // A window that another one covers leads nowhere.
        (self.address(found).0 == Some(handle)).then_some(found)
    }

    /// Returns the physical address of `size` bytes at `handle`, which the device reaches at rising addresses.
    pub fn reach(self, handle: usize, size: usize) -> Option<usize> {
        let pa = self.physical(handle)?;
        let mut all = (0..size).step_by(64).chain([size.max(1) - 1]);
        let rises = |offset: usize| handle.checked_add(offset).and_then(|at| self.physical(at)) == Some(pa + offset);
        all.all(rises).then_some(pa)
    }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_device_is_coherent(dev: usize) -> c_int {
    kind(dev).is_some_and(|kind| kind.is_coherent).into()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_node(dev: usize) -> *const c_void {
    let kind = known(dev);
    if kind.has_node { std::ptr::from_ref(kind).cast() } else { std::ptr::null() }
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_has_dma_ranges(dev: usize) -> c_int {
    assert!(known(dev).has_node, "the ranges of a device without a node are read");
    matches!(known(dev).bus, Bus::Ranges(_)).into()
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_bus_range(dev: usize, pa: usize, to_handle: *mut usize, to_last: *mut usize) -> c_int {
    assert!(known(dev).has_node, "the ranges of a device without a node are read");
    let bus = if let bus @ Bus::Ranges(_) = known(dev).bus { bus } else { Bus::Plain };
    let (handle, last) = bus.address(pa);
    // SAFETY: the caller's places.
    unsafe {
        to_handle.write(handle.unwrap_or(UNMAPPED));
        to_last.write(last);
    }
    FOUND
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_cpu_address(dev: usize, handle: usize) -> usize {
    assert!(known(dev).has_node, "the ranges of a device without a node are read");
    // RT-Thread's translator takes the first range that holds the address, whether another one covers it or not.
    let Bus::Ranges(windows) = known(dev).bus else { return handle };
    let found = windows.iter().find(|window| (handle as u64).wrapping_sub(window.bus) < window.size);
    found.map_or(UNMAPPED, |window| (window.cpu + (handle as u64 - window.bus)) as usize)
}

#[unsafe(no_mangle)]
extern "C" fn rt_dma_port_bus_window(dev: usize, index: usize) -> *const Window {
    match known(dev).bus {
        Bus::Windows(windows) => windows.get(index).map_or(std::ptr::null(), std::ptr::from_ref),
        _ => std::ptr::null(),
    }
}
