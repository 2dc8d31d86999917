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

/// Sizes and alignments that drivers use, and odd ones.
fn shapes() -> impl Strategy<Value = (usize, usize, usize)> {
    let size = prop_oneof![1usize..200, 200usize..5000, 5000usize..20000, Just(16), Just(64), Just(1024), Just(4096)];
    (size, 0u32..13, prop_oneof![Just(0), 3u32..16]).prop_map(|(size, align, boundary)| {
        let align = if align == 0 { 0 } else { 1 << align };
        (size, align, if boundary == 0 { 0 } else { 1 << boundary })
    })
}

fn walk(rig: &Rig, pool: &'static Pool, (size, align, boundary): (usize, usize, usize), steps: &[Step]) {
    // The addresses and handles of the blocks in use, and their contents.
    let mut held: BTreeMap<Va, (usize, u8)> = BTreeMap::new();
    let mut mark = 0u8;
    for step in steps {
        match step {
            Step::Take(count) => {
                for _ in 0..*count {
                    let Some(block) = pool.allocate() else { break };
                    let Block { va, handle } = block;
                    let next = held.range(va..).next().map_or(usize::MAX, |(next, _)| *next);
                    let before = held.range(..va).next_back().map_or(0, |(before, _)| *before + size);
                    assert!(before <= va && va + size <= next, "{va:#x} overlaps a block");
                    assert!((va | handle).is_multiple_of(align.max(size_of::<usize>())), "{va:#x} {handle:#x}");
                    let crossed = |boundary| (handle + size - 1).checked_div(boundary) != handle.checked_div(boundary);
                    assert!(!crossed(boundary), "{handle:#x} crosses");
                    for at in [0, size - 1] {
                        assert_eq!(rig.machine.pa_of(va + at), handle + at);
                    }
                    mark = mark.wrapping_add(1);
                    rig.machine.poke(va, &vec![mark; size]);
                    assert_eq!(held.insert(va, (handle, mark)), None);
                }
            }
            Step::Free(which) => {
                for index in which {
                    if held.is_empty() {
                        break;
                    }
                    let va = *held.keys().nth(index.index(held.len())).unwrap();
                    let (handle, mark) = held.remove(&va).unwrap();
                    assert_eq!(rig.machine.peek(va, size), vec![mark; size]);
                    pool.free(va, handle).unwrap();
                    pool.free(va, handle).unwrap_err();
                }
            }
            Step::Trim => {
                let before = pool.usage();
                let pages = pool.trim();
                let after = pool.usage();
                assert_eq!((after.in_use, after.pages), (before.in_use, before.pages - pages));
                assert_eq!(pool.trim(), 0);
            }
        }
        assert_eq!(pool.usage().in_use, held.len());
        assert_eq!(rig.machine.balance().used_bytes, pool.usage().pages * PAGE);
    }
    for (va, (handle, _)) in held {
        pool.free(va, handle).unwrap();
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
        let rounded = shape.0.next_multiple_of(shape.1.max(size_of::<usize>()));
        match rig.try_create(shape.0, shape.1, shape.2) {
            Err(error) => {
                prop_assert!(shape.2 != 0 && rounded > shape.2, "{error:?}");
            }
            Ok(pool) => {
                prop_assert_eq!(pool.block_size(), rounded);
                walk(&rig, pool, shape, &steps);
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
