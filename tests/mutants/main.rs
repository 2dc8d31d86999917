//! Tests that each fault of `tests/mutants/list` can be put into the library. `ci/mutants` tests that each is found.

use std::path::Path;
use std::process::Command;

#[test]
fn every_fault_of_the_list_can_be_put_into_the_library() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/mutants");
    let output = Command::new(script).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
