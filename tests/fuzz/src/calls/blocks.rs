//! Pools of small blocks.

use std::ops::Range;

use rt_dma_pool::ffi::*;

use super::{Device, c_call, fresh, has_own_memory, place_for, pointer, world};
use crate::memory::{self, PAGE};
use crate::port::{BUSY, INVAL, OK};
use crate::{input, machine};

/// A block pool of a driver.
pub struct BlockPool {
    pub device: Device,
    pool: *mut rt_dma_block_pool,
    size: usize,
    align: usize,
    boundary: usize,
    is_managed: bool,
    blocks: Vec<Block>,
    /// Address and handle of blocks that were freed: for second frees.
    freed: Vec<(usize, usize)>,
}

struct Block {
    va: usize,
    handle: usize,
    bytes: Vec<u8>,
}

impl Block {
    fn range(&self, size: usize) -> Range<usize> {
        let pa = memory::v2p(self.va).expect("a block is mapped");
        pa..pa + size
    }

    fn check(&self) {
        assert!(memory::read(self.va, self.bytes.len()) == self.bytes, "a block at {:#x} lost bytes", self.va);
    }
}

impl BlockPool {
    pub fn is_managed_by(&self, device: Device) -> bool {
        self.is_managed && self.device.0 == device.0
    }

    /// Returns whether a block that is in use begins at one of these physical addresses.
    pub fn has_block_in(&self, range: &Range<usize>) -> bool {
        self.blocks.iter().any(|block| range.contains(&block.range(self.size).start))
    }

    pub fn check(&self) {
        self.blocks.iter().for_each(Block::check);
    }
}

/// The calls that create a pool.
#[derive(Clone, Copy)]
enum CreateCall {
    Plain,
    Linux,
    Managed,
    ManagedLinux,
}

const CREATE_CALLS: [CreateCall; 4] =
    [CreateCall::Plain, CreateCall::Linux, CreateCall::Managed, CreateCall::ManagedLinux];

/// Creates a pool.
pub fn create() {
    if world(|world| world.block_pools.len()) > 5 {
        return;
    }
    let device = Device::any();
    let size = input::one_of(&[8, 16, 64, 100, 200, 1000, 4096, 5000, 0, usize::MAX, 24, 9000]);
    let align = input::one_of(&[0, 1, 8, 16, 64, 256, 4096, 3, 8192, 1 << 63]);
    let boundary = input::one_of(&[0, 0, 0, 4096, 1024, 64, 3, 8192, 1 << 16, 1 << 63]);
    let create_call = input::one_of(&CREATE_CALLS);
    let name =
        if input::one_in(4) { std::ptr::null() } else { c"a name that is longer than a pool's name may be".as_ptr() };
    let dev = device.pointer();
    let (pool, _) = c_call(|| unsafe {
        match create_call {
            CreateCall::Plain => rt_dma_block_pool_create(name, dev, size, align, boundary),
            CreateCall::Linux => rt_dma_block_pool_create_linux(name, dev, size, align, boundary),
            CreateCall::Managed => rt_dmam_block_pool_create(name, dev, size, align, boundary),
            CreateCall::ManagedLinux => rt_dmam_block_pool_create_linux(name, dev, size, align, boundary),
        }
    });
    if pool.is_null() {
        return;
    }
    assert!(size != 0 && size != usize::MAX && (align == 0 || align.is_power_of_two()), "a wrong shape is accepted");
    assert!(boundary == 0 || boundary.is_power_of_two() && boundary >= size, "a wrong boundary is accepted");
    let is_managed = matches!(create_call, CreateCall::Managed | CreateCall::ManagedLinux);
    let pool = BlockPool { device, pool, size, align, boundary, is_managed, blocks: Vec::new(), freed: Vec::new() };
    world(|world| world.block_pools.push(pool));
}

/// Chooses a pool of the model. It may be used while it is there: an interrupt destroys none.
fn choose() -> Option<(usize, *mut rt_dma_block_pool)> {
    let choice = input::byte() as usize;
    world(|world| {
        let pools = &world.block_pools;
        let index = choice % pools.len().max(1);
        pools.get(index).map(|pool| (index, pool.pool))
    })
}

/// Calls `look` with the model of a pool.
fn with<T>(pool: *mut rt_dma_block_pool, look: impl FnOnce(&mut BlockPool) -> T) -> T {
    world(|world| look(world.block_pools.iter_mut().find(|known| known.pool == pool).expect("the pool is there")))
}

/// Allocates a block.
pub fn allocate() {
    let Some((_, pool)) = choose() else { return };
    let (is_zeroed, is_asked) = (input::one_in(4), !input::one_in(8));
    let mut handle = 0;
    let place = place_for(&mut handle, is_asked);
    let (block, _) = c_call(|| unsafe {
        if is_zeroed { rt_dma_block_pool_zalloc(pool, place) } else { rt_dma_block_pool_alloc(pool, place) }
    });
    if block.is_null() {
        return;
    }
    let va = block as usize;
    let (size, align, boundary, device) = with(pool, |pool| (pool.size, pool.align.max(1), pool.boundary, pool.device));
    let mut block = Block { va, handle: if is_asked { handle } else { 0 }, bytes: Vec::new() };
    let range = block.range(size);
    assert!(!is_zeroed || memory::read(va, size).iter().all(|byte| *byte == 0), "a block is not cleared");
    assert!(va.is_multiple_of(align.min(PAGE)), "a block at {va:#x} is not aligned to {align}");
    if is_asked {
        assert!(device.reach(handle, size) == Some(range.start), "the handle {handle:#x} does not lead to the block");
        assert!(
            handle.is_multiple_of(align) || has_own_memory(device),
            "a block at handle {handle:#x} is not aligned to {align}"
        );
        let last = handle + size - 1;
        assert!(boundary == 0 || handle / boundary == last / boundary, "a block crosses {boundary:#x}");
        assert!(last as u64 <= device.coherent_mask(), "a block lies beyond the mask");
    }
    world(|world| {
        let pages = memory::page_of(range.start).expect("RAM")..=memory::page_of(range.end - 1).expect("RAM");
        assert!(!world.owned[pages].contains(&true), "a block lies in a buffer");
        let others = world.block_pools.iter().flat_map(|pool| pool.blocks.iter().map(|block| block.range(pool.size)));
        for other in others {
            assert!(other.end <= range.start || range.end <= other.start, "a block at {va:#x} has two owners");
        }
    });
    memory::with(|memory| memory.refresh(range.start, size));
    block.bytes = fresh(size.min(256));
    memory::write(va, &block.bytes);
    with(pool, |pool| pool.blocks.push(block));
}

/// Frees a block.
pub fn free() {
    let Some((_, pool)) = choose() else { return };
    let choice = input::byte() as usize;
    let taken = with(pool, |pool| {
        let blocks = &mut pool.blocks;
        (!blocks.is_empty()).then(|| blocks.swap_remove(choice % blocks.len()))
    });
    if let Some(block) = taken {
        give_back(pool, &block);
    }
}

fn give_back(pool: *mut rt_dma_block_pool, block: &Block) {
    block.check();
    let ((), happened) = c_call(|| unsafe { rt_dma_block_pool_free(pool, pointer(block.va), block.handle) });
    assert!(happened.errors == 0 || happened.was_interrupted, "a right free of a block is logged as an error");
    with(pool, |pool| {
        if pool.freed.len() == 8 {
            pool.freed.remove(0);
        }
        pool.freed.push((block.va, block.handle));
    });
}

/// What is wrong with a free of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mistake {
    SecondFree,
    /// The block may be another pool's.
    OtherPool,
    InsideBlock,
    WrongHandle,
}

/// One of these is chosen.
const MISTAKES: [Mistake; 6] = [
    Mistake::SecondFree,
    Mistake::SecondFree,
    Mistake::SecondFree,
    Mistake::OtherPool,
    Mistake::InsideBlock,
    Mistake::WrongHandle,
];

/// Makes a call that frees no block.
pub fn free_wrongly() {
    // The call that an interrupt came into may have allocated the block just now.
    if machine::in_interrupt() {
        return;
    }
    let Some((_, pool)) = choose() else { return };
    let (mistake, choice) = (input::one_of(&MISTAKES), input::byte() as usize);
    let found = world(|world| {
        let known = world.block_pools.iter().find(|known| known.pool == pool)?;
        let all = world.block_pools.iter().flat_map(|pool| pool.blocks.iter().map(|block| (block.va, block.handle)));
        let freed = known.freed.iter().copied();
        let list: Vec<_> = if mistake == Mistake::SecondFree { freed.collect() } else { all.collect() };
        list.get(choice % list.len().max(1)).copied()
    });
    let Some((mut va, mut handle)) = found else { return };
    match mistake {
        Mistake::InsideBlock => va += 1 + input::below(8),
        Mistake::WrongHandle => handle = handle.wrapping_add(1 + input::below(64)),
        _ => {}
    }
    let is_right = with(pool, |pool| {
        pool.blocks.iter().any(|block| block.va == va && (handle == 0 || block.handle == handle || block.handle == 0))
    });
    if is_right {
        return;
    }
    // If an interrupt allocated the block meanwhile, a second free would be right.
    machine::arm_interrupt(0);
    crate::log!("wrong free of a block at {va:#x}, handle {handle:#x}, {mistake:?}");
    let ((), happened) = c_call(|| unsafe { rt_dma_block_pool_free(pool, pointer(va), handle) });
    assert!(happened.errors != 0 || happened.was_interrupted, "a wrong free of a block is not logged");
    world(|world| world.block_pools.iter().for_each(BlockPool::check));
}

/// Fills or trims a pool, or lists all.
pub fn tend() {
    let Some((_, pool)) = choose() else { return };
    let count = input::below(70);
    match input::below(3) {
        0 => drop(c_call(|| unsafe { rt_dma_block_pool_fill(pool, count) })),
        1 => drop(c_call(|| unsafe { rt_dma_block_pool_trim(pool) })),
        _ if machine::is_atomic() => {}
        _ => drop(c_call(|| unsafe { list_dma_block_pool(0, std::ptr::null_mut()) })),
    }
    world(|world| world.block_pools.iter().for_each(BlockPool::check));
}

/// Destroys a pool, unless the caller may not sleep.
pub fn destroy() {
    let Some((index, pool)) = choose() else { return };
    let choice = input::below(4);
    let (by_managed_call, tries_wrong_call) = (choice < 2, choice == 0);
    if machine::is_atomic() {
        let (result, _) = c_call(|| unsafe { rt_dma_block_pool_destroy(pool) });
        assert!(result != OK && result != BUSY, "a pool is destroyed where sleeping is not allowed");
        return;
    }
    let known = world(|world| world.block_pools.swap_remove(index));
    let is_empty = known.blocks.is_empty();
    let has_died = if known.is_managed && by_managed_call {
        let ((), happened) = c_call(|| unsafe { rt_dmam_block_pool_destroy(pool) });
        let again = if is_empty { unsafe { rt_dma_block_pool_destroy(pool) } } else { BUSY };
        assert!(again != OK, "a managed pool without blocks stays");
        assert!(is_empty || happened.errors != 0, "the blocks of a pool that stays are not logged");
        again != BUSY
    } else {
        if !known.is_managed && tries_wrong_call {
            let ((), happened) = c_call(|| unsafe { rt_dmam_block_pool_destroy(pool) });
            assert!(
                happened.errors != 0 || happened.was_interrupted,
                "a pool that is not managed is destroyed as if it were"
            );
        }
        let (result, _) = c_call(|| unsafe { rt_dma_block_pool_destroy(pool) });
        assert!(
            result == if is_empty { OK } else { BUSY },
            "a pool of {} blocks is destroyed: {result}",
            known.blocks.len()
        );
        result == OK
    };
    if !has_died {
        assert!(!is_empty || known.is_managed, "a pool without blocks stays");
        world(|world| world.block_pools.push(known));
    } else if input::one_in(4) {
        let (result, _) = c_call(|| unsafe { rt_dma_block_pool_destroy(pool) });
        assert!(result == INVAL, "a pool is destroyed twice");
    }
}

/// Notes that the pool's device was released: the pool is gone, unless blocks are in use.
pub fn released(mut pool: BlockPool) {
    if !pool.blocks.is_empty() {
        pool.is_managed = false;
        world(|world| world.block_pools.push(pool));
    }
}

/// Frees all blocks, and destroys all pools.
pub fn destroy_all() {
    while let Some(pool) = world(|world| world.block_pools.first().map(|pool| pool.pool)) {
        while let Some(block) = with(pool, |pool| pool.blocks.pop()) {
            give_back(pool, &block);
        }
        let (result, _) = c_call(|| unsafe { rt_dma_block_pool_destroy(pool) });
        assert!(result == OK, "a pool without blocks is not destroyed");
        world(|world| drop(world.block_pools.swap_remove(0)));
    }
}
