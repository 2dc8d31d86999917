//! Mappings on several cores at the same time, and in interrupts that come while a core is in a call.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{BusMaster, Direction::*};
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{MemoryType, Va};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The pages of [`HEAP`] or [`HIGH_HEAP`] that each core has for buffers in linear memory.
const PAGES_OF_A_CORE: usize = 4;
/// Pages of [`HEAP`]: a scattered buffer has two that are not next to each other.
const FIRST_SCATTERED_PAGES: usize = 64;
const SECOND_SCATTERED_PAGES: usize = 80;
/// Pages of [`HEAP`]: those of interrupts on core 0. Those of the next core follow.
const INTERRUPT_PAGES: usize = 128;
const INTERRUPT_PAGES_OF_A_CORE: usize = 16;
/// One of this number of interrupts maps a buffer.
const INTERRUPTS_FOR_A_MAP: usize = 16;

/// The interrupts that came.
static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
/// The buffers that they mapped: of whole cache lines, and of bytes that share lines with others.
static MAPPED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

thread_local! {
    /// The core that this thread stands for.
    static CORE: Cell<usize> = const { Cell::new(0) };
}

/// Each core, and each interrupt, finds the bytes of its own buffers. In the end nothing is missing.
#[test]
fn mappings_of_different_cores_do_not_meet() {
    let rig = Arc::new(Rig::new());
    let buffers = Buffers::new(&rig);
    // Bounce buffers of interrupts need spare records, whichever thread allocates them.
    let handle = rig.map(&buffers.plain, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&buffers.plain, handle, PAGE, ToDevice).unwrap();
    rig.streaming().trim();
    let before = rig.machine.balance();

    start_interrupts(&rig, &buffers.plain);
    on_every_core(|core| {
        CORE.set(core);
        for step in 0..150 {
            let (va, size, master) = buffers.of_step(&rig, core, step);
            let seed = core * 1000 + step;
            rig.machine.cpu_write(va, &bytes(seed, size));
            let handle = rig.map(master, va, size, Bidirectional).unwrap();
            assert_eq!(rig.device_read(master, handle, size), bytes(seed, size));
            rig.device_write(master, handle, &bytes(seed + 1, size));
            rig.sync_for_cpu(master, handle, size, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, size), bytes(seed + 1, size));
            rig.sync_for_device(master, handle, size, Bidirectional).unwrap();
            rig.device_write(master, handle, &bytes(seed + 2, size));
            rig.unmap(master, handle, size, Bidirectional).unwrap();
            assert_eq!(rig.machine.cpu_read(va, size), bytes(seed + 2, size));
        }
    });
    rig.machine.clear_interrupt();
    let mapped = MAPPED.each_ref().map(|count| count.load(Relaxed));
    assert!(mapped.iter().all(|count| *count > 100), "too few interrupts came: {mapped:?} buffers were mapped");
    rig.streaming().trim();
    assert_eq!(rig.machine.balance(), before);
    rig.assert_errors(0);
}

/// The buffers of all cores, and the devices to which they are handed.
struct Buffers {
    /// Reaches everything.
    plain: BusMaster,
    /// Reaches low memory only.
    low: BusMaster,
    uncached: Held,
    /// One for each core: two pages that are next to each other only for the processor.
    scattered: Vec<Va>,
}

impl Buffers {
    fn new(rig: &Rig) -> Self {
        let scattered = |core| {
            let pages = [FIRST_SCATTERED_PAGES, SECOND_SCATTERED_PAGES].map(|first| HEAP + (first + 2 * core) * PAGE);
            rig.machine.map_pages(&pages, MemoryType::Cached)
        };
        Buffers {
            plain: rig.plain(),
            low: rig.master(rig.machine.plain_device(), LOW_MASK),
            uncached: rig.buffer(CORES * PAGE, Flags::NOCACHE),
            scattered: (0..CORES).map(scattered).collect(),
        }
    }

    /// Returns the address and size of the buffer that a core maps in a step, and its device.
    fn of_step(&self, rig: &Rig, core: usize, step: usize) -> (Va, usize, &BusMaster) {
        let first_page = core * PAGES_OF_A_CORE;
        match step % 5 {
            // Whole pages, which need no bounce buffer.
            0 => (rig.va(HEAP + first_page * PAGE), 2 * PAGE, &self.plain),
            // Shares cache lines with other memory.
            1 => (rig.va(HEAP + first_page * PAGE + 7), 300, &self.plain),
            // Out of the device's reach.
            2 => (rig.va(HIGH_HEAP + first_page * PAGE), PAGE, &self.low),
            // Uncached memory of a pool, whose cache lines need no care.
            3 => (self.uncached.va + core * PAGE + 3, 70, &self.plain),
            // Two pages that are not next to each other for the device.
            _ => (self.scattered[core] + 99, PAGE, &self.plain),
        }
    }
}

/// Lets interrupts map and unmap buffers in pages of the core on which they come. Threads leave more spare records than
/// there are cores, so no map fails.
fn start_interrupts(rig: &Arc<Rig>, master: &BusMaster) {
    let (weak, master) = (Arc::downgrade(rig), *master);
    rig.machine.set_interrupt(move || {
        let Some(rig) = weak.upgrade() else { return };
        let number = INTERRUPTS.fetch_add(1, Relaxed);
        if !number.is_multiple_of(INTERRUPTS_FOR_A_MAP) {
            return;
        }
        let turn = number / INTERRUPTS_FOR_A_MAP;
        let page = INTERRUPT_PAGES + CORE.get() * INTERRUPT_PAGES_OF_A_CORE + turn % INTERRUPT_PAGES_OF_A_CORE;
        let shares_lines = turn % 2;
        let (offset, size) = [(0, 128), (1, 99)][shares_lines];
        let va = rig.va(HEAP + page * PAGE + offset);
        let handle = rig.map(&master, va, size, FromDevice).unwrap();
        rig.device_write(&master, handle, &bytes(turn, size));
        rig.unmap(&master, handle, size, FromDevice).unwrap();
        assert_eq!(rig.machine.cpu_read(va, size), bytes(turn, size));
        MAPPED[shares_lines].fetch_add(1, Relaxed);
    });
}
