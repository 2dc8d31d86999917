//! Runs each file that is named, or each file of a folder: `replay tests/fuzz/corpus`.

use std::path::PathBuf;

use rt_dma_pool_fuzz::{machine, run, statics};

fn main() {
    statics::note();
    if let Some(count) = std::env::var("RANDOM_INPUTS").ok().and_then(|count| count.parse().ok()) {
        return random(count);
    }
    let named = std::env::args_os().skip(1).map(PathBuf::from);
    let in_folder =
        |path: &PathBuf| std::fs::read_dir(path).ok().map(|entries| entries.map(|entry| entry.unwrap().path()));
    let files = named.flat_map(|path| match in_folder(&path) {
        Some(entries) => entries.collect(),
        None => vec![path],
    });
    let mut count = 0;
    for file in files {
        // If the run fails, this line shows which file it was.
        println!("{}", file.display());
        run(&std::fs::read(&file).unwrap());
        count += 1;
    }
    println!("replay: {count} inputs, {} calls", machine::calls());
}

/// Runs inputs of random bytes, which are written to `random-input` first.
fn random(count: usize) {
    let mut state = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for _ in 0..count {
        let length = 20 + next() % 3000;
        let bytes: Vec<_> = (0..length).map(|_| next() as u8).collect();
        std::fs::write("random-input", &bytes).unwrap();
        run(&bytes);
    }
    println!("random: {count} inputs, {} calls", machine::calls());
}
