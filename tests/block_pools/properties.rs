//! Tests properties that hold for every shape and every order of calls: blocks never overlap, and they keep to their
//! alignment and boundary.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One call of a driver.
#[derive(Clone, Debug)]
enum Step {
    Take(usize),
    Free(Vec<prop::sample::Index>),
    Trim,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1usize..200).prop_map(Step::Take),
        4 => prop::collection::vec(any::<prop::sample::Index>(), 1..200).prop_map(Step::Free),
        1 => Just(Step::Trim),
    ];
    prop::collection::vec(step, 1..30)
}

/// Chooses sizes, alignments and boundaries: those that drivers use, and odd ones.
fn shapes() -> impl Strategy<Value = (usize, usize, usize)> {
    let size = prop_oneof![1usize..200, 200usize..5000, 5000usize..20000, Just(16), Just(64), Just(1024), Just(4096)];
    (size, 0u32..13, prop_oneof![Just(0), 3u32..16]).prop_map(|(size, align, boundary)| {
        let align = if align == 0 { 0 } else { 1 << align };
        (size, align, if boundary == 0 { 0 } else { 1 << boundary })
    })
}

/// A block that is in use: its handle, and the byte that fills it.
struct HeldBlock {
    handle: usize,
    mark: u8,
}

/// A driver that has blocks of one pool, and checks each call.
struct Driver<'a> {
    rig: &'a Rig,
    pool: &'static Pool,
    size: usize,
    align: usize,
    boundary: usize,
    held: BTreeMap<Va, HeldBlock>,
    /// The mark of the last block.
    mark: u8,
}

impl Driver<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Take(count) => self.take(*count),
            Step::Free(which) => self.free(which),
            Step::Trim => self.trim(),
        }
        assert_eq!(self.pool.usage().in_use, self.held.len());
        assert_eq!(self.rig.machine.balance().used_bytes, self.pool.usage().pages * PAGE);
    }

    fn take(&mut self, count: usize) {
        for _ in 0..count {
            let Some(block) = self.pool.allocate() else { break };
            self.check(block);
            self.mark = self.mark.wrapping_add(1);
            self.rig.machine.poke(block.va, &vec![self.mark; self.size]);
            self.held.insert(block.va, HeldBlock { handle: block.handle, mark: self.mark });
        }
    }

    /// Checks a new block: that it overlaps no other, its alignment, its boundary, and where it leads.
    fn check(&self, Block { va, handle }: Block) {
        let size = self.size;
        let next = self.held.range(va..).next().map_or(usize::MAX, |(next, _)| *next);
        let before = self.held.range(..va).next_back().map_or(0, |(before, _)| *before + size);
        assert!(before <= va && va + size <= next, "{va:#x} overlaps a block");
        assert!((va | handle).is_multiple_of(self.align.max(size_of::<usize>())), "{va:#x} {handle:#x}");
        let (boundary, last) = (self.boundary, handle + size - 1);
        assert!(boundary == 0 || handle / boundary == last / boundary, "{handle:#x} crosses {boundary:#x}");
        for at in [0, size - 1] {
            assert_eq!(self.rig.machine.pa_of(va + at), handle + at);
        }
    }

    fn free(&mut self, which: &[prop::sample::Index]) {
        for index in which {
            if self.held.is_empty() {
                break;
            }
            let va = *self.held.keys().nth(index.index(self.held.len())).unwrap();
            let HeldBlock { handle, mark } = self.held.remove(&va).unwrap();
            assert_eq!(self.rig.machine.peek(va, self.size), vec![mark; self.size]);
            self.pool.free(va, handle).unwrap();
            self.pool.free(va, handle).unwrap_err();
        }
    }

    fn trim(&self) {
        let before = self.pool.usage();
        let pages = self.pool.trim();
        let after = self.pool.usage();
        assert_eq!((after.in_use, after.pages), (before.in_use, before.pages - pages));
        assert_eq!(self.pool.trim(), 0);
    }

    fn free_all(self) {
        for (va, HeldBlock { handle, .. }) in self.held {
            self.pool.free(va, handle).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn blocks_keep_apart_aligned_and_within_their_boundary(
        shape in shapes(),
        steps in steps(),
        pages in prop_oneof![Just(600usize), 2usize..40],
    ) {
        let rig = Rig::with_pages(pages);
        let empty = rig.machine.balance();
        let (size, align, boundary) = shape;
        let rounded = size.next_multiple_of(align.max(size_of::<usize>()));
        match rig.try_create(size, align, boundary) {
            Err(error) => {
                prop_assert!(boundary != 0 && rounded > boundary, "{error:?}");
            }
            Ok(pool) => {
                prop_assert_eq!(pool.block_size(), rounded);
                let mut driver = Driver { rig: &rig, pool, size, align, boundary, held: BTreeMap::new(), mark: 0 };
                steps.iter().for_each(|step| driver.step(step));
                driver.free_all();
                rig.destroy(pool);
            }
        }
        let balance = rig.machine.balance();
        prop_assert_eq!((balance.heap_bytes, balance.used_bytes), (empty.heap_bytes, 0));
    }
}

/// A page holds as many blocks as fit, unless alignment or boundary forbid it.
#[test]
fn a_page_is_full_of_blocks() {
    for (size, align, boundary, wanted) in [
        (8, 0, 0, 512),
        (16, 16, 4096, 256),
        (64, 64, 64, 64),
        (96, 32, 256, 32),
        (68, 32, 4096, 42),
        (80, 16, 256, 48),
        (1024, 1024, 4096, 4),
        (1366, 2, 0, 2),
        (4096, 4096, 4096, 1),
    ] {
        let rig = Rig::with_pages(1);
        let pool = rig.create(size, align, boundary);
        let held: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
        assert_eq!((held.len(), pool.usage()), (wanted, usage(wanted, wanted, 1)), "{size} {align} {boundary}");
        free_all(pool, held);
        rig.destroy(pool);
    }
}
