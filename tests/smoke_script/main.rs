//! Tests `bsp-tests/smoke`, which checks a kernel over its console: `console.py` plays consoles whose text is known.

use std::process::Command;

/// Runs the script on a console (`console.py` describes them). Returns whether it passed, and its output.
fn smoke(console: &[&str]) -> (bool, String) {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new("python3")
        .arg(format!("{root}/bsp-tests/smoke"))
        // The script needs the path of a file that exists. `console.py` does not read it.
        .args(["--timeout", "60", "--kernel", file!(), "--"])
        .arg(format!("{root}/tests/smoke_script/console.py"))
        .args(console)
        .current_dir(root)
        .output()
        .expect("python3");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}\n{text}", output.status);
    (output.status.success(), text)
}

#[test]
fn a_good_kernel_passes_every_check() {
    let (passes, text) = smoke(&[]);
    assert!(passes, "{text}");
    assert!(text.contains("PASS boot reserves coherent-pool") && text.contains("PASS boot reserves cma"), "{text}");
    assert!(text.ends_with("12 passed, 0 failed\n"), "{text}");
}

#[test]
fn fault_04_the_smoke_script_names_the_cause_when_it_meets_the_c_original() {
    for console in [&["c-original"][..], &["c-original", "ulog"], &["c-original", "other-threads"]] {
        let (passes, text) = smoke(console);
        assert!(!passes, "{console:?}: {text}");
        let cause = text.lines().find(|line| line.starts_with("FAIL the library is in the image"));
        let cause = cause.unwrap_or_else(|| panic!("{console:?}: {text}"));
        assert!(cause.contains("packages/SConscript") && cause.contains("docs/moving-a-bsp.md"), "{cause}");
    }
}

#[test]
fn fault_05_boot_lines_are_asked_for_only_where_the_kernel_logs_that_early() {
    let (passes, text) = smoke(&["ulog"]);
    assert!(passes && text.contains("SKIP boot reserves coherent-pool"), "{text}");
    let (passes, text) = smoke(&["no-boot-lines"]);
    assert!(!passes && text.contains("FAIL boot reserves cma"), "{text}");
}

#[test]
fn fault_05_lines_of_other_threads_change_no_verdict() {
    for console in [&["other-threads"][..], &["other-threads", "ulog"]] {
        let (passes, text) = smoke(console);
        assert!(passes, "{console:?}: {text}");
        assert!(text.contains("PASS list_dma_block_pool counts the pools"), "{console:?}: {text}");
    }
    for bad in ["failure", "lost", "no-boot-lines"] {
        let (passes, text) = smoke(&["other-threads", bad]);
        assert!(!passes, "{bad}: {text}");
    }
}

#[test]
fn fault_05_the_examples_start_qemu_without_a_network_card() {
    // QEMU's default card needs a ROM file that a machine may lack.
    for (name, text) in
        [("README.md", include_str!("../../README.md")), ("smoke", include_str!("../../bsp-tests/smoke"))]
    {
        let examples: Vec<_> = text.lines().filter(|line| line.contains("qemu-system-aarch64 -M")).collect();
        assert!(!examples.is_empty(), "{name} has no example");
        for line in examples {
            assert!(line.contains("-nic none"), "{name}: {line}");
        }
    }
}
