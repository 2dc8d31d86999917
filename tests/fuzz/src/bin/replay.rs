//! Runs each file that is named, or each file of a folder: `replay tests/fuzz/corpus`.

use std::path::PathBuf;

use rt_dma_pool_fuzz::{machine, run, statics};

fn main() {
    statics::note();
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
