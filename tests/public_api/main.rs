//! Tests that known ways to cause undefined behaviour by safe functions of the public crate do not compile: what would
//! be needed is private or `unsafe`.
//!
//! The test compiles each file of `tests/public_api/drivers/` against the crate that a driver uses, without the feature
//! `internals`. A file that begins with `//! error: CODE TEXT` must be refused: each error must have this code, and its
//! message must contain the text, which names the item that is refused. Every other file must compile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Returns the code of the error with which a file must be refused, and the text that its message must contain.
fn expected_error(source: &str) -> Option<(&str, &str)> {
    source.lines().next()?.strip_prefix("//! error: ")?.split_once(' ')
}

/// Returns the first line of each error in the compiler's output. The compiler also counts them in a line.
fn error_lines(printed: &str) -> Vec<&str> {
    let lines = printed.lines().filter(|line| line.starts_with("error"));
    lines.filter(|line| !line.starts_with("error: aborting due to")).collect()
}

/// Builds the crate as a driver uses it, and returns the folder with the library.
fn build_crate() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public_api");
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let built = Command::new(cargo)
        .args(["rustc", "--quiet", "--lib", "--crate-type", "rlib", "--features", "rtthread"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .unwrap();
    assert!(built.success(), "the crate compiles without internals");
    folder
}

/// Compiles a file against the crate in `folder`.
fn compile(folder: &Path, path: &Path) -> Output {
    Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
        .arg("--extern")
        .arg(format!("rt_dma_pool={}", folder.join("debug/librt_dma_pool.rlib").display()))
        .arg("-L")
        .arg(folder.join("debug/deps"))
        .arg("--out-dir")
        .arg(folder)
        .arg(path)
        .output()
        .unwrap()
}

#[test]
fn fault_25_no_safe_function_of_the_public_crate_does_harm() {
    let folder = build_crate();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));

    let mut refused = 0;
    for file in std::fs::read_dir(root.join("tests/public_api/drivers")).unwrap() {
        let path = file.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let output = compile(&folder, &path);
        let printed = String::from_utf8_lossy(&output.stderr);
        let Some((code, text)) = expected_error(&source) else {
            assert!(output.status.success(), "{} must compile:\n{printed}", path.display());
            continue;
        };
        refused += 1;
        let errors = error_lines(&printed);
        assert!(!errors.is_empty(), "{} must not compile", path.display());
        for error in errors {
            let is_expected = error.starts_with(&format!("error[{code}]: ")) && error.contains(text);
            assert!(is_expected, "{}: {error}\nexpected: {code} {text}", path.display());
        }
    }
    assert!(refused > 0, "there are files that must be refused");
}

/// The documentation test of the page is built without the C interface, so it cannot compile this block.
#[test]
fn the_driver_on_rtthread_of_the_page_for_rust_compiles() {
    let page = include_str!("../../docs/rust-drivers.md");
    let block = page
        .split_once("```rust,ignore\n")
        .expect("docs/rust-drivers.md has a block `rust,ignore`")
        .1
        .split_once("```")
        .unwrap()
        .0;
    let folder = build_crate();
    let path = folder.join("page.rs");
    let probe = "fn probe(_: rt_dma_pool::ffi::driver::Device) -> core::ffi::c_int { 0 }";
    std::fs::write(&path, format!("{block}\n{probe}\n")).unwrap();
    let output = compile(&folder, &path);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Appends the files in `folder` and in the folders below it.
fn find_sources(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_sources(&path, sources);
        } else {
            sources.push(path);
        }
    }
}

/// A driver in Rust can also call the C functions. A safe one with a pointer argument would let it read any address.
/// Only functions that begin in the first column are found, as rustfmt writes them.
#[test]
fn fault_25_every_c_function_with_a_pointer_is_unsafe_to_call() {
    let mut sources = Vec::new();
    find_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi"), &mut sources);
    let texts: Vec<_> = sources.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let safe = texts.iter().flat_map(|text| text.split("\npub extern \"C\" fn ").skip(1));
    let safe: Vec<_> = safe.map(|function| function.split_once(')').unwrap().0).collect();
    let with_pointer: Vec<_> = safe.iter().filter(|function| function.contains('*')).collect();
    assert!(with_pointer.is_empty(), "{with_pointer:#?}");
    assert!(!safe.is_empty(), "the functions without pointers are found");
}
