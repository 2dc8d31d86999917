//! Mappings on several cores at the same time, and in interrupts that come meanwhile.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::Direction::*;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::MemoryType;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Cores and interrupts at every moment: each finds its own bytes, and in the end nothing is missing.
#[test]
fn mappings_of_different_cores_do_not_meet() {
    let rig = Arc::new(Rig::new());
    let master = rig.plain();
    let low = rig.master(rig.machine.plain_device(), LOW_MASK);
    let uncached = rig.buffer(CORES * PAGE, Flags::NOCACHE);
    let scattered: Vec<_> = (0..CORES)
        .map(|core| {
            rig.machine.map_pages(&[HEAP + (64 + 2 * core) * PAGE, HEAP + (80 + 2 * core) * PAGE], MemoryType::Cached)
        })
        .collect();
    // Bounce buffers of interrupts need spare records, whichever thread allocates them.
    let handle = rig.map(&master, rig.va(HEAP), PAGE, ToDevice).unwrap();
    rig.unmap(&master, handle, PAGE, ToDevice).unwrap();
    rig.streaming().trim();
    let before = rig.machine.balance();

    static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);
    let weak = Arc::downgrade(&rig);
    rig.machine.set_interrupt(move || {
        let Some(rig) = weak.upgrade() else { return };
        let number = INTERRUPTS.fetch_add(1, Relaxed);
        if !number.is_multiple_of(16) {
            return;
        }
        let va = rig.va(HEAP + (128 + number / 16 % 64) * PAGE + number % 2);
        if let Ok(handle) = rig.map(&master, va, 99, FromDevice) {
            rig.unmap(&master, handle, 99, FromDevice).unwrap();
        }
    });
    on_every_core(|core| {
        for step in 0..150 {
            let (va, size, master) = match step % 5 {
                0 => (rig.va(HEAP + core * 4 * PAGE), 2 * PAGE, &master),
                1 => (rig.va(HEAP + core * 4 * PAGE + 7), 300, &master),
                2 => (rig.va(HIGH_HEAP + core * 4 * PAGE), PAGE, &low),
                3 => (uncached.va + core * PAGE + 3, 70, &master),
                _ => (scattered[core] + 99, PAGE, &master),
            };
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
    assert!(INTERRUPTS.load(Relaxed) > 1_000, "too few interrupts came");
    rig.streaming().trim();
    assert_eq!(rig.machine.balance(), before);
    rig.assert_errors(0);
}
