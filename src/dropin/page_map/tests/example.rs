//! The example in the documentation of the page map, row by row.

use super::super::open_run::OpenRun;
use super::super::settle::Pending;
use super::*;
use std::{format, string::String};

/// Returns what the columns of a row have, from "pages" on.
fn row(map: &mut PageMap) -> [String; 5] {
    let words = map.used().iter().map(|word| word.load(Relaxed));
    let pages = words.map(|word| (0..BITS).map(|bit| if word >> bit & 1 == 1 { '#' } else { '.' }).collect::<String>());
    let pages = pages.collect::<Vec<_>>().join(" ");
    let value = |word| match map.runs.tagged_start(word) {
        Some(start) => format!("tag {start}"),
        None => format!("{}", map.runs.longest_in(word)),
    };
    let values = (0..3).map(value).collect::<Vec<_>>().join(", ");
    let OpenRun { start, next, end, ref hole, .. } = map.open;
    let open = match (start == OpenRun::CLOSED.start, hole.is_empty()) {
        (true, _) => "closed".into(),
        (false, true) => format!("[{start}, {end}), next {next}"),
        (false, false) => format!("[{start}, {end}), next {next}, hole [{}, {})", hole.start, hole.end),
    };
    let pending = match &map.pending {
        Pending::Nothing => String::new(),
        Pending::Add(pages) => format!("add pages {} and {}", pages.start, pages.end - 1),
        Pending::Remove(gone) => format!("remove the {} of word {}", gone.length, gone.word_index),
        Pending::Lower(_) => "lower".into(),
    };
    [pages, values, format!("{}", map.longest_free()), open, pending]
}

/// Returns the rows of the table, each without its first column, as the documentation has them.
fn documented() -> Vec<[String; 5]> {
    let lines = include_str!("../mod.rs").lines().skip_while(|line| *line != "//! # Example");
    let rows = lines.filter_map(|line| line.strip_prefix("//! | ")).skip(2).take(11);
    rows.map(|line| {
        let cells = line.replace('`', "");
        let cells: Vec<_> = cells.trim_end_matches('|').split(" | ").map(str::trim).collect();
        core::array::from_fn(|column| cells.get(column + 1).copied().unwrap_or("").trim_end_matches([' ', '|']).into())
    })
    .collect()
}

#[test]
fn each_row_of_the_worked_example_is_what_the_map_has() {
    type Step = fn(&mut PageMap);
    let steps: [Step; 11] = [
        |_| {},
        |map| assert_eq!(map.allocate(1), Some(0)),
        |map| assert_eq!(map.allocate_usual(2), Some(1)),
        |map| assert_eq!(map.allocate_usual(2), Some(3)),
        |map| assert_eq!(map.try_free(1, 2), Ok(FreeStep::Done)),
        |map| assert_eq!(map.allocate_usual(1), Some(1)),
        |map| assert_eq!(map.settle_step(), TimeLeft::NoTime),
        |map| assert_eq!(map.settle_step(), TimeLeft::NoTime),
        |map| assert_eq!(map.try_free(3, 2), Ok(FreeStep::Done)),
        |map| assert_eq!(map.settle_step(), TimeLeft::NoTime),
        |map| assert_eq!(map.settle_step(), TimeLeft::NoTime),
    ];
    let documented = documented();
    assert_eq!(documented.len(), steps.len());
    let mut map = map_of(12);
    for (number, (step, expected)) in steps.into_iter().zip(documented).enumerate() {
        step(&mut map);
        assert_eq!(row(&mut map), expected, "row {number}");
    }
    assert_eq!(map.settle_step(), TimeLeft::ForAnything);
}

#[test]
fn the_open_run_of_the_worked_example_is_what_the_map_has() {
    let drawn = include_str!("../../../../docs/design.md");
    assert!(drawn.contains(" used         #  .  .  #    #  #  .  .    .  .  .  .\n"));
    let state = || {
        let mut map = map_of(12);
        for (count, page) in [(1, 0), (2, 1), (3, 3)] {
            assert_eq!(map.allocate(count), Some(page));
        }
        assert_eq!(map.try_free(1, 2), Ok(FreeStep::Done));
        map
    };
    let fields = |map: &PageMap| map.open.fields();
    // Start, end, next, hole, least_request, last.
    assert_eq!(fields(&state()), [0, 12, 6, 1, 3, 1, 3]);

    assert_eq!(state().allocate_usual(2), Some(1));
    let mut map = state();
    assert_eq!(map.allocate_usual(3), Some(6));
    assert_eq!(map.open.next, 9);

    let mut map = state();
    assert!(map.free_last(3, 3));
    let [_, _, next, _, _, _, last] = fields(&map);
    assert_eq!([next, last], [1, 1]);

    let mut map = state();
    assert_eq!(map.try_free(0, 1), Ok(FreeStep::Done));
    assert_eq!(map.open.hole, 0..3);
}

#[test]
fn the_least_request_of_the_worked_example_is_what_the_map_has() {
    let drawn = include_str!("../../../../docs/design.md");
    assert!(drawn.contains(" used         #  .  #  #    #  .  .  .    .  .  .  .\n"));
    let settle = |map: &mut PageMap| while map.settle_step() != TimeLeft::ForAnything {};
    let state = || {
        let mut map = map_of(12);
        for page in 0..3 {
            assert_eq!(map.allocate(1), Some(page));
        }
        assert_eq!(map.try_free(1, 1), Ok(FreeStep::Done));
        settle(&mut map);
        assert_eq!(map.allocate(2), Some(3));
        map
    };
    // Start, end, next, no hole, least_request, last.
    let [start, end, next, _, _, least_request, _] = state().open.fields();
    assert_eq!([start, end, next, least_request], [3, 12, 5, 2]);

    assert_eq!(state().allocate_usual(2), Some(5));
    let mut map = state();
    assert_eq!(map.allocate_usual(1), None);
    assert_eq!(map.allocate(1), Some(1));

    let mut map = state();
    assert_eq!(map.try_free(0, 1), Ok(FreeStep::Done));
    let [_, _, _, _, _, least_request, _] = map.open.fields();
    assert_eq!(least_request, 3);
    assert_eq!(map.allocate_usual(2), None);
    assert_eq!(map.allocate(2), Some(0));
}
