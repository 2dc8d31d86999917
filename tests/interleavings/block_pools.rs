//! Block pools: frees, second frees, trim and growth on several cores.

use super::kernel::ShuttleKernel;
use super::{Call, at_once, call, explore, leak};
use rt_dma_pool::additions::block_pool::pools::{BlockPoolSpec, BlockPools};
use rt_dma_pool::additions::block_pool::{Block, BlockPool, Effort, FreeError, Pages, PoolName};
use rt_dma_pool::kernel::{Device, PAGE_SIZE, Va};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// When a source hands out an address again that was given back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    AtOnce,
    Never,
}

struct Addresses {
    /// The first address that was never handed out.
    next: Va,
    freed: Vec<Va>,
}

/// A source of pages.
#[derive(Clone, Copy)]
struct Source {
    reuse: Reuse,
    addresses: &'static Mutex<Addresses>,
}

impl Source {
    fn new(reuse: Reuse) -> Self {
        Source { reuse, addresses: leak(Mutex::new(Addresses { next: FIRST, freed: Vec::new() })) }
    }
}

// SAFETY: the tests do not touch the memory.
unsafe impl Pages for Source {
    fn allocate(&self, _: Device, size: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
        shuttle::thread::yield_now();
        let mut addresses = self.addresses.lock().unwrap();
        let next = addresses.next;
        let va = if self.reuse == Reuse::AtOnce { addresses.freed.pop() } else { None }.unwrap_or(next);
        addresses.next = next.max(va + size);
        Some((va, va))
    }
    unsafe fn free(&self, _: Device, _: usize, va: Va, _: usize) {
        shuttle::thread::yield_now();
        self.addresses.lock().unwrap().freed.push(va);
    }
    fn last_reachable(&self, _: Device) -> usize {
        usize::MAX
    }
}

type Pool = BlockPool<ShuttleKernel, Source>;

/// The address of the first page that a source hands out.
const FIRST: Va = 0x1000_0000;

fn pool(size: usize, reuse: Reuse) -> &'static Pool {
    let pools = leak(BlockPools::new(ShuttleKernel::new(0), Source::new(reuse)));
    let name = PoolName::new(*b"blocks");
    pools.create(&BlockPoolSpec { name, device: Some(Device::at(1)), size, align: 0, boundary: 0 }).ok().unwrap()
}

/// The blocks that are held, so that none has two owners.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<HashSet<Va>>>);

impl Held {
    fn allocate(&self, pool: &Pool) -> Block {
        let block = pool.allocate().expect("there is memory");
        assert_eq!(block.va, block.handle, "an address of another unit");
        assert!(self.0.lock().unwrap().insert(block.va), "a block has two owners");
        block
    }

    /// A free by the owner.
    fn free(&self, pool: &Pool, block: Block) {
        assert!(self.0.lock().unwrap().remove(&block.va), "the owner's");
        assert_eq!(pool.free(block.va, block.handle), Ok(()), "the owner's free is refused");
    }

    /// Nothing is lost: as many blocks are in use as are held, and what is free can be allocated and freed.
    fn check(&self, pool: &Pool) {
        assert_eq!(pool.usage().in_use, self.0.lock().unwrap().len());
        let free = pool.usage().blocks - pool.usage().in_use;
        let blocks: Vec<_> = (0..free).map(|_| self.allocate(pool)).collect();
        assert_eq!(pool.usage().in_use, pool.usage().blocks, "a free block cannot be found");
        blocks.into_iter().for_each(|block| self.free(pool, block));
    }
}

/// A call that allocates `count` blocks and frees them, some rounds long.
fn owner(pool: &'static Pool, held: &Held, rounds: usize, count: usize) -> Call {
    let held = held.clone();
    call(move || {
        for _ in 0..rounds {
            let blocks: Vec<_> = (0..count).map(|_| held.allocate(pool)).collect();
            blocks.into_iter().for_each(|block| held.free(pool, block));
        }
    })
}

/// A call that trims the pool twice.
fn trims(pool: &'static Pool) -> Call {
    call(move || {
        pool.trim();
        pool.trim();
    })
}

/// The size of a block of which a page has two.
const LARGE: usize = PAGE_SIZE / 2;

#[test]
fn owners_allocate_and_free_while_others_do() {
    for size in [LARGE, PAGE_SIZE] {
        explore(&format!("owners, blocks of {size}"), move || {
            let (pool, held) = (pool(size, Reuse::AtOnce), Held::default());
            let before = held.allocate(pool);
            at_once([2, 2, 1].map(|rounds| owner(pool, &held, rounds, 2)));
            held.free(pool, before);
            held.check(pool);
        });
    }
}

#[test]
fn fault_20_of_two_frees_and_a_trim_one_free_is_right() {
    for size in [LARGE, PAGE_SIZE] {
        explore(&format!("second free and trim, blocks of {size}"), move || {
            let (pool, held) = (pool(size, Reuse::Never), Held::default());
            let block = held.allocate(pool);
            // The frees below do not go through `Held`.
            held.0.lock().unwrap().clear();
            let accepted = Arc::new(Mutex::new(0));
            let free = || {
                let accepted = accepted.clone();
                call(move || match pool.free(block.va, block.handle) {
                    Ok(()) => *accepted.lock().unwrap() += 1,
                    Err(error) => assert_ne!(error, FreeError::WrongHandle),
                })
            };
            // Another owner of the block would make the second free a right one: the pool cannot distinguish it.
            at_once([free(), free(), trims(pool)]);
            assert_eq!(*accepted.lock().unwrap(), 1, "the number of frees, of two, that are accepted");
            held.check(pool);
        });
    }
}

#[test]
fn fault_20_a_late_second_free_harms_no_owner_while_the_pool_shrinks_and_grows() {
    for size in [LARGE, PAGE_SIZE] {
        explore(&format!("late second free, blocks of {size}"), move || {
            let (pool, held) = (pool(size, Reuse::Never), Held::default());
            let block = held.allocate(pool);
            held.free(pool, block);
            let wrong = call(move || {
                for _ in 0..2 {
                    assert!(pool.free(block.va, block.handle).is_err(), "a second free is accepted");
                }
            });
            let other = held.clone();
            let work = call(move || {
                pool.trim();
                let blocks = [(); 2].map(|()| other.allocate(pool));
                blocks.into_iter().for_each(|block| other.free(pool, block));
                pool.trim();
                let block = other.allocate(pool);
                other.free(pool, block);
            });
            // The address may come to an owner again only after a trim, and then it is another's.
            at_once([wrong, work]);
            held.check(pool);
        });
    }
}

#[test]
fn fault_21_a_block_whose_free_has_returned_can_be_found() {
    explore("free on two cores, then an interrupt's allocation", || {
        let (pool, held) = (pool(LARGE, Reuse::Never), Held::default());
        let blocks: Vec<_> = (0..24).map(|_| held.allocate(pool)).collect();
        let free = |part: &[Block]| {
            let (held, part) = (held.clone(), part.to_vec());
            call(move || {
                for block in part {
                    held.free(pool, block);
                    // What was just freed is there for an interrupt, which gets no memory, unless another core took it.
                    let again = held.allocate(pool);
                    held.free(pool, again);
                }
            })
        };
        let pages = pool.usage().pages;
        at_once([free(&blocks[..3]), free(&blocks[12..15]), free(&blocks[20..22])]);
        assert_eq!(pool.usage().pages, pages, "the pool grew although a block was free");
        held.check(pool);
    });
}

#[test]
fn two_threads_that_grow_a_pool_get_a_block_each() {
    explore("growth on three cores", || {
        let (pool, held) = (pool(PAGE_SIZE, Reuse::AtOnce), Held::default());
        let grow = || {
            let held = held.clone();
            call(move || _ = held.allocate(pool))
        };
        at_once([grow(), grow(), grow()]);
        assert_eq!(pool.usage().in_use, 3);
        held.check(pool);
    });
}

#[test]
fn cores_that_share_a_group_and_leave_it_find_every_block() {
    explore("groups that cores share", || {
        // Two groups of a page each: the first core's allocations leave both without a block, in turn.
        let (pool, held) = (pool(LARGE / 32, Reuse::AtOnce), Held::default());
        let blocks: Vec<_> = (0..64).map(|_| held.allocate(pool)).collect();
        let pages = pool.usage().pages;
        let work = |part: &[Block]| {
            let (held, part) = (held.clone(), part.to_vec());
            call(move || {
                for block in part {
                    held.free(pool, block);
                    let again = held.allocate(pool);
                    held.free(pool, again);
                    let _ = held.allocate(pool);
                }
            })
        };
        at_once([work(&blocks[..2]), work(&blocks[32..34]), work(&blocks[62..])]);
        assert_eq!(pool.usage().pages, pages, "the pool grew although a block was free");
        held.check(pool);
    });
}

#[test]
fn a_right_free_is_accepted_while_a_trim_tries_the_page() {
    for size in [LARGE, PAGE_SIZE] {
        explore(&format!("right frees and trim, blocks of {size}"), move || {
            let (pool, held) = (pool(size, Reuse::AtOnce), Held::default());
            let block = held.allocate(pool);
            held.free(pool, block);
            at_once([owner(pool, &held, 2, 1), owner(pool, &held, 2, 1), trims(pool)]);
            held.check(pool);
        });
    }
}

/// A thread that adds memory finds a mask that came with a copied table, and makes the pool follow it. Meanwhile
/// another mask is set. From then on, only that one counts.
#[test]
fn a_mask_that_is_set_while_a_pool_follows_an_earlier_one_counts_at_once() {
    #[derive(Clone, Copy)]
    struct Masked {
        source: Source,
        mask: &'static AtomicUsize,
    }

    // SAFETY: the test does not touch the memory.
    unsafe impl Pages for Masked {
        fn allocate(&self, device: Device, size: usize, align: usize, effort: Effort) -> Option<(Va, usize)> {
            self.source.allocate(device, size, align, effort)
        }
        unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
            // SAFETY: the caller's duties are the same.
            unsafe { self.source.free(device, size, va, handle) }
        }
        fn last_reachable(&self, _: Device) -> usize {
            let limit = self.mask.load(SeqCst);
            shuttle::thread::yield_now();
            limit
        }
    }

    explore("two masks", || {
        let mask = leak(AtomicUsize::new(usize::MAX));
        let source = Masked { source: Source::new(Reuse::Never), mask };
        let pools = leak(BlockPools::new(ShuttleKernel::new(0), source));
        let device = Device::at(1);
        let spec = BlockPoolSpec {
            name: PoolName::new(*b"blocks"),
            device: Some(device),
            size: PAGE_SIZE,
            align: 0,
            boundary: 0,
        };
        let pool = pools.create(&spec).ok().unwrap();
        let blocks = [(); 2].map(|()| pool.allocate().unwrap());
        blocks.into_iter().for_each(|block| pool.free(block.va, block.handle).unwrap());
        mask.store(FIRST + 4 * PAGE_SIZE - 1, SeqCst);
        let earlier = call(move || pool.follow_mask());
        let later = call(move || {
            mask.store(FIRST + PAGE_SIZE - 1, SeqCst);
            pools.follow_mask(device);
            for _ in 0..2 {
                let handle = pool.allocate().map_or(FIRST, |block| block.handle);
                assert_eq!(handle, FIRST, "a block beyond the mask is handed out");
            }
        });
        at_once([earlier, later]);
    });
}

/// A fill that fails frees the page that it added. Another fill may have counted the block on it meanwhile.
#[test]
fn a_fill_that_fails_leaves_another_fill_its_blocks() {
    /// One page.
    #[derive(Clone, Copy)]
    struct OnePage(Source);

    // SAFETY: the test does not touch the memory.
    unsafe impl Pages for OnePage {
        fn allocate(&self, _: Device, _: usize, _: usize, _: Effort) -> Option<(Va, usize)> {
            shuttle::thread::yield_now();
            let mut addresses = self.0.addresses.lock().unwrap();
            let is_first = core::mem::replace(&mut addresses.next, FIRST + PAGE_SIZE) == FIRST;
            let va = if is_first { FIRST } else { addresses.freed.pop()? };
            Some((va, va))
        }
        unsafe fn free(&self, device: Device, size: usize, va: Va, handle: usize) {
            // SAFETY: the caller's duties are the same.
            unsafe { self.0.free(device, size, va, handle) }
        }
        fn last_reachable(&self, _: Device) -> usize {
            usize::MAX
        }
    }

    explore("two fills, one of which fails", || {
        let source = OnePage(Source::new(Reuse::AtOnce));
        let pools = leak(BlockPools::new(ShuttleKernel::new(0), source));
        let name = PoolName::new(*b"blocks");
        let spec = BlockPoolSpec { name, device: Some(Device::at(1)), size: PAGE_SIZE, align: 0, boundary: 0 };
        let pool = pools.create(&spec).ok().unwrap();
        let is_filled = Arc::new(Mutex::new(false));
        let set_filled = is_filled.clone();
        at_once([call(move || assert!(!pool.fill(2))), call(move || *set_filled.lock().unwrap() = pool.fill(1))]);
        assert!(!*is_filled.lock().unwrap() || pool.usage().blocks != 0, "the block that a fill counted is gone");
    });
}
