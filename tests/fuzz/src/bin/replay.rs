//! Runs each file that is named, or each file of a folder: `replay tests/fuzz/corpus`. With `FUZZ_UNREACHED=FILE` it
//! reports which functions of the library no run has reached, and fails unless the file lists exactly these.

use std::path::PathBuf;

use rt_dma_pool_fuzz::{coverage, machine, run, statics};

fn main() {
    statics::note();
    let named = std::env::args_os().skip(1).map(PathBuf::from);
    let in_folder =
        |path: &PathBuf| std::fs::read_dir(path).ok().map(|entries| entries.map(|entry| entry.unwrap().path()));
    let files = named.flat_map(|path| match in_folder(&path) {
        Some(entries) => entries.collect(),
        None => vec![path],
    });
    let explained = std::env::var_os("FUZZ_UNREACHED");
    let mut count = 0;
    for file in files {
        // If the run fails, this line shows which file it was.
        println!("{}", file.display());
        run(&std::fs::read(&file).unwrap());
        coverage::note();
        count += 1;
    }
    println!("replay: {count} inputs, {} calls", machine::calls());
    if let Some(explained) = explained
        && !coverage::report(&std::fs::read_to_string(explained).unwrap())
    {
        std::process::exit(1);
    }
}
