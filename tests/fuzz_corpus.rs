//! Replays the inputs that fuzzing has found: `tests/fuzz/corpus`, without libFuzzer and AddressSanitizer. They must
//! reach every function of the library but those of `tests/fuzz/unreached`.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;
use std::process::Command;

#[test]
fn the_corpus_reaches_every_function_that_is_not_listed_as_unreached() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(root.join("ci/fuzz")).arg("--unreached").env_remove("RUSTFLAGS").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let files = std::fs::read_dir(root.join("tests/fuzz/corpus")).unwrap().count();
    assert!(files >= 20 && text.contains(&format!("replay: {files} inputs")), "{text}");
}
