//! Replays the inputs that fuzzing has found: `tests/fuzz/corpus`, without libFuzzer and AddressSanitizer.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;
use std::process::Command;

#[test]
fn every_input_of_the_corpus_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["run", "--quiet", "--bin", "replay", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz"))
        .arg("--")
        .arg(root.join("corpus"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let files = std::fs::read_dir(root.join("corpus")).unwrap().count();
    assert!(files >= 20 && text.contains(&format!("replay: {files} inputs")), "{text}");
}
