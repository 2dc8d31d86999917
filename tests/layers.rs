//! The direction of dependencies in `src/`: a file uses only files of its own folder and of the folders below it, and
//! no file and no folder depends on itself through others: there is no cycle.
//!
//! The folders, from the top: `ffi`, `additions`, `dropin`, `mem`, `kernel`, and the vocabulary (`error`, `flags`,
//! `log`, `abi`, `text`). A `mod.rs` and the files of its own folder may use each other: together they are one module.
//!
//! The files above `mem` take their atomics from `mem::atomics`, so that a model checker sees every access.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up; what is not listed here is vocabulary.
const LAYERS: [&str; 5] = ["kernel", "mem", "dropin", "additions", "ffi"];

type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// Returns the level of a module's folder; 0 for the vocabulary.
fn level(module: &[String]) -> usize {
    LAYERS.iter().position(|layer| module.first().is_some_and(|first| first == layer)).map_or(0, |place| place + 1)
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Returns the module of a file: `src/dropin/pool/mod.rs` is `dropin::pool`.
fn module_of(path: &Path) -> Module {
    let mut parts: Module = path.with_extension("").iter().map(|part| part.to_str().unwrap().to_string()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Returns the code without comments and without its unit tests.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Splits the text of a group, which begins after its `{`, at the group's own commas.
fn items_of_group(group: &str) -> Vec<&str> {
    let mut depth = 0;
    let (mut begin, mut items) = (0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[begin..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// Returns the paths in the text after `crate::` or `super::`: of `a::{b, c::D}`, these are `a::b` and `a::c::D`.
fn paths(text: &str) -> Vec<Module> {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        return items_of_group(group).into_iter().flat_map(paths).collect();
    }
    let name: String = text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    match text[name.len()..].strip_prefix("::") {
        Some(rest) if !name.is_empty() => {
            let mut found = paths(rest);
            found.iter_mut().for_each(|path| path.insert(0, name.clone()));
            found
        }
        _ => vec![vec![name]],
    }
}

/// Returns the code of each module.
fn sources() -> BTreeMap<Module, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    files
        .iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.iter().any(|part| part == "tests" || part == "testing.rs"))
        .map(|path| (module_of(path.strip_prefix(&root).unwrap()), code(&fs::read_to_string(path).unwrap())))
        .collect()
}

/// Returns the modules that each module uses; not those that contain it or that it contains.
fn graph() -> Graph {
    let sources = sources();
    let file_of = |path: &[String]| {
        let lengths = (1..=path.len()).rev();
        lengths.map(|length| path[..length].to_vec()).find(|prefix| sources.contains_key(prefix))
    };
    let mut graph = Graph::new();
    for (module, source) in &sources {
        let used = graph.entry(module.clone()).or_default();
        for (word, keep) in [("crate::", 0), ("super::", module.len().saturating_sub(1))] {
            for (at, _) in source.match_indices(word) {
                for path in paths(&source[at + word.len()..]) {
                    let path = [&module[..keep], &path[..]].concat();
                    used.extend(file_of(&path).filter(|to| !to.starts_with(module) && !module.starts_with(to)));
                }
            }
        }
    }
    graph
}

/// Returns whether `from` uses `to`, by itself or through other modules. `seen` has the modules that were searched.
fn depends_on(graph: &Graph, from: &Module, to: &Module, seen: &mut BTreeSet<Module>) -> bool {
    graph.get(from).is_some_and(|used| {
        used.iter().any(|next| next == to || (seen.insert(next.clone()) && depends_on(graph, next, to, seen)))
    })
}

/// Returns the modules that are in a cycle.
fn modules_in_cycles(graph: &Graph) -> Vec<String> {
    let members = graph.keys().filter(|module| depends_on(graph, module, module, &mut BTreeSet::new()));
    members.map(|module| module.join("::")).collect()
}

/// Returns the graph between folders: the folder of `dropin::registry` is `dropin`, that of `dropin::pool` is itself.
fn folders(graph: &Graph) -> Graph {
    let is_folder = |module: &Module| graph.keys().any(|other| other.len() > module.len() && other.starts_with(module));
    let folder = |module: &Module| if is_folder(module) { module.clone() } else { module[..module.len() - 1].to_vec() };
    let mut result = Graph::new();
    for (from, used) in graph {
        let from = folder(from);
        let to = used.iter().map(&folder).filter(|to| !to.starts_with(&from) && !from.starts_with(to));
        result.entry(from.clone()).or_default().extend(to);
    }
    result
}

#[test]
fn a_file_uses_its_own_layer_and_those_below() {
    let graph = graph();
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 100, "the imports are read");
    let upward: Vec<String> = graph
        .iter()
        .flat_map(|(from, used)| used.iter().map(move |to| (from, to)))
        .filter(|(from, to)| level(to) > level(from))
        .map(|(from, to)| format!("{} uses {}", from.join("::"), to.join("::")))
        .collect();
    assert!(upward.is_empty(), "against the direction: {upward:#?}");
}

#[test]
fn no_file_and_no_folder_is_in_a_cycle() {
    let graph = graph();
    assert_eq!(modules_in_cycles(&graph), Vec::<String>::new(), "files");
    assert_eq!(modules_in_cycles(&folders(&graph)), Vec::<String>::new(), "folders");
}

#[test]
fn a_model_checker_sees_every_atomic_above_mem() {
    // The kernel's `printf` reads the names of devices there as plain bytes. A model checker's atomics have another
    // layout.
    let read_by_c = ["additions::debug::devices"];
    let lowest = level(&["mem".to_string()]) + 1;
    let mut unseen = sources();
    unseen.retain(|module, source| level(module) >= lowest && source.contains("sync::atomic"));
    let unseen: Vec<String> = unseen.keys().map(|module| module.join("::")).collect();
    assert_eq!(unseen, read_by_c, "these import atomics from elsewhere than mem::atomics");
}
