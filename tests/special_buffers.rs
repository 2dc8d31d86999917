//! Tests aligned requests (`rt_dma_alloc_aligned`) and coherent memory (`rt_dma_zalloc_coherent`) over the fake kernel.

mod fake_kernel;

use fake_kernel::{DeviceInfo, KIB, LOW, MIB, Machine, PAGE, Service, WrongMapping};
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::{BusWindow, Device};

/// The mask of a device that reaches everything.
const NO_MASK: u64 = !0;

/// Allocates a buffer, checks its alignment and its mapping, and returns its physical address. The buffer stays in use.
fn aligned(machine: &Machine, device: Device, size: usize, align: usize, flags: Flags, mask: u64) -> Option<usize> {
    let request = BufferRequest { mask, align, ..BufferRequest::new(MapOps::NonCoherent, device, size, flags) };
    let (va, handle) = machine.dma.allocate_in_order(&request).ok()?;
    assert_eq!(handle % align, 0);
    if !flags.contains(Flags::NOMAP) {
        assert_eq!(machine.pa_of(va), handle);
    }
    Some(handle)
}

#[test]
fn an_aligned_request_gets_the_lowest_aligned_address_of_the_first_pool_that_has_one() {
    let start = (LOW.start + MIB).next_multiple_of(MIB) + PAGE;
    let (machine, _) = Machine::with_pool(c"odd", start, 2 * MIB);
    let device = machine.plain_device();
    for flags in [Flags::empty(), Flags::NOCACHE, Flags::WRITE_THROUGH] {
        assert_eq!(aligned(&machine, device, 1, 1, flags, NO_MASK), Some(start + machine.balance().used_bytes - PAGE));
    }
    assert_eq!(aligned(&machine, device, PAGE, 64 * KIB, Flags::empty(), NO_MASK), Some(start - PAGE + 64 * KIB));
    assert_eq!(aligned(&machine, device, PAGE, 64 * KIB, Flags::NOCACHE, NO_MASK), Some(start - PAGE + 128 * KIB));
    assert_eq!(aligned(&machine, device, MIB, MIB, Flags::empty(), NO_MASK), Some(start - PAGE + MIB));
    // The pool's last page begins at the next boundary. It is the only page after that boundary.
    assert_eq!(aligned(&machine, device, PAGE, MIB, Flags::empty(), NO_MASK), Some(start - PAGE + 2 * MIB));
    assert_eq!(aligned(&machine, device, PAGE, MIB, Flags::empty(), NO_MASK), None);
    machine.install(c"even", start - PAGE + 4 * MIB, MIB);
    assert_eq!(aligned(&machine, device, PAGE, MIB, Flags::empty(), NO_MASK), Some(start - PAGE + 4 * MIB));
}

#[test]
fn a_mask_holds_for_aligned_requests_too() {
    let start = (LOW.start + MIB).next_multiple_of(MIB);
    let (machine, _) = Machine::with_pool(c"pool", start, 2 * MIB);
    let device = machine.plain_device();
    let mask = (start + MIB - 1) as u64;
    let before = machine.balance();
    assert_eq!(aligned(&machine, device, PAGE, MIB, Flags::empty(), mask), Some(start));
    assert_eq!(aligned(&machine, device, PAGE, MIB, Flags::empty(), mask), None);
    assert_eq!(machine.balance().used_bytes, before.used_bytes + PAGE, "what is out of reach is given back");
}

#[test]
fn what_cannot_be_mapped_is_given_back() {
    for service in [Service::HeapAlloc, Service::Map, Service::MapWrong(WrongMapping::LastPage)] {
        let (machine, _) = Machine::with_pool(c"pool", LOW.start + MIB, 2 * MIB);
        machine.set_view_limit(0);
        let device = machine.plain_device();
        let before = machine.balance();
        machine.fail_always(service);
        assert_eq!(aligned(&machine, device, PAGE, 64 * KIB, Flags::NOCACHE, NO_MASK), None, "{service:?}");
        assert!(machine.repair(service));
        assert_eq!(machine.balance(), before);
        assert!(aligned(&machine, device, PAGE, 64 * KIB, Flags::NOCACHE, NO_MASK).is_some());
    }
}

#[test]
fn an_alignment_and_a_size_that_no_pool_has_are_refused() {
    let (machine, _) = Machine::with_pool(c"pool", LOW.start + MIB, MIB);
    let device = machine.plain_device();
    assert_eq!(aligned(&machine, device, PAGE, 1 << (usize::BITS - 1), Flags::empty(), NO_MASK), None);
    for size in [0, usize::MAX, 2 * MIB] {
        let answer = aligned(&machine, device, size, PAGE, Flags::empty(), NO_MASK);
        assert_eq!(answer, None, "{size:#x}");
    }
}

/// Allocates coherent memory as `rt_dma_zalloc_coherent` does, and returns its handle. The buffer stays in use.
fn coherent(machine: &Machine, device: Device, size: usize) -> Option<usize> {
    let request = BufferRequest::new(MapOps::NonCoherent, device, size, Flags::NOCACHE);
    let on_any_page = || machine.dma.allocate_in_order(&request).ok();
    machine.dma.allocate_coherent(&request, on_any_page).map(|(_, handle)| handle)
}

#[test]
fn coherent_memory_is_aligned_to_its_size_up_to_a_mebibyte() {
    let start = LOW.start.next_multiple_of(16 * MIB) + PAGE;
    let (machine, _) = Machine::with_pool(c"odd", start, 4 * MIB);
    let device = machine.plain_device();
    assert_eq!(coherent(&machine, device, 1), Some(start));
    assert_eq!(coherent(&machine, device, PAGE), Some(start + PAGE));
    assert_eq!(coherent(&machine, device, PAGE + 1), Some(start + 3 * PAGE));
    assert_eq!(coherent(&machine, device, 5 * PAGE), Some(start - PAGE + 8 * PAGE));
    assert_eq!(coherent(&machine, device, MIB), Some(start - PAGE + MIB));
    assert_eq!(coherent(&machine, device, MIB), Some(start - PAGE + 2 * MIB));
    assert_eq!(coherent(&machine, device, MIB - PAGE), Some(start - PAGE + 3 * MIB));
    // The free pages before the first of these buffers would hold it, but they begin at no multiple of 1 MiB.
    assert_eq!(coherent(&machine, device, MIB / 2 + 1), None);
    assert_eq!(coherent(&machine, device, 0), None);
    assert_eq!(coherent(&machine, device, usize::MAX), None);
}

#[test]
fn larger_coherent_memory_is_aligned_as_far_as_there_is_room() {
    let start = LOW.start.next_multiple_of(16 * MIB) + PAGE;
    let (machine, _) = Machine::with_pool(c"odd", start, 8 * MIB);
    let device = machine.plain_device();
    assert_eq!(coherent(&machine, device, 3 * MIB), Some(start - PAGE + 4 * MIB));
    assert_eq!(coherent(&machine, device, 2 * MIB + 1), Some(start - PAGE + MIB), "no multiple of 4 MiB is free");
    let (machine, _) = Machine::with_pool(c"odd", start, 2 * MIB);
    let device = machine.plain_device();
    assert_eq!(coherent(&machine, device, 2 * MIB), Some(start), "no multiple of 1 MiB has room after it");
}

#[test]
fn the_handle_is_aligned_where_the_bus_translates_it() {
    let start = LOW.start.next_multiple_of(16 * MIB);
    for bus in [3 * PAGE, 0x8000_0000 - 5 * PAGE] {
        let window = BusWindow { bus: bus as u64, cpu: (start + 9 * PAGE) as u64, size: 2 * MIB as u64 };
        for (ops, info) in [
            (MapOps::DeviceTree, DeviceInfo::with_dma_ranges(&[window])),
            (MapOps::Pci, DeviceInfo::with_pci_windows(&[window])),
        ] {
            let (machine, _) = Machine::with_pool(c"pool", start, 4 * MIB);
            let device = machine.device(info);
            let mut handles = Vec::new();
            for align in [1, 64 * KIB, 2 * PAGE, PAGE, MIB, 64 * KIB] {
                let request = BufferRequest { align, ..BufferRequest::new(ops, device, PAGE, Flags::empty()) };
                let (va, handle) = machine.dma.allocate_in_order(&request).unwrap();
                let is_expected = |handle: &usize| handle.is_multiple_of(align) && !handles.contains(handle);
                assert_eq!(Some(handle), (bus..).step_by(PAGE).find(is_expected), "{align:#x}");
                assert_eq!(machine.pa_of(va), window.cpu as usize + (handle - bus));
                handles.push(handle);
            }
            let request = BufferRequest { align: 4 * MIB, ..BufferRequest::new(ops, device, PAGE, Flags::empty()) };
            assert!(machine.dma.allocate_in_order(&request).is_err());
        }
    }
}
