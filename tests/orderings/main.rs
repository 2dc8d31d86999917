//! What one core publishes for others, over the library's own code, under the orderings that loom explores: those of
//! weakly ordered processors too, with up to four preemptions. `docs/testing.md` states what loom does not explore.
//!
//! Before it starts threads or publishes an object, a scenario uses each atomic of the library that threads share. Some of
//! these lines look like checks. loom counts the first use as a write (`mem/atomics/per_execution.rs`).
//!
//! `ci/interleavings` runs it. loom prints the accesses of a failure with `LOOM_LOG=trace`.

mod kernel;

use kernel::{LoomKernel, unless_it_waits};
use loom::cell::UnsafeCell;
use loom::thread;
use rt_dma_pool::abi::rt_dma_map_ops;
use rt_dma_pool::additions::block_pool::pools::{BlockPoolSpec, BlockPools};
use rt_dma_pool::additions::block_pool::states::BlockStates;
use rt_dma_pool::additions::block_pool::{Effort, Pages, PoolName};
use rt_dma_pool::additions::device::{DeviceRecords, masks::Masks};
use rt_dma_pool::additions::streaming::direct::linear_range::{LinearBytes, LinearRange};
use rt_dma_pool::dropin::loans::Loans;
use rt_dma_pool::dropin::name_readers::NameReaders;
use rt_dma_pool::dropin::page_map::CacheState;
use rt_dma_pool::dropin::pool::own_mappings::{BufferPages, OwnMapping, OwnMappings};
use rt_dma_pool::kernel::{Device, PAGE_SIZE, Va};
use rt_dma_pool::mem::atomic_ref::{AlwaysSetRef, AtomicRef};
use rt_dma_pool::mem::atomics::{AtomicUsize, Ordering::Relaxed};
use rt_dma_pool::mem::hook::Hook;
use rt_dma_pool::mem::turn::Turn;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize as Counter, Ordering::SeqCst};

/// Plain memory: loom stops the test if two cores access it without an order, and one of them writes.
struct Plain(UnsafeCell<usize>);

// SAFETY: loom watches the accesses.
unsafe impl Sync for Plain {}
// SAFETY: the value is a number, which any core may have.
unsafe impl Send for Plain {}

impl Plain {
    fn new(value: usize) -> Self {
        Plain(UnsafeCell::new(value))
    }

    fn read(&self) -> usize {
        // SAFETY: loom stops the test if another core writes at the same time.
        self.0.with(|value| unsafe { *value })
    }

    fn write(&self, to: usize) {
        // SAFETY: loom stops the test if another core reads or writes at the same time.
        self.0.with_mut(|value| unsafe { *value = to })
    }
}

const KERNEL: LoomKernel = LoomKernel { may_sleep: true };

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Goes through the executions of a scenario that loom explores, and prints how many there are.
fn explore(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    let count = leak(Counter::new(0));
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(4);
    model.check(move || {
        count.fetch_add(1, SeqCst);
        scenario();
    });
    println!("orderings: {name}: {}", count.load(SeqCst));
}

#[test]
fn a_core_that_finds_a_reference_sees_what_it_leads_to() {
    explore("AtomicRef, set and changed", || {
        let reference = leak(AtomicRef::<Plain>::new());
        assert!(reference.get().is_none());
        let writer = thread::spawn(move || {
            for value in [1, 2] {
                let plain = leak(Plain::new(0));
                plain.write(value);
                reference.set(Some(plain));
            }
        });
        if let Some(plain) = reference.get() {
            assert!([1, 2].contains(&plain.read()));
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_core_that_walks_a_list_sees_whole_links() {
    struct Link {
        value: Plain,
        next: AtomicRef<Link>,
    }
    explore("AtomicRef, a list of two", || {
        let first = leak(AtomicRef::<Link>::new());
        assert!(first.get().is_none());
        let link = |value: usize| {
            let link = leak(Link { value: Plain::new(0), next: AtomicRef::new() });
            link.value.write(value);
            assert!(link.next.get().is_none());
            link
        };
        let writer = thread::spawn(move || {
            let one = link(1);
            first.set(Some(one));
            one.next.set(Some(link(2)));
        });
        let seen: Vec<_> =
            std::iter::successors(first.get(), |link| link.next.get()).map(|link| link.value.read()).collect();
        assert!([&[][..], &[1], &[1, 2]].contains(&&seen[..]));
        writer.join().unwrap();
    });
}

#[test]
fn a_table_that_replaces_another_is_seen_whole() {
    explore("AlwaysSetRef, set by two", || {
        let table = |count: usize| -> &'static Vec<Plain> {
            let values = leak((0..count).map(|_| Plain::new(0)).collect::<Vec<_>>());
            values.iter().for_each(|value| value.write(count));
            values
        };
        let current = leak(AlwaysSetRef::new(table(1)));
        // loom's atomics are made at their first use, which must come before the other threads.
        assert_eq!(current.get().len(), 1);
        let writers = [2, 3].map(|count| thread::spawn(move || current.set(table(count))));
        let seen = current.get();
        seen.iter().for_each(|value| assert_eq!(value.read(), seen.len(), "parts of two tables"));
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
}

/// A driver's core sets a mask, and then, as the C interface does, the device's operations. They are a word of C,
/// which loom cannot watch: `ci/barriers` reads its load and its store in the machine code.
#[test]
fn a_core_that_finds_the_operations_of_a_device_finds_its_mask() {
    // Both devices have a bit of one word in the set of devices with masks.
    let (device, earlier) = (Device::at(0x40), Device::at(0x50));
    static ORIGINAL: rt_dma_map_ops =
        rt_dma_map_ops { alloc: None, free: None, sync_out_data: None, sync_in_data: None };
    explore("operations of a device", move || {
        let records = leak(DeviceRecords::new(KERNEL));
        let change = |masks: &mut Masks| masks.streaming = 0xff;
        let set = move |device| records.set_masks(device, &ORIGINAL, || Masks::UNLIMITED, change).unwrap();
        let operations = leak(AtomicRef::<Plain>::new());
        set(earlier);
        assert!(operations.get().is_none());
        let writer = thread::spawn(move || {
            set(device);
            let table = leak(Plain::new(0));
            table.write(1);
            operations.set(Some(table));
        });
        if let Some(table) = operations.get() {
            assert_eq!((table.read(), records.masked_ops(device).unwrap().masks.streaming), (1, 0xff));
        }
        writer.join().unwrap();
    });
}

/// One core creates the first block pool, which sets the hook, and reads the device's mask. Another core sets a mask,
/// and makes the pools of the hook follow it.
#[test]
fn a_mask_is_read_by_a_new_pool_or_passed_to_it() {
    static POOLS: usize = 1;
    explore("Hook, set while a mask is", || {
        let hook = leak(Hook::<usize>::new());
        let mask = leak(AtomicUsize::new(0));
        assert!(hook.get().is_none() && mask.load(Relaxed) == 0);
        let creator = thread::spawn(move || {
            hook.set_before_reads(&POOLS);
            mask.load(Relaxed) == 1
        });
        mask.store(1, Relaxed);
        let is_passed = hook.get_after_writes().is_some();
        assert!(creator.join().unwrap() || is_passed, "the pool does not follow the mask");
    });
}

#[test]
fn the_holder_of_a_turn_sees_what_the_last_one_wrote() {
    explore("Turn, two threads", || {
        let turn = leak(Turn::new());
        let value = leak(Plain::new(0));
        // In an interrupt, which does not wait.
        let work = move || match turn.take_or_try(LoomKernel { may_sleep: false }) {
            Some(turn) => {
                value.write(value.read() + 1);
                drop(turn);
                1
            }
            None => 0,
        };
        drop(turn.take(KERNEL));
        let other = thread::spawn(work);
        let done = work() + other.join().unwrap();
        assert_eq!(value.read(), done);
    });
}

const VA: usize = 0x1000;

/// A buffer is mapped by itself at an address at which another buffer was before. A late second free of that one
/// must not take the mapping.
#[test]
fn a_late_free_takes_no_mapping_of_another_buffer() {
    explore("Mapping, a late second free", || {
        let mappings = leak(OwnMappings::new());
        let map = move |page: usize| {
            let record =
                mappings.reserve(KERNEL, BufferPages { first_page: page, page_count: 1 }, CacheState::Clean).unwrap();
            record.set_address(NonZeroUsize::new(VA).unwrap());
            record
        };
        let claim = move |record: &OwnMapping, first_page, page_count| {
            mappings.claim(KERNEL, record, VA, BufferPages { first_page, page_count })
        };
        let first = map(1);
        assert!(claim(first, 1, 2).is_err() && mappings.find(VA).is_some());
        let late_free = thread::spawn(move || unless_it_waits(|| claim(first, 1, 1).is_ok()));
        let first_free = unless_it_waits(|| {
            let is_accepted = claim(first, 1, 1).is_ok();
            if is_accepted {
                mappings.release(first);
                // The record and the address of the first buffer, for another page.
                let second = map(2);
                assert_eq!(claim(second, 2, 1), Ok(()), "the late free made the owner's free fail");
            }
            is_accepted
        });
        if let (Some(first), Some(late)) = (first_free, late_free.join().unwrap()) {
            assert!(first != late, "exactly one of the two frees must be accepted");
        }
    });
}

/// What the first owner wrote through its mapping, or did with the record, is before what the next owner does.
#[test]
fn the_next_owner_of_a_record_comes_after_the_last() {
    explore("Mapping, kept and reserved", || {
        let mappings = leak(OwnMappings::new());
        let memory = leak(Plain::new(0));
        let record = mappings.reserve(KERNEL, BufferPages { first_page: 1, page_count: 1 }, CacheState::Clean).unwrap();
        record.set_address(NonZeroUsize::new(VA).unwrap());
        assert!(
            mappings.claim(KERNEL, record, VA, BufferPages { first_page: 1, page_count: 2 }).is_err()
                && mappings.find(VA).is_some()
        );
        let next = thread::spawn(move || {
            let reserve =
                || mappings.reserve(KERNEL, BufferPages { first_page: 2, page_count: 1 }, CacheState::Clean).unwrap();
            let is_reused = unless_it_waits(reserve).is_some_and(|next| std::ptr::eq(next, record));
            if is_reused {
                memory.write(2);
            }
            is_reused
        });
        let is_released = unless_it_waits(|| {
            mappings.claim(KERNEL, record, VA, BufferPages { first_page: 1, page_count: 1 }).unwrap();
            memory.write(1);
            mappings.release(record);
        });
        let is_reused = next.join().unwrap();
        if is_released.is_some() {
            assert_eq!(memory.read(), if is_reused { 2 } else { 1 });
        }
    });
}

/// A borrower makes the first record, and an owner begins to wait. If nothing is lent, the borrower has seen the owner.
/// If memory is lent, the owner finds the borrower's record, and waits for it.
#[test]
fn an_owner_that_begins_to_wait_stops_the_borrower_or_finds_it() {
    explore("Loans, an owner and a borrower", || {
        let loans = leak(Loans::<LoomKernel>::new());
        assert!(loans.records().next().is_none() && !loans.has_waiting_owner());
        drop(loans.turn.take(KERNEL));
        let borrower = thread::spawn(move || {
            loans.reserve_record(KERNEL).unwrap();
            !loans.has_waiting_owner()
        });
        loans.begin_waiting();
        let is_found = loans.records().any(|record| record.may_give_back(KERNEL, |_| false));
        assert!(!borrower.join().unwrap() || is_found, "memory is lent to a borrower whom the owner does not find");
    });
}

/// A borrower that reads that no owner waits any more sees all that the owner wrote before.
#[test]
fn what_an_owner_wrote_while_it_waited_is_seen_by_the_next_borrower() {
    explore("Loans, after a wait", || {
        let (loans, asks_no_more) = (leak(Loans::<LoomKernel>::new()), leak(AtomicUsize::new(0)));
        loans.begin_waiting();
        assert_eq!(asks_no_more.load(Relaxed), 0);
        let borrower = thread::spawn(move || loans.has_waiting_owner() || asks_no_more.load(Relaxed) == 1);
        asks_no_more.store(1, Relaxed);
        loans.end_waiting();
        assert!(borrower.join().unwrap(), "memory is lent while an owner's request still stands");
    });
}

/// A call reads a pool's name while the pool is uninstalled, and the name is freed at once. The call finds no name, or
/// the uninstall waits for the call.
#[test]
fn a_name_is_freed_after_the_last_call_that_reads_it() {
    explore("NameReaders", || {
        let readers = leak(NameReaders::new());
        let (has_name, text) = (leak(AtomicUsize::new(1)), leak(Plain::new(1)));
        drop(readers.enter());
        assert_eq!(has_name.load(Relaxed), 1);
        let reader = thread::spawn(move || {
            let _reading = readers.enter();
            if has_name.load(Relaxed) != 0 {
                assert_eq!(text.read(), 1);
            }
        });
        has_name.store(0, Relaxed);
        if unless_it_waits(|| readers.wait_until_none(KERNEL, 1)).is_some() {
            text.write(0);
        }
        reader.join().unwrap();
    });
}

/// One span of addresses.
#[derive(Clone, Copy)]
struct Source;

// SAFETY: the test does not touch the memory.
unsafe impl Pages for Source {
    fn allocate(&self, _: Device, _: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        Some((0x10_0000, 0x10_0000))
    }
    unsafe fn free(&self, _: Device, _: usize, _: Va, _: usize) {}
    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}

/// A block passes from one owner to the next: the next sees what the last wrote, also where the block was free before
/// the last owner took it.
#[test]
fn the_next_owner_of_a_block_sees_what_the_last_wrote() {
    explore("block, freed and allocated", || {
        let pools = leak(BlockPools::new(KERNEL, Source));
        let spec =
            BlockPoolSpec { name: PoolName::new([]), device: Some(Device::at(1)), size: 2048, align: 0, boundary: 0 };
        let pool = pools.create(&spec).ok().unwrap();
        let (block, other) = (pool.allocate().unwrap(), pool.allocate().unwrap());
        pool.free(block.va, block.handle).unwrap();
        assert_eq!(pool.allocate_from_core(0), Some(block));
        pool.free(block.va, block.handle).unwrap();
        let memory = leak(Plain::new(0));
        let own = move |value| {
            if let Some(taken) = pool.allocate_from_core(0) {
                assert_ne!(taken, other);
                memory.write(value);
                pool.free(taken.va, taken.handle).unwrap();
            }
        };
        let next = thread::spawn(move || own(2));
        own(1);
        next.join().unwrap();
    });
}

/// A unit gets memory that the device does not reach, in place of memory that it reached. Another unit of the group has
/// a free block. A core that finds a block free finds whether the device reaches it.
#[test]
fn a_core_that_finds_a_free_block_finds_whether_the_device_reaches_it() {
    explore("block, added beyond the mask", || {
        let states = leak(BlockStates::new());
        states.set_reach(0b11, 0b11);
        states.add(0b10);
        let reader =
            thread::spawn(move || assert_eq!(states.allocate(), Some(1), "a block beyond the mask is handed out"));
        states.set_reach(0b01, 0);
        states.add(0b01);
        reader.join().unwrap();
    });
}

/// Two cores add the first pages of the linear range, with a page between them that is not linear, and a third one
/// looks for that page. The range may have the one or the other, but never reaches from the one to the other.
#[test]
fn the_linear_range_never_has_a_page_that_is_not_linear() {
    const PAGES: [usize; 2] = [1, 3];
    explore("LinearRange, begun by two", || {
        let range = leak(LinearRange::new());
        let bytes = |page: usize| {
            let va = page * PAGE_SIZE;
            LinearBytes { va, last: va + PAGE_SIZE - 1, pa: va }
        };
        let holds = move |page: usize| range.contains(bytes(page).va, bytes(page).last);
        // Reads both bounds: loom's atomics are made at their first use, which must come before the other threads.
        assert!(!range.contains(usize::MAX, 0));
        let writers = PAGES.map(|page| thread::spawn(move || range.extend_to(KERNEL, bytes(page))));
        assert!(!holds(2), "the range has a page that is not linear");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert!(PAGES.into_iter().any(holds) && !holds(2));
    });
}

/// The model checker itself: without an order it reports the access.
#[test]
#[should_panic(expected = "Causality violation")]
fn a_publication_without_an_order_is_found() {
    loom::model(|| {
        let (value, flag) = (leak(Plain::new(0)), leak(AtomicUsize::new(0)));
        assert_eq!(flag.load(Relaxed), 0);
        let writer = thread::spawn(move || {
            value.write(1);
            flag.store(1, Relaxed);
        });
        if flag.load(Relaxed) == 1 {
            value.read();
        }
        writer.join().unwrap();
    });
}
