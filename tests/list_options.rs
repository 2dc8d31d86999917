//! Tests what `list_dma_pool -v` and `-m` print, and `rt_dma_pool_statistics`.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::additions::shell_list::Statistics;
use rt_dma_pool::flags::Flags;

/// Returns the lines of `list_dma_pool -v`.
fn details(machine: &Machine) -> Vec<String> {
    machine.dma.print_details();
    machine.take_printed()
}

/// Returns the lines of `list_dma_pool -m`.
fn maps(machine: &Machine) -> Vec<String> {
    machine.dma.print_page_maps();
    machine.take_printed()
}

#[test]
fn statistics_are_those_of_the_pool_alone() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let other = machine.install(c"other", START + MIB, MIB);
    let device = machine.plain_device();
    let nothing =
        Statistics { total: MIB, used: 0, peak: 0, longest_free: MIB, buffers: 0, failed: 0, largest_failed: 0 };
    assert_eq!(pool.statistics(), nothing);
    let held: Vec<_> =
        [100, 4 * PAGE, 4 * PAGE, PAGE].map(|size| machine.alloc(device, size, Flags::empty()).unwrap()).into();
    machine.free(held[1]).unwrap();
    assert_eq!(machine.alloc(device, 2 * MIB, Flags::empty()), None);
    let expected = Statistics {
        used: 6 * PAGE,
        peak: 10 * PAGE,
        longest_free: MIB - 10 * PAGE,
        buffers: 3,
        failed: 1,
        largest_failed: 2 * MIB,
        ..nothing
    };
    assert_eq!(pool.statistics(), expected);
    assert_eq!(other.statistics(), Statistics { failed: 1, largest_failed: 2 * MIB, ..nothing });
}

#[test]
fn buffers_are_counted_by_their_sizes() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    // Sizes that end within a word of the bitmaps, at its end, and in a later one.
    let sizes = [1, 63, 64, 1, 70, 1, 1];
    let held: Vec<_> = sizes.iter().map_while(|pages| machine.alloc(device, pages * PAGE, Flags::empty())).collect();
    assert_eq!(held.len(), sizes.len());
    assert_eq!(pool.statistics().buffers, sizes.len());
    let lines = details(&machine);
    assert_eq!(lines[0], "pool [0x40000000, 0x40100000] 1024 KiB");
    assert_eq!(lines[1], "    KiB: 804 in use, 804 at most, 220 in the longest free run");
    let words: Vec<Vec<_>> = lines[2..].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words,
        [["4", "x", "4", "KiB"], ["1", "x", "252", "KiB"], ["1", "x", "256", "KiB"], ["1", "x", "280", "KiB"]]
    );

    machine.free(held[2]).unwrap();
    machine.free(held[4]).unwrap();
    assert_eq!(machine.alloc(device, MIB, Flags::empty()), None);
    let lines = details(&machine);
    assert_eq!(lines[2], "    requests that failed: 1, the largest of 1024 KiB");
    let words: Vec<Vec<_>> = lines[3..].iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words, [["4", "x", "4", "KiB"], ["1", "x", "252", "KiB"]]);
}

#[test]
fn a_map_shows_where_pages_are_free() {
    let (machine, _) = Machine::with_pool(c"pool", START, 512 * 4 * PAGE);
    let device = machine.plain_device();
    let held: Vec<_> =
        [8, 1, 3, 2, 2, 1, 3].map(|pages| machine.alloc(device, pages * PAGE, Flags::empty()).unwrap()).into();
    machine.free(held[1]).unwrap();
    machine.free(held[4]).unwrap();
    machine.free(held[6]).unwrap();
    let lines = maps(&machine);
    assert_eq!(lines[0], "pool [0x40000000, 0x40800000] 8192 KiB");
    assert_eq!(lines[1], "    16 KiB for each character");
    assert_eq!(lines[2], format!("    40000000 ##++-{}", ".".repeat(59)));
    assert_eq!(lines[3], format!("    40100000 {}", ".".repeat(64)));
    assert_eq!(lines.len(), 2 + 8 + 1, "{lines:#?}");
}

#[test]
fn every_map_fits_a_terminal_of_80_columns() {
    // One page, a line that is not full, the last address of this memory, a large pool.
    for (start, pages) in [(START, 1), (START, 65), (HIGH.end - 3 * PAGE, 3), (START, 32_768)] {
        let (machine, _) = Machine::with_pool(c"pool", start, pages * PAGE);
        let lines = maps(&machine);
        assert!(lines.iter().all(|line| line.len() < 80), "{lines:#?}");
        let map: String = lines[2..lines.len() - 1].iter().map(|line| line.trim().split_once(' ').unwrap().1).collect();
        let per_character = pages.div_ceil(512).next_power_of_two();
        assert_eq!(map, ".".repeat(pages.div_ceil(per_character)));
    }
}

#[test]
fn pools_may_change_while_they_are_listed() {
    let (machine, pool) = Machine::with_pool(c"pool", START, MIB);
    let device = machine.plain_device();
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            for step in 0..20_000 {
                let size = (1 + step % 70) * PAGE;
                let held = machine.alloc(device, size, Flags::empty()).unwrap();
                machine.free(held).unwrap();
            }
        });
        // At least one list.
        loop {
            assert!(pool.statistics().buffers <= 1);
            details(&machine);
            maps(&machine);
            if work.is_finished() {
                break;
            }
        }
    });
}
