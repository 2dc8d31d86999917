//! `docs/options.md` explains each text that the additions write to the log.

use std::fs;
use std::path::Path;

/// Returns the sources in a folder of this repository whose texts are in the log.
fn sources_that_log(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Shell commands print, and docs/debugging.md has the lines of the debug mode.
        let stem = path.file_stem().unwrap();
        let is_of_log = stem != "debug" && stem != "shell_list";
        if path.is_dir() && is_of_log {
            sources.extend(sources_that_log(&path));
        } else if path.is_file() && is_of_log {
            sources.push(fs::read_to_string(path).unwrap());
        }
    }
    sources
}

/// Returns the texts in a source: the literals that begin a call of `separate_cstr!` or `text!`, except those of names.
/// `...` stands for each value.
fn texts_in(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for (at, _) in source.match_indices("separate_cstr!(").chain(source.match_indices("text!(")) {
        let argument = source[at..].split_once('(').unwrap().1.trim_start();
        if let Some(literal) = argument.strip_prefix('"')
            && !source[..at].ends_with("Name::of(")
        {
            let text = literal.split('"').next().unwrap();
            texts.push(text.replace("%lx", "...").replace("%lu", "...").replace("%s", "..."));
        }
    }
    texts
}

/// The additions have their texts where they use them. `docs/options.md` has tables with each line of the log, or
/// with its beginning and `...`, and with each reason.
#[test]
fn each_text_of_the_additions_is_explained() {
    let rows = include_str!("../docs/options.md").lines().filter(|line| line.starts_with("| "));
    let explained: Vec<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    let is_explained = |text: &str| {
        explained.iter().any(|row| match row.strip_suffix("...") {
            Some(beginning) => !beginning.is_empty() && text.starts_with(beginning),
            None => *row == text,
        })
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src/additions", "src/ffi/additions"].map(|folder| sources_that_log(&root.join(folder))).concat();
    let found: Vec<_> = sources.iter().flat_map(|source| texts_in(source)).collect();
    assert!(found.len() > 30, "{found:?}");
    // `needs a thread` occurs only where no line is written.
    let missing = found.iter().filter(|text| *text != "needs a thread" && !is_explained(text));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&String>::new());
}
