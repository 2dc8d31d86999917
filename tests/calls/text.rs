//! Tests a console whose driver calls the library for every line: that call must never wait for the thread that writes
//! the line. For every line of every test, the fake kernel also asserts that the library holds no lock and no turn.

use crate::fake_kernel::*;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::NamedRegion;
use rt_dma_pool::log::Level;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Runs `scenario` with a console whose driver makes its device's first call for every line. Returns the number of
/// lines.
fn with_console_that_allocates(machine: &Arc<Machine>, scenario: impl FnOnce() + Send) -> usize {
    let others = machine.clone();
    let driver = move |line: usize| {
        // The call claims the device's region, so that a pool is installed and a line is written.
        let region = named_region(START + (40 + line.min(9)) * MIB, 4 * PAGE);
        let console = others.device(DeviceInfo::with_regions(&[region]));
        for flags in [Flags::empty(), Flags::NOCACHE] {
            let held = others.alloc(console, PAGE, flags).unwrap();
            others.free(held).unwrap();
        }
        others.list();
    };
    machine.with_console_driver(driver, scenario)
}

fn machine() -> Arc<Machine> {
    Arc::new(Machine::new())
}

#[test]
fn fault_22_install_and_its_refusal_write_without_a_turn() {
    let machine = machine();
    let lines = with_console_that_allocates(&machine, || {
        machine.install(c"dma", START, MIB);
        assert!(machine.try_install(c"again", START, MIB).is_err());
    });
    assert_eq!(lines, 2);
}

#[test]
fn fault_22_extract_writes_without_a_turn() {
    let machine = machine();
    machine.set_reserved(Some(vec![ReservedRegion { start: START, end: START + 8 * MIB, usable: true }]));
    let lines = with_console_that_allocates(&machine, || {
        machine.extract(8 * MIB, 2 * MIB).unwrap();
        machine.extract(MIB, 0).unwrap_err();
    });
    // The console's own call installs a pool while the first line is written. It may also write the second boot line.
    assert!(lines >= 2, "a line for the first pool, and one for the second call");
    let mut reserved = machine.take_log(Level::Info);
    reserved.retain(|line| line.starts_with("coherent-pool: Reserved") || line.starts_with("cma: Reserved"));
    reserved.sort();
    let [cma, coherent] = &reserved[..] else { panic!("a boot line for each pool, once: {reserved:?}") };
    assert!(cma.starts_with("cma: ") && coherent.starts_with("coherent-pool: "), "{reserved:?}");
}

#[test]
fn fault_22_claims_of_regions_write_without_a_turn() {
    let machine = machine();
    machine.install(c"dma", START, MIB);
    let no_map = NamedRegion { is_no_map: true, ..named_region(START + 16 * MIB, MIB) };
    let regions = [no_map, named_region(START, PAGE), named_region(START + 24 * MIB, MIB)];
    let device = machine.device(DeviceInfo::with_regions(&regions));
    let lines = with_console_that_allocates(&machine, || {
        machine.ops_of(device).unwrap();
    });
    assert_eq!(lines, 3);
}

#[test]
fn fault_22_reserved_memory_is_installed_without_a_turn_while_it_writes() {
    let machine = machine();
    let nodes = vec![
        SharedPoolNode::fixed(START + 16 * MIB, MIB).reusable().default_pool(),
        SharedPoolNode::without_reg(MIB),
        SharedPoolNode { is_readable: false, ..SharedPoolNode::without_reg(MIB) },
        SharedPoolNode::without_reg(0),
    ];
    let memory = vec![Some(START..START + 32 * MIB)];
    machine.set_boot(BootMemory { nodes: Some(nodes), memory, reserved: Vec::new(), paged: Vec::new() });
    let lines = with_console_that_allocates(&machine, || {
        machine.dma.install_reserved().unwrap_err();
    });
    assert_eq!(lines, 4);
}

#[test]
fn fault_22_the_list_of_pools_is_written_without_a_turn() {
    let machine = machine();
    machine.install(c"dma", START, MIB);
    assert!(with_console_that_allocates(&machine, || machine.dma.report()) >= 3);
}

/// RT-Thread's ioremap writes a line if its window is full.
#[test]
fn fault_22_a_view_is_mapped_without_a_turn() {
    let machine = machine();
    machine.install(c"dma", START, MIB);
    let (device, console, others) = (machine.plain_device(), machine.plain_device(), machine.clone());
    for flags in [Flags::NOCACHE, Flags::WRITE_THROUGH] {
        let others = others.clone();
        let driver = move |_| {
            let held = others.alloc(console, PAGE, flags).expect("there is room for one page");
            others.free(held).unwrap();
        };
        machine.fail(Service::Map, 0, 1);
        let lines = machine.with_console_driver(driver, || {
            let held = machine.alloc(device, PAGE, flags).expect("there is room for one page");
            machine.free(held).unwrap();
        });
        assert_eq!(lines, 1);
    }
}

/// A thread writes a line while it maps a view, and does not go on before the console's call has ended. That call needs
/// the view too, so it waits as long as a call waits at most, and then makes an own mapping of its buffer.
#[test]
fn a_call_waits_100_ticks_for_another_that_maps_the_pool() {
    let machine = machine();
    machine.install(c"dma", START, MIB);
    let (device, console, others) = (machine.plain_device(), machine.plain_device(), machine.clone());
    let waited = Arc::new(AtomicUsize::new(0));
    let ticks = waited.clone();
    let driver = move |_| {
        let before = others.tick_count();
        let held = others.alloc(console, PAGE, Flags::NOCACHE).expect("there is room for one page");
        ticks.store(others.tick_count() - before, Relaxed);
        assert_eq!(others.mappings().len(), 1, "the mapping of this buffer");
        others.free(held).unwrap();
        assert_eq!(others.mappings().len(), 0);
    };
    machine.fail(Service::Map, 0, 1);
    machine.with_console_driver(driver, || {
        let held = machine.alloc(device, PAGE, Flags::NOCACHE).expect("there is room for one page");
        machine.free(held).unwrap();
    });
    assert_eq!(waited.load(Relaxed), 100);
}

/// RT-Thread's address space writes a line if it has no memory for an area, also for that of a linear map.
#[test]
fn fault_22_a_pool_is_mapped_linearly_without_a_turn() {
    let machine = machine();
    machine.set_reserved(Some(vec![ReservedRegion { start: START, end: START + 8 * MIB, usable: true }]));
    machine.fail(Service::MapLinear, 0, 1);
    let lines = with_console_that_allocates(&machine, || {
        let pool = machine.install(c"dma", START + 16 * MIB, MIB);
        assert!(!pool.flags().contains(Flags::LINEAR));
    });
    assert_eq!(lines, 2, "one of the kernel, and the boot line");
    machine.fail(Service::MapLinear, 0, 2);
    with_console_that_allocates(&machine, || {
        machine.extract(8 * MIB, 2 * MIB).unwrap();
    });
}

/// The pool that is being mapped serves the console too, by mappings of single buffers.
#[test]
fn fault_22_a_pool_is_mapped_linearly_later_without_a_turn() {
    let machine = machine();
    machine.fail(Service::MapLinear, 0, 2);
    machine.install(c"dma", START, MIB);
    let (device, console, others) = (machine.plain_device(), machine.plain_device(), machine.clone());
    let driver = move |_| {
        for flags in [Flags::empty(), Flags::NOCACHE] {
            let held = others.alloc(console, PAGE, flags).expect("there is room for one page");
            others.free(held).unwrap();
        }
    };
    let lines = machine.with_console_driver(driver, || {
        let held = machine.alloc(device, PAGE, Flags::empty()).expect("there is room for one page");
        machine.free(held).unwrap();
    });
    assert_eq!(lines, 1);
}
