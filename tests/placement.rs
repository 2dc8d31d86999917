//! Compares placement with a model of `dma_pool.c`, which walks the pools in install order and each bitmap bit by bit.
//! The model here also uses each pool's last page, which `dma_pool.c` never allocates.

mod fake_kernel;

use fake_kernel::*;
use proptest::prelude::*;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::Pa;

/// `dma_alloc` and `dma_free` of `dma_pool.c`, without its defects.
struct Original {
    pools: Vec<OriginalPool>,
}

struct OriginalPool {
    start: Pa,
    flags: Flags,
    /// Whether each page is in use.
    used: Vec<bool>,
}

impl Original {
    fn alloc(&mut self, pages: usize, wanted: Flags) -> Option<Pa> {
        for OriginalPool { start, flags, used } in &mut self.pools {
            let kinds = Flags::NOMAP | Flags::ADDRESS_32BITS;
            if flags.contains(Flags::DEVICE) != wanted.contains(Flags::DEVICE) || !flags.contains(wanted & kinds) {
                continue;
            }
            let fits = |page: &usize| used[*page..page + pages].iter().all(|used| !used);
            if let Some(page) = (0..(used.len() + 1).saturating_sub(pages)).find(fits) {
                used[page..page + pages].fill(true);
                return Some(*start + page * PAGE);
            }
        }
        None
    }

    fn free(&mut self, pa: Pa, pages: usize) {
        for OriginalPool { start, used, .. } in &mut self.pools {
            if (*start..*start + used.len() * PAGE).contains(&pa) {
                let page = (pa - *start) / PAGE;
                used[page..page + pages].fill(false);
            }
        }
    }
}

const REQUESTS: [Flags; 5] =
    [Flags::empty(), Flags::NOCACHE, Flags::ADDRESS_32BITS, Flags::DEVICE, Flags::WRITE_THROUGH];

/// Whether to free a buffer, and else the pages and the flags of a request; and what chooses among the buffers.
fn call() -> impl Strategy<Value = (bool, usize, usize, prop::sample::Index)> {
    (any::<bool>(), prop_oneof![1usize..40, 64usize..300], 0..REQUESTS.len(), any::<prop::sample::Index>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn handles_are_those_of_the_original(
        // Pools of up to three words of pages, and pools whose tree of maxima has two and three levels (64 bits).
        sizes in prop::collection::vec(prop_oneof![1usize..130, 257usize..700, 1025usize..1300], 1..5),
        kinds in prop::collection::vec(0usize..4, 5),
        calls in prop::collection::vec(call(), 400),
    ) {
        let machine = Machine::new();
        let device = machine.plain_device();
        let mut original = Original { pools: Vec::new() };
        for (index, pages) in sizes.into_iter().enumerate() {
            // Some pools lie in `HIGH`, and some belong to the device.
            let start = if kinds[index] == 1 { HIGH.end - 64 * MIB } else { LOW.start } + index * 8 * MIB;
            let pool = machine.install(c"pool", start, pages * PAGE);
            if kinds[index] == 2 {
                pool.add_flags(Flags::DEVICE);
                machine.set_pool_owner(pool, device);
            }
            original.pools.push(OriginalPool { start, flags: pool.flags(), used: vec![false; pages] });
        }
        let mut held: Vec<Held> = Vec::new();
        for (frees, pages, request, which) in calls {
            if frees && !held.is_empty() {
                let buffer = held.swap_remove(which.index(held.len()));
                original.free(buffer.handle, buffer.size.div_ceil(PAGE));
                machine.free(buffer).unwrap();
            } else {
                let size = pages * PAGE - which.index(PAGE);
                let buffer = machine.alloc(device, size, REQUESTS[request]);
                prop_assert_eq!(buffer.map(|buffer| buffer.handle), original.alloc(pages, REQUESTS[request]));
                held.extend(buffer);
            }
        }
    }
}
