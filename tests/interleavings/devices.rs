//! What is remembered of devices and of streaming mappings.

use super::kernel::ShuttleKernel;
use super::{at_once, call, explore, leak};
use rt_dma_pool::abi::rt_dma_map_ops;
use rt_dma_pool::additions::device::{DeviceRecords, masks::Masks};
use rt_dma_pool::additions::streaming::{
    Attributes, BadMapping, Buffer, BusMaster, Direction, MappedBuffer, Ops, Streaming, StreamingMaps,
};
use rt_dma_pool::dropin::buffer_request::BufferRequest;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::dropin::pool::Region;
use rt_dma_pool::dropin::registry::Dma;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::testing::Services;
use rt_dma_pool::kernel::{Device, PAGE_SIZE, Va};
use rt_dma_pool::log::Name;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

const DEVICE: Device = Device::at(0x1000);

/// The table of operations of every device before it has a mask.
static ORIGINAL: rt_dma_map_ops = rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };

/// Returns the change that sets the masks that are given.
fn change(streaming: Option<u64>, coherent: Option<u64>) -> impl FnOnce(&mut Masks) {
    move |masks| {
        masks.streaming = streaming.unwrap_or(masks.streaming);
        masks.coherent = coherent.unwrap_or(masks.coherent);
    }
}

/// Returns the masks of the device; all ones if none are recorded.
fn masks_of(records: &DeviceRecords<ShuttleKernel>, device: Device) -> Masks {
    records.masked_ops(device).map_or(Masks::UNLIMITED, |ops| ops.masks)
}

#[test]
fn both_masks_of_a_device_are_kept_however_many_set_them_first() {
    explore("first masks of a device", || {
        let records = leak(DeviceRecords::new(ShuttleKernel::new(0)));
        let set = |streaming: Option<u64>, coherent: Option<u64>| {
            call(move || {
                _ = records.set_masks(DEVICE, &ORIGINAL, || Masks::UNLIMITED, change(streaming, coherent)).unwrap()
            })
        };
        at_once([set(Some(0xffff), None), set(None, Some(0xff_ffff))]);
        assert_eq!(masks_of(records, DEVICE), Masks { streaming: 0xffff, coherent: 0xff_ffff });
    });
}

#[test]
fn a_record_is_freed_while_another_is_made() {
    explore("a mask is taken back while another is set", || {
        let records = leak(DeviceRecords::new(ShuttleKernel::new(0)));
        records.set_masks(DEVICE, &ORIGINAL, || Masks::UNLIMITED, change(Some(0xffff), None)).unwrap();
        let back = call(move || {
            records.set_masks(DEVICE, &ORIGINAL, || Masks::UNLIMITED, change(Some(!0), Some(!0))).unwrap();
            records.confirm_masks(DEVICE, Masks::UNLIMITED).unwrap();
        });
        // A device in the list of the first.
        let other = Device::at(DEVICE.address() + (1 << 16));
        let set = call(move || {
            records.set_masks(other, &ORIGINAL, || Masks::UNLIMITED, change(None, Some(0xff))).unwrap();
            assert_eq!(masks_of(records, other).coherent, 0xff);
        });
        at_once([back, set]);
        assert_eq!(masks_of(records, DEVICE), Masks::UNLIMITED);
        assert_eq!(masks_of(records, other).coherent, 0xff);
    });
}

/// The masks of a device's table; [`Masks::UNLIMITED`] while it has its original one.
type TableMasks = shuttle::sync::Mutex<Masks>;

/// A call of the C interface that sets masks.
fn set_masks(
    records: &DeviceRecords<ShuttleKernel>,
    table: &TableMasks,
    streaming: Option<u64>,
    coherent: Option<u64>,
) {
    let before = *table.lock().unwrap();
    let inherited = || if *table.lock().unwrap() == before { before } else { Masks::UNLIMITED };
    records.forget_old_masks(DEVICE, || *table.lock().unwrap() == Masks::UNLIMITED);
    let mut masks = records.set_masks(DEVICE, &ORIGINAL, inherited, change(streaming, coherent)).unwrap();
    loop {
        *table.lock().unwrap() = masks;
        match records.confirm_masks(DEVICE, masks) {
            Ok(()) => return,
            Err(now) => masks = now,
        }
    }
}

#[test]
fn no_mask_is_lost_while_another_is_taken_back() {
    explore("a mask is set while another is taken back", || {
        let records = leak(DeviceRecords::new(ShuttleKernel::new(0)));
        let table = Arc::new(TableMasks::new(Masks::UNLIMITED));
        // The record stays when the device has no mask.
        records.set_limits(DEVICE, |limits| limits.max_segment = 1).unwrap();
        set_masks(records, &table, Some(0xffff), None);
        let set = |streaming, coherent| {
            let table = table.clone();
            call(move || set_masks(records, &table, streaming, coherent))
        };
        at_once([set(Some(!0), None), set(None, Some(0xff)), set(Some(!0), None)]);
        let masks = Masks { streaming: !0, coherent: 0xff };
        assert_eq!((masks_of(records, DEVICE), *table.lock().unwrap()), (masks, masks));
    });
}

#[test]
fn no_mask_that_was_taken_back_returns_while_another_is_set() {
    explore("both masks are taken back while one is set", || {
        let records = leak(DeviceRecords::new(ShuttleKernel::new(0)));
        let table = Arc::new(TableMasks::new(Masks::UNLIMITED));
        records.set_limits(DEVICE, |limits| limits.max_segment = 1).unwrap();
        set_masks(records, &table, Some(0xffff), Some(0xff));
        let (other, last) = (table.clone(), table.clone());
        let back = call(move || set_masks(records, &other, Some(!0), Some(!0)));
        let set = call(move || set_masks(records, &last, Some(0xf), None));
        at_once([back, set]);
        let masks = *table.lock().unwrap();
        assert_eq!((masks_of(records, DEVICE), masks.coherent), (masks, !0));
    });
}

/// A system with a pool, whose memory is mapped by streaming maps.
fn system(kernel: ShuttleKernel) -> (&'static Dma<ShuttleKernel>, Streaming<'static, ShuttleKernel>) {
    let dma: &'static Dma<ShuttleKernel> = leak(Dma::new(kernel));
    dma.install(&Region { start: 0x8000_0000, end: 0x8000_8000, name: Name::NONE }).unwrap();
    (dma, Streaming::new(dma, leak(StreamingMaps::new())))
}

const MASTER: BusMaster = BusMaster { device: DEVICE, ops: Ops::Library(MapOps::NonCoherent), mask: usize::MAX };

/// Allocates a page of the pool, and returns its address.
fn page(dma: &Dma<ShuttleKernel>) -> Va {
    let request = BufferRequest::new(MapOps::NonCoherent, DEVICE, PAGE_SIZE, Flags::empty());
    dma.allocate_in_order(&request).unwrap().0
}

/// Maps 256 bytes of a buffer, the `part`-th, and returns the handle.
fn map(streaming: Streaming<ShuttleKernel>, va: Va, part: usize) -> usize {
    let (direction, attributes) = (Direction::FromDevice, Attributes::empty());
    let buffer = Buffer { va: va + part * 256, size: 256, direction, attributes };
    // SAFETY: the kernel touches no memory.
    unsafe { streaming.map(&MASTER, &buffer) }.unwrap()
}

/// Ends such a mapping.
fn unmap(streaming: Streaming<ShuttleKernel>, handle: usize) -> Result<(), BadMapping> {
    let (direction, attributes) = (Direction::FromDevice, Attributes::empty());
    let mapped = MappedBuffer { handle, size: 256, direction, attributes };
    // SAFETY: as in `map`.
    unsafe { streaming.unmap(&MASTER, &mapped) }
}

#[test]
fn of_two_unmaps_one_is_right_and_every_mapping_is_found() {
    explore("two unmaps of a recorded mapping", || {
        let (dma, streaming) = system(ShuttleKernel::new(0));
        let va = page(dma);
        let handle = map(streaming, va, 0);
        let accepted = Arc::new(Mutex::new(0));
        let again = || {
            let accepted = accepted.clone();
            call(move || *accepted.lock().unwrap() += unmap(streaming, handle).is_ok() as usize)
        };
        let other = call(move || {
            for part in 1..3 {
                let handle = map(streaming, va, part);
                unmap(streaming, handle).expect("a right unmap");
            }
        });
        at_once([again(), again(), other]);
        assert_eq!(*accepted.lock().unwrap(), 1, "the number of unmaps, of two, that are accepted");
    });
}

/// Two cores make the first direct mappings while a pool is installed over the memory. A map that does not find the
/// pool makes no record, so its unmap must need none.
#[test]
fn a_pool_that_is_installed_during_the_first_direct_map_is_a_later_one() {
    explore("a pool is installed during the first direct map", || {
        const HEAP: usize = 0x8010_0000;
        let kernel = ShuttleKernel::new(0);
        let (dma, streaming) = system(kernel);
        kernel.map_linear(HEAP, HEAP, PAGE_SIZE);
        // Otherwise the first maps make spare records, which takes longer than the install.
        streaming.tidy();
        let handles = Arc::new(Mutex::new(Vec::new()));
        let driver = |part| {
            let handles = handles.clone();
            call(move || {
                let handle = map(streaming, HEAP, part);
                handles.lock().unwrap().push(handle);
            })
        };
        let install = call(move || {
            dma.install(&Region { start: HEAP, end: HEAP + PAGE_SIZE, name: Name::NONE }).unwrap();
        });
        at_once([driver(0), driver(1), install]);
        for &handle in handles.lock().unwrap().iter() {
            unmap(streaming, handle).expect("a right unmap");
        }
    });
}

#[test]
fn fault_17_a_new_device_keeps_its_mapping_while_the_last_ones_end() {
    explore("a new device maps while mappings of the last one end", || {
        let (dma, streaming) = system(ShuttleKernel::new(0));
        let va = page(dma);
        let old = map(streaming, va, 0);
        // Whether the new device's operations are stored. Two threads make its first calls at once: one ends the last
        // device's mappings, and then the other one does, and goes on.
        let is_chosen = Arc::new(shuttle::sync::atomic::AtomicBool::new(false));
        let chosen = is_chosen.clone();
        let late = call(move || _ = streaming.forget_earlier_device(DEVICE, || !chosen.load(Ordering::Acquire)));
        let other = call(move || {
            is_chosen.store(true, Ordering::Release);
            let handle = map(streaming, va, 1);
            unmap(streaming, handle).expect("its mapping");
        });
        at_once([late, other]);
        streaming.forget_earlier_device(DEVICE, || true);
        assert_eq!(unmap(streaming, old), Err(BadMapping::Unknown), "a mapping of the last device is there");
    });
}

#[test]
fn an_interrupt_finds_the_records_of_a_fill_while_another_thread_frees_some() {
    explore("a fill while spare records are freed", || {
        // More than the 64 records that threads keep (`FIRST_TARGET` and `MARGIN` of `recorded/spares.rs`).
        const COUNT: usize = 66;
        let kernel = ShuttleKernel::new(0);
        let (dma, streaming) = system(kernel);
        let va = page(dma);
        // A peak of mappings leaves more records than threads keep before the fill.
        let handles: Vec<_> = (0..COUNT).map(|_| map(streaming, va, 0)).collect();
        handles.into_iter().for_each(|handle| unmap(streaming, handle).unwrap());
        // SAFETY: as in `map`.
        let fill = call(move || unsafe { streaming.fill(&MASTER, COUNT) }.unwrap());
        at_once([fill, call(move || streaming.tidy())]);
        kernel.enter_interrupt();
        for _ in 0..COUNT {
            map(streaming, va, 0);
        }
    });
}
