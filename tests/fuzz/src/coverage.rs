//! The edges of the library that runs have reached. LLVM's counters are compiled in with `--cfg counters` only:
//! `ci/fuzz --unreached`.

use std::collections::BTreeMap;
use std::sync::Mutex;

use object::{Object, ObjectSymbol};

use crate::statics::load_offset;

/// The tables that the compiler makes, from start to end: a counter for each edge, and its address with whether it is
/// the entry of a function.
struct Tables {
    counters: (usize, usize),
    places: (usize, usize),
    reached: Vec<bool>,
}

static TABLES: Mutex<Tables> = Mutex::new(Tables { counters: (0, 0), places: (0, 0), reached: Vec::new() });

/// Called once, before `main`.
#[cfg(counters)]
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: usize, end: usize) {
    TABLES.lock().unwrap().counters = (start, end);
}

/// Called once, before `main`.
#[cfg(counters)]
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_pcs_init(start: usize, end: usize) {
    TABLES.lock().unwrap().places = (start, end);
}

/// Notes what the last run reached. A counter of 8 bits overflows, so it is read after each run.
pub fn note() {
    let Tables { counters: (start, end), reached, .. } = &mut *TABLES.lock().unwrap();
    reached.resize(*end - *start, false);
    for (at, reached) in (*start..*end).zip(reached) {
        // SAFETY: the compiler's table lies there, and no other thread runs.
        *reached |= unsafe { (at as *mut u8).replace(0) } != 0;
    }
}

/// A function of the library: how many of its edges were reached, and how many it has.
#[derive(Clone, Copy, Default)]
struct Function {
    reached: usize,
    edges: usize,
}

/// Returns the functions of the library by their names. Instances of a generic function count as one, and closures as a
/// part of their function.
fn functions() -> BTreeMap<String, Function> {
    let Tables { places: (start, end), reached, .. } = &*TABLES.lock().unwrap();
    let names = names();
    let mut functions = BTreeMap::<String, Function>::new();
    let mut name = None;
    for (at, reached) in (*start..*end).step_by(2 * size_of::<usize>()).zip(reached) {
        // SAFETY: the compiler's table lies there.
        let [place, flags] = unsafe { (at as *const [usize; 2]).read() };
        if flags & 1 != 0 {
            name = names.get(&place);
        }
        if let Some(name) = name {
            let function = functions.entry(name.clone()).or_default();
            function.edges += 1;
            function.reached += usize::from(*reached);
        }
    }
    functions
}

/// Whether the function is one of the library, and not one of `core` with types of the library, or of the model's port.
fn is_ours(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&']);
    (name.starts_with("rt_dma") || name.starts_with("list_dma")) && !name.starts_with("rt_dma_port_")
}

/// Returns a name without its parameters, its traits, and the closures in it: `mem::lock::IrqLock::lock` of
/// `<rt_dma_pool::mem::lock::IrqLock<T>>::lock::{{closure}}`.
fn short(name: &str) -> String {
    let name = match name.strip_prefix('<') {
        // The type, and the method after the bracket that ends it.
        Some(rest) => {
            let end = end_of_bracket(rest);
            let of_type = rest[..end].split(" as ").next().unwrap_or_default();
            format!("{of_type}{}", &rest[(end + 1).min(rest.len())..])
        }
        None => name.to_owned(),
    };
    let mut short = String::new();
    let mut rest = name.as_str();
    while let Some(start) = rest.find('<') {
        short += rest[..start].trim_end_matches("::");
        rest = &rest[start + 1..];
        rest = &rest[(end_of_bracket(rest) + 1).min(rest.len())..];
    }
    short += rest;
    let short = short.split("::{{closure}}").next().unwrap_or_default();
    short.strip_prefix("rt_dma_pool::").unwrap_or(short).to_owned()
}

/// Returns the place of the bracket that ends the text before which another one begins.
fn end_of_bracket(text: &str) -> usize {
    let mut depth = 1;
    let end = text.char_indices().find(|(at, letter)| {
        depth += match letter {
            '<' => 1,
            // Not the arrow of a function's type.
            '>' if !text[..*at].ends_with('-') => -1,
            _ => 0,
        };
        depth == 0
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// Returns the module of a function's short name: its file.
fn module(name: &str) -> String {
    let parts: Vec<_> = name.split("::").collect();
    let is_module = |part: &&&str| part.starts_with(|letter: char| letter.is_lowercase());
    let modules = parts[..parts.len() - 1].iter().take_while(is_module).copied().collect::<Vec<_>>().join("::");
    if modules.is_empty() { "ffi".to_owned() } else { modules }
}

/// Prints for each module how many edges and functions were not reached, and the functions. `explained` has a line with
/// the name of each function that need not be reached. Returns whether these are the functions that were not.
pub fn report(explained: &str) -> bool {
    let functions = functions();
    let mut modules = BTreeMap::<String, Function>::new();
    for (name, function) in &functions {
        let module = modules.entry(module(name)).or_default();
        module.reached += function.reached;
        module.edges += function.edges;
    }
    println!("{:>8} {:>8}  module, and each function with a missed edge", "edges", "missed");
    for (name, Function { reached, edges }) in &modules {
        println!("{edges:>8} {:>8}  {name}", edges - reached);
        for (function, Function { reached, edges }) in
            functions.iter().filter(|(function, _)| module(function) == *name)
        {
            if reached != edges {
                println!(
                    "{edges:>8} {:>8}      {}",
                    edges - reached,
                    function.trim_start_matches(&format!("{name}::"))
                );
            }
        }
    }
    let missed: Vec<_> = functions.iter().filter(|(_, function)| function.reached == 0).map(|(name, _)| name).collect();
    let known: Vec<_> =
        explained.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let unknown: Vec<_> = missed.iter().filter(|name| !known.contains(&name.as_str())).collect();
    let stale: Vec<_> = known.iter().filter(|name| !missed.iter().any(|missed| missed == *name)).collect();
    unknown.iter().for_each(|name| println!("never reached, and not in tests/fuzz/unreached: {name}"));
    stale.iter().for_each(|name| println!("in tests/fuzz/unreached, but reached or gone: {name}"));
    let total = |count: fn(&Function) -> usize| functions.values().map(count).sum::<usize>();
    let (edges, reached) = (total(|function| function.edges), total(|function| function.reached));
    println!(
        "unreached: {} of {edges} edges, {} of {} functions, each of which is explained: {}",
        edges - reached,
        missed.len(),
        functions.len(),
        unknown.is_empty()
    );
    unknown.is_empty() && stale.is_empty()
}

/// Returns the short names of the library's functions by their addresses.
fn names() -> BTreeMap<usize, String> {
    let bytes = std::fs::read("/proc/self/exe").expect("the program's own file");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let offset = load_offset(&file);
    let name = |symbol: object::Symbol| {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
        is_ours(&name).then(|| (offset.wrapping_add(symbol.address() as usize), short(&name)))
    };
    file.symbols().filter_map(name).filter(|(_, name)| !name.contains("rt_dma_pool_fuzz")).collect()
}
