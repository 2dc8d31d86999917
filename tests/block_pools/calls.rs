//! Tests what each call does, for correct and for wrong arguments.

use super::*;
use rt_dma_pool::additions::block_pool::FreeError;
use rt_dma_pool::additions::block_pool::pools::DestroyError;
use rt_dma_pool::additions::block_pool::shape::ShapeError;
use rt_dma_pool::log::Level;

#[test]
fn blocks_come_page_by_page_and_are_used_again() {
    let rig = Rig::new();
    let pool = rig.create(1024, 0, 0);
    assert_eq!(pool.usage(), usage(0, 0, 0));
    let first: Vec<_> = (0..4).map(|_| take(&rig, pool)).collect();
    assert_eq!(pool.usage(), usage(4, 4, 1));
    let fifth = take(&rig, pool);
    assert_eq!(pool.usage(), usage(5, 8, 2));
    pool.free(fifth.va, fifth.handle).unwrap();
    assert_eq!(take(&rig, pool), fifth);
    for block in first.into_iter().chain([fifth]) {
        pool.free(block.va, block.handle).unwrap();
    }
    assert_eq!(pool.usage(), usage(0, 8, 2));
    assert_eq!(pool.trim(), 2);
    assert_eq!(pool.usage(), usage(0, 0, 0));
    assert_eq!(rig.machine.balance().used_bytes, 0);
    rig.destroy(pool);
    assert_eq!(rig.machine.take_errors(), NO_LINES);
}

#[test]
fn a_block_of_several_pages_is_freed_only_by_its_first_byte() {
    let rig = Rig::new();
    let pool = rig.create(5000, 64, 0);
    let held: Vec<_> = (0..3).map(|_| take(&rig, pool)).collect();
    assert_eq!(pool.usage(), usage(3, 3, 6));
    assert_eq!(pool.block_size(), 5056);
    assert_eq!(pool.free(held[0].va + PAGE, 0), Err(FreeError::Foreign));
    free_all(pool, held);
    assert_eq!(pool.trim(), 6);
    rig.destroy(pool);
}

#[test]
fn a_trim_keeps_pages_with_a_block_in_use() {
    let rig = Rig::new();
    let pool = rig.create(16, 16, 0);
    let held: Vec<_> = (0..3 * 256).map(|_| take(&rig, pool)).collect();
    assert_eq!(pool.usage(), usage(768, 768, 3));
    let page_of = |block: &Block| block.va / PAGE;
    let kept = held[300];
    for block in held.iter().filter(|block| **block != kept) {
        pool.free(block.va, block.handle).unwrap();
    }
    assert_eq!(pool.trim(), 2);
    assert_eq!(pool.usage(), usage(1, 256, 1));
    // Free blocks of the page that was kept are still found, and no others.
    let again: Vec<_> = (0..255).map(|_| take(&rig, pool)).collect();
    assert!(again.iter().all(|block| page_of(block) == page_of(&kept)));
    assert_eq!(pool.usage(), usage(256, 256, 1));
    // Blocks of a page that was trimmed are foreign.
    let gone = held.iter().find(|block| page_of(block) != page_of(&kept)).unwrap();
    assert_eq!(pool.free(gone.va, gone.handle), Err(FreeError::Foreign));
    again.into_iter().chain([kept]).for_each(|block| pool.free(block.va, block.handle).unwrap());
    rig.destroy(pool);
    assert_eq!(rig.machine.balance().used_bytes, 0);
}

#[test]
fn memory_that_comes_and_goes_takes_the_same_bookkeeping() {
    let rig = Rig::new();
    for size in [16, 300, 4096, 9000] {
        let pool = rig.create(size, 0, 0);
        let mut heap_bytes = None;
        for _ in 0..20 {
            let held: Vec<_> = (0..50).map(|_| take(&rig, pool)).collect();
            free_all(pool, held);
            assert!(pool.trim() != 0);
            let now = rig.machine.balance().heap_bytes;
            assert_eq!(*heap_bytes.get_or_insert(now), now);
        }
        rig.destroy(pool);
    }
}

#[test]
fn a_wrong_free_is_refused_and_changes_nothing() {
    let rig = Rig::new();
    let (pool, other) = (rig.create(100, 32, 4096), rig.create(100, 32, 4096));
    assert_eq!(pool.free(0x1234_5000, 0), Err(FreeError::Foreign), "a pool without memory");
    let [a, b, foreign] = [take(&rig, pool), take(&rig, pool), take(&rig, other)];
    assert_eq!(rig.machine.take_errors().len(), 1);

    let before = (pool.usage(), other.usage());
    let cases = [
        (foreign.va, foreign.handle, FreeError::Foreign),
        (foreign.va, 0, FreeError::Foreign),
        (a.va + 8, a.handle + 8, FreeError::Foreign),
        (a.va + 1, 0, FreeError::Foreign),
        (a.va - 128, 0, FreeError::Foreign),
        // The tail of the page, after the last block.
        ((a.va & !(PAGE - 1)) + 32 * 128 - 32, 0, FreeError::Foreign),
        (a.va ^ 1 << (usize::BITS - 1), a.handle, FreeError::Foreign),
        (usize::MAX, 0, FreeError::Foreign),
        (a.va, b.handle, FreeError::WrongHandle),
        (a.va, a.handle + 1, FreeError::WrongHandle),
        (a.va, foreign.handle, FreeError::WrongHandle),
    ];
    for (va, handle, error) in cases {
        assert_eq!(pool.free(va, handle), Err(error), "{va:#x}, {handle:#x}");
        let errors = rig.machine.take_errors();
        assert!(errors.len() == 1 && errors[0].starts_with("blocks: free of block"), "{errors:?}");
        assert_eq!((pool.usage(), other.usage()), before);
    }
    pool.free(a.va, a.handle).unwrap();
    let before = pool.usage();
    for handle in [a.handle, 0] {
        assert_eq!(pool.free(a.va, handle), Err(FreeError::NotAllocated));
        assert_eq!(rig.machine.take_errors().len(), 1);
    }
    assert_eq!(pool.usage(), before);
    assert_eq!(pool.refused_calls(), 1 + cases.len() + 2);

    // A caller that did not ask for the handle may pass 0. A free of NULL does nothing.
    pool.free(b.va, 0).unwrap();
    pool.free(0, 0).unwrap();
    other.free(foreign.va, foreign.handle).unwrap();
    [pool, other].into_iter().for_each(|pool| rig.destroy(pool));
}

#[test]
fn a_pool_with_blocks_in_use_is_not_destroyed_and_names_them() {
    let rig = Rig::new();
    let pool = rig.create(64, 64, 0);
    let held: Vec<_> = (0..10).map(|_| take(&rig, pool)).collect();
    // SAFETY: only this test uses the pool.
    let destroy = || unsafe { rig.pools.destroy(pool) };
    assert_eq!(destroy(), Err(DestroyError::Busy(10)));
    let errors = rig.machine.take_errors();
    assert_eq!(errors.len(), 1 + 8);
    assert_eq!(errors[0], "blocks: destroy of a block pool with 10 blocks in use");
    for line in &errors[1..] {
        assert!(held.iter().any(|block| line.contains(&format!("block {:#x} (handle {:#x})", block.va, block.handle))));
    }
    assert_eq!(pool.usage().in_use, 10);

    // The pool still serves requests.
    let more = take(&rig, pool);
    free_all(pool, held);
    assert_eq!(destroy(), Err(DestroyError::Busy(1)));
    let errors = rig.machine.take_errors();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[1], format!("blocks: block {:#x} (handle {:#x}) is in use", more.va, more.handle));
    pool.free(more.va, more.handle).unwrap();
    destroy().unwrap();
    assert_eq!(rig.machine.take_errors(), NO_LINES);
    assert_eq!(rig.machine.balance().used_bytes, 0);
}

#[test]
fn a_pool_is_destroyed_once_and_by_its_own_set() {
    let (rig, others) = (Rig::new(), Rig::new());
    let empty = rig.machine.balance();
    let pools: Vec<_> = (0..5).map(|_| rig.create(32, 0, 0)).collect();
    // SAFETY: `destroy` looks the pointer up before it reads through it.
    let destroy = |rig: &Rig, pool: *const Pool| unsafe { rig.pools.destroy(pool) };
    for index in [2, 0, 4, 3, 1] {
        let pool: *const Pool = pools[index];
        assert_eq!(destroy(&others, pool), Err(DestroyError::Unknown));
        assert_eq!(destroy(&rig, pool), Ok(()));
        assert_eq!(destroy(&rig, pool), Err(DestroyError::Unknown));
        assert_eq!((rig.machine.take_errors().len(), others.machine.take_errors().len()), (1, 1));
    }
    assert_eq!(destroy(&rig, std::ptr::null()), Err(DestroyError::Unknown));
    assert_eq!(destroy(&rig, std::ptr::dangling()), Err(DestroyError::Unknown));
    assert_eq!(rig.machine.balance().heap_bytes, empty.heap_bytes);
    assert_eq!(rig.pools.refused_calls(), 7);
}

/// Returns the reason in the line about a pool that is not created.
fn reason(error: ShapeError) -> &'static str {
    match error {
        ShapeError::Size => "bad size",
        ShapeError::Align => "bad alignment",
        ShapeError::Boundary => "bad boundary",
    }
}

#[test]
fn bad_requests_make_no_pool_and_one_line() {
    let rig = Rig::new();
    let before = rig.machine.balance();
    let cases = [
        (0, 16, 0, ShapeError::Size),
        (usize::MAX, 16, 0, ShapeError::Size),
        (isize::MAX as usize, 0, 0, ShapeError::Size),
        (16, 3, 0, ShapeError::Align),
        (16, 2 * PAGE, 0, ShapeError::Align),
        (16, 16, 48, ShapeError::Boundary),
        (33, 32, 32, ShapeError::Boundary),
        (PAGE + 1, 0, PAGE, ShapeError::Boundary),
    ];
    for (size, align, boundary, error) in cases {
        assert_eq!(rig.try_create(size, align, boundary).err(), Some(CreateError::Shape(error)));
        let line = format!("blocks: blocks of {size} bytes, align {align}, boundary {boundary}: {}", reason(error));
        assert_eq!(rig.machine.take_errors(), [line]);
    }
    assert_eq!(rig.pools.create(&spec(None, 16, 0, 0)).err(), Some(CreateError::NoDevice));
    assert_eq!(rig.machine.take_errors(), ["blocks: blocks of 16 bytes, align 0, boundary 0: no device"]);
    assert_eq!(rig.pools.refused_calls(), cases.len() + 1);
    assert_eq!(rig.machine.balance(), before);
    assert_eq!(rig.list().last().unwrap(), "0 DMA block pools found");
}

#[test]
fn a_pool_that_the_heap_has_no_room_for_is_no_mistake_of_the_caller() {
    let rig = Rig::new();
    let before = rig.machine.balance();
    rig.machine.fail_always(Service::HeapAlloc);
    assert_eq!(rig.try_create(16, 0, 0).err(), Some(CreateError::NoMemory));
    let line = "blocks: blocks of 16 bytes, align 0, boundary 0: out of memory";
    assert_eq!(rig.machine.take_log(Level::Warning), [line]);
    assert_eq!((rig.machine.take_errors(), rig.pools.refused_calls()), (vec![], 0));
    assert_eq!(rig.machine.balance(), before);
    rig.machine.repair(Service::HeapAlloc);
    rig.destroy(rig.create(16, 0, 0));
}

#[test]
fn an_interrupt_gets_what_is_free_and_nothing_else() {
    let rig = Rig::new();
    let machine = &rig.machine;
    let pool = rig.create(2048, 0, 0);
    assert_eq!(machine.in_interrupt(|| pool.allocate()), None);
    assert_eq!(machine.with_interrupts_off(|| pool.allocate()), None);
    let first = take(&rig, pool);
    let second = machine.in_interrupt(|| pool.allocate()).unwrap();
    assert_eq!(machine.in_interrupt(|| pool.allocate()), None);
    machine.in_interrupt(|| {
        pool.free(first.va, first.handle).unwrap();
        assert_eq!(pool.free(first.va, first.handle), Err(FreeError::NotAllocated));
        assert_eq!(pool.free(first.va + 8, 0), Err(FreeError::Foreign));
        assert_eq!(pool.allocate(), Some(first));
        pool.free(first.va, 0).unwrap();
        // These calls need a thread.
        assert_eq!(pool.trim(), 0);
        assert!(!pool.fill(1));
        assert_eq!(rig.try_create(16, 0, 0).err(), Some(CreateError::Context));
        // SAFETY: the call is refused, so the pool stays.
        assert_eq!(unsafe { rig.pools.destroy(pool) }, Err(DestroyError::Context));
    });
    assert_eq!((pool.refused_calls(), rig.pools.refused_calls()), (4, 2));
    assert_eq!(machine.take_errors(), NO_LINES, "an interrupt does not log");
    pool.free(second.va, second.handle).unwrap();
    rig.destroy(pool);
}

#[test]
fn the_list_has_the_columns_of_linux() {
    let rig = Rig::new();
    let descriptors = rig.create(16, 16, 0);
    let name = PoolName::new(*b"a name of more than thirty-one bytes, which is cut");
    let contexts = rig.pools.create(&BlockPoolSpec { name, ..spec(Some(rig.device), 68, 32, 4096) }).unwrap();
    let held: Vec<_> = (0..300).map(|_| take(&rig, descriptors)).collect();
    let context = take(&rig, contexts);
    let lines = rig.list();
    assert_eq!(lines.len(), 4);
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    assert_eq!(words(&lines[1]), ["blocks", "300", "512", "16", "2"]);
    assert!(lines[2].starts_with("a name of more than thirty-one "));
    assert_eq!(words(&lines[2])[6..], ["1", "42", "96", "1"]);
    assert_eq!(lines[3], "2 DMA block pools found");

    descriptors.free(1 << 20, 0).unwrap_err();
    assert!(rig.list().contains(&"dma.pool: 1 calls refused".into()));
    free_all(descriptors, held);
    contexts.free(context.va, context.handle).unwrap();
    [descriptors, contexts].into_iter().for_each(|pool| rig.destroy(pool));
    assert_eq!(rig.machine.take_log(Level::Error).len(), 1);
}

#[test]
fn memory_that_is_used_up_serves_again_after_a_free() {
    let rig = Rig::with_pages(3);
    let pool = rig.create(1000, 8, 0);
    let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
    assert_eq!(pool.usage(), usage(12, 12, 3));
    assert_eq!(pool.allocate(), None);
    pool.free(held[5].va, held[5].handle).unwrap();
    assert_eq!(pool.allocate(), Some(held[5]));
    free_all(pool, held);
    rig.destroy(pool);
}
