//! Tests a console whose driver calls the library for every line: that call must never wait for the thread that writes
//! the line.

use super::*;
use rt_dma_pool::additions::block_pool::pools::DestroyError;
use std::sync::Arc;

/// Runs `scenario` with a console whose driver, with every line, uses the pool of the scenario and its set of pools.
/// Returns the number of lines. The fake kernel itself asserts that no turn is held with any line.
fn with_console(rig: &Arc<Rig>, pool: &'static Pool, scenario: impl FnOnce() + Send) -> usize {
    let others = rig.clone();
    let driver = move |_| {
        // The first call of a device, and a call that needs no first use.
        let device = others.machine.plain_device();
        if let Some(held) = others.machine.alloc(device, PAGE, COHERENT) {
            others.machine.free(held).unwrap();
        }
        if let Some(block) = pool.allocate() {
            pool.free(block.va, block.handle).unwrap();
        }
        pool.usage();
        let own = others.pools.create(&spec(Some(device), 64, 0, 0)).unwrap();
        if let Some(block) = own.allocate() {
            own.free(block.va, block.handle).unwrap();
        }
        others.destroy(own);
    };
    rig.machine.with_console_driver(driver, scenario)
}

#[test]
fn fault_22_destroy_of_a_busy_pool_writes_without_a_turn() {
    let rig = Arc::new(Rig::new());
    let pool = rig.create(64, 64, 0);
    let held: Vec<_> = (0..3).map(|_| take(&rig, pool)).collect();
    let lines = with_console(&rig, pool, || {
        // SAFETY: `destroy` refuses, because blocks are in use, and the pool stays.
        assert_eq!(unsafe { rig.pools.destroy(pool) }, Err(DestroyError::Busy(3)));
    });
    // The error, and a line for each block.
    assert_eq!(lines, 4);
    free_all(pool, held);
    rig.destroy(pool);
}

#[test]
fn fault_22_the_list_of_block_pools_is_written_without_a_turn() {
    let rig = Arc::new(Rig::new());
    let [pool, ..] = [(); 3].map(|()| rig.create(64, 64, 0));
    let lines = with_console(&rig, pool, || assert!(rig.pools.list_pools()));
    // The head, the three pools, and the total. The console's own pools have come and gone in between.
    assert_eq!(lines, 5);
}

// The console uses another set of pools here and below. That no turn of this set is held is what the fake kernel
// asserts.
#[test]
fn fault_22_growth_writes_without_a_turn() {
    let rig = Arc::new(Rig::new());
    let pool = rig.create(4096, 0, 0);
    // A pool whose source writes a line with each call, as a device's first call does whose node names a bad region.
    let noisy = keep(Box::new(BlockPools::new(rig.machine.kernel, Noisy(rig.machine.dma))));
    let own = noisy.create(&spec(Some(rig.device), 512, 0, 0)).unwrap();
    let lines = with_console(&rig, pool, || {
        let block = own.allocate().unwrap();
        own.free(block.va, block.handle).unwrap();
        assert_eq!(own.trim(), 1);
        assert!(own.allocate().is_some_and(|block| own.free(block.va, block.handle).is_ok()));
        // SAFETY: the pool is not used after this call.
        unsafe { noisy.destroy(own) }.unwrap();
    });
    // One for each of two allocations and two frees.
    assert_eq!(lines, 4);
}

#[test]
fn fault_22_memory_that_growth_does_not_use_is_freed_without_a_turn() {
    let rig = Rig::new();
    let noisy = keep(Box::new(BlockPools::new(rig.machine.kernel, Noisy(rig.machine.dma))));
    let mut unused = 0;
    for call in 0.. {
        let own = noisy.create(&spec(Some(rig.device), 512, 0, 0)).unwrap();
        rig.machine.fail(Service::HeapAlloc, call, 1);
        let block = own.allocate();
        let failed = rig.machine.repair(Service::HeapAlloc);
        unused += usize::from(block.is_none());
        assert_eq!(own.usage().pages, usize::from(block.is_some()));
        assert!(block.is_none_or(|block| own.free(block.va, block.handle).is_ok()));
        // SAFETY: the pool is not used after this call.
        unsafe { noisy.destroy(own) }.unwrap();
        if !failed {
            break;
        }
    }
    // The table, and the bookkeeping of the span.
    assert!(unused >= 2, "{unused}");
    assert_eq!(rig.machine.balance().used_bytes, 0);
}

/// Memory whose every call writes a line.
#[derive(Clone, Copy)]
struct Noisy(&'static Dma<FakeKernel>);

// SAFETY: the memory is the machine's, which keeps the rules of `Pages`.
unsafe impl Pages for Noisy {
    fn allocate(&self, device: Device, size: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        assert!(self.0.install(&region(c"none", 0, 0)).is_err());
        let ops = self.0.choose_ops(device).ok()?;
        self.0.allocate_in_order(&BufferRequest::new(ops, device, size, COHERENT)).ok()
    }

    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
        assert!(self.0.install(&region(c"none", 0, 0)).is_err());
        let ops = self.0.choose_ops(device).expect("it was chosen to allocate");
        self.0.free(device, size, va, handle, COHERENT, ops).unwrap();
    }

    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}
