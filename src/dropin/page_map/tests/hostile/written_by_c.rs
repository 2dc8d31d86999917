//! A bitmap that C changes.

use super::super::super::bits::ALL;
use super::super::super::*;
use super::super::model::{Random, map_of};
use core::sync::atomic::Ordering::Relaxed;
use std::vec::Vec;

/// C may write to `pool->map`, on another core or between two calls. Then pages may be lost, or handed out twice; but
/// the memory after the pool has another owner.
#[test]
fn fault_26_no_page_after_the_last_is_handed_out_whatever_c_wrote_to_the_bitmap() {
    for (seed, pages) in
        (0..400).flat_map(|seed| [1, 7, 63, 64, 65, 100, 128, 129, 500, 1_000].map(|pages| (seed, pages)))
    {
        let mut random = Random(seed * 7_919 + pages as u64 + 1);
        let mut map = map_of(pages);
        let mut held = Vec::new();
        for _ in 0..60 {
            let words = map.used();
            match random.below(6) {
                0 => {
                    let value =
                        [0, usize::MAX, 1 << random.below(BITS), usize::MAX << random.below(BITS)][random.below(4)];
                    words[random.below(words.len())].store(value & ALL, Relaxed);
                }
                1 => {
                    words[random.below(words.len())].fetch_xor(1 << random.below(BITS), Relaxed);
                }
                2 if !held.is_empty() => {
                    let (page, count) = held.swap_remove(random.below(held.len()));
                    let _ = map.free(page, count);
                }
                3 => {
                    map.settle_all();
                    let (from, count) = (random.below(pages), 1 + random.below(pages));
                    let alignment = Alignment { align: 1 << random.below(4), base: random.below(9) };
                    if let SearchStep::Allocated(page) = map.allocate_in_part(from..pages, count, alignment) {
                        held.push((page, count));
                    }
                }
                _ => {
                    let most = [3, 70, pages][random.below(3)];
                    let count = 1 + random.below(most);
                    held.extend(map.allocate(count).map(|page| (page, count)));
                }
            }
            if let Some(&(page, count)) = held.last() {
                assert!(page + count <= pages, "{count} pages from {page} on, of {pages}; seed {seed}");
            }
        }
    }
}
