//! Runs the C drivers of `bsp-tests/host/` on this host, linked with the static library and the real port: for both
//! revisions of RT-Thread's interface, without and with AddressSanitizer and UBSan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {}\n{text}", command.get_program(), output.status);
    text
}

/// Builds the library once, as a C program on this host links it, and returns the archive's path.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| build_library("library", "staticlib", "rtthread").join("librt_dma_pool.a"))
}

/// Builds the library as a crate of this type with these features, in a folder of this name. Returns the folder of the
/// result.
fn build_library(folder: &str, crate_type: &str, features: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    run(Command::new(cargo)
        .args(["rustc", "--quiet", "--lib", "--crate-type", crate_type, "--features", features])
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("RUSTFLAGS"));
    target.join("debug")
}

fn c_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "c")).collect()
}

/// Where the drivers' headers are.
const FOLDERS: [&str; 4] = ["bsp-tests/include", "include", "include/porting", "bsp-tests/host"];

/// A program of C drivers.
#[derive(Clone, Copy, Debug)]
struct Program<'a> {
    /// The revision of RT-Thread's interface.
    revision: u32,
    /// Its own C files.
    sources: &'a [PathBuf],
    /// The compiler's flags.
    flags: &'a [&'a str],
}

/// Compiles a program with the port and the host stand-in.
fn compile(program: Program, path: &Path) {
    compile_with(program, library(), path)
}

/// Compiles a program with an archive that contains the library.
fn compile_with(Program { revision, sources, flags }: Program, library: &Path, path: &Path) {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let compiler =
        cc::Build::new().host(&host).target(&host).opt_level(1).debug(true).cargo_metadata(false).get_compiler();
    run(compiler
        .to_command()
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-DRT_USING_OFW", "-DPKG_RT_DMA_POOL_USING_LIST_OPTIONS"])
        .arg(format!("-DSTAND_IN_REVISION={revision}"))
        .args(FOLDERS.map(|folder| format!("-I{}/{folder}", root().display())))
        .args(flags)
        .args(sources)
        .args(c_files("rtthread-port"))
        .arg(library)
        .arg("-o")
        .arg(path));
}

/// The number of a program, and whether it is compiled.
type Compiled = (usize, Arc<OnceLock<()>>);

/// Returns the path of the compiled program. Each is compiled once: several tests run it, each with its subject.
fn compiled(program: Program) -> PathBuf {
    static PROGRAMS: Mutex<BTreeMap<String, Compiled>> = Mutex::new(BTreeMap::new());
    let mut programs = PROGRAMS.lock().unwrap();
    let next = programs.len();
    let (number, compiled) = programs.entry(format!("{program:?}")).or_insert_with(|| (next, Arc::default())).clone();
    drop(programs);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("c-drivers-{number}"));
    compiled.get_or_init(|| compile(program, &path));
    path
}

/// Runs a program, and returns its output.
fn output_of(program: Program, subject: Option<&str>) -> String {
    run(Command::new(compiled(program)).args(subject))
}

/// Runs one subject of the drivers (`bsp-tests/host/main.c` lists them), or all of them.
fn run_subject(revision: u32, flags: &[&str], subject: Option<&str>) {
    let sources = [c_files("bsp-tests/host"), c_files("bsp-tests/host/services")].concat();
    let text = output_of(Program { revision, sources: &sources, flags }, subject);
    assert!(text.ends_with("drivers: all is well\n"), "{text}");
}

/// Runs one subject of the drivers with both revisions of the interface.
fn run_subject_of_both_revisions(flags: &[&str], subject: &str) {
    for revision in [1, 2] {
        run_subject(revision, flags, Some(subject));
    }
}

/// Runs a program of `bsp-tests/boards/`, and returns its output.
fn run_board(revision: u32, name: &str, flags: &[&str]) -> String {
    let mut sources = c_files("bsp-tests/host/services");
    sources.push(root().join(format!("bsp-tests/boards/{name}.c")));
    let text = output_of(Program { revision, sources: &sources, flags }, None);
    assert!(text.ends_with(&format!("{name}: all is well\n")), "{text}");
    text
}

const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

#[test]
fn drivers_of_revision_1_get_what_they_expect() {
    run_subject(1, &[], None);
}

#[test]
fn drivers_of_revision_2_get_what_they_expect() {
    run_subject(2, &[], None);
}

#[test]
fn no_sanitizer_finds_a_mistake_with_revision_1() {
    run_subject(1, &SANITIZERS, None);
}

#[test]
fn no_sanitizer_finds_a_mistake_with_revision_2() {
    run_subject(2, &SANITIZERS, None);
}

#[test]
fn borrowers_in_c_give_back_what_an_owner_needs() {
    run_subject_of_both_revisions(&SANITIZERS, "lending");
}

#[test]
fn fault_05_calls_of_c_that_need_a_thread_are_counted_in_an_interrupt() {
    run_subject_of_both_revisions(&[], "interrupt");
}

#[test]
fn boot_code_sleeps_only_where_no_thread_runs() {
    run_subject_of_both_revisions(&[], "boot");
}

#[test]
fn fault_15_the_port_refuses_regions_of_nodes_that_are_not_there() {
    run_subject_of_both_revisions(&[], "regions");
}

#[test]
fn fault_17_devices_at_one_address_inherit_nothing() {
    run_subject_of_both_revisions(&SANITIZERS, "owners");
}

#[test]
fn fault_19_a_managed_buffer_that_was_freed_plainly_is_not_released() {
    run_subject_of_both_revisions(&[], "managed");
}

#[test]
fn fault_06_what_no_range_covers_as_the_kernel_reads_it_is_out_of_reach() {
    run_subject_of_both_revisions(&SANITIZERS, "ranges");
}

#[test]
fn fault_07_the_end_of_a_buffer_and_the_mask_count_in_every_call_that_gives_a_handle() {
    run_subject_of_both_revisions(&[], "ends");
}

#[test]
fn fault_26_a_child_that_copied_its_parents_masked_table_keeps_mask_and_translation() {
    run_subject_of_both_revisions(&[], "children");
}

#[test]
fn fault_08_c_drivers_get_no_block_beyond_a_mask_that_was_set_later() {
    run_subject_of_both_revisions(&[], "masks");
}

#[test]
fn fault_22_the_console_of_a_c_system_may_be_a_dma_device() {
    run_subject_of_both_revisions(&[], "console");
}

/// Returns the lines of `text` that contain `part`.
fn lines_with(text: &str, part: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}

#[test]
fn fault_28_a_board_that_leaves_the_mmu_off_boots_and_serves_cached_memory() {
    for (revision, refused) in [(1, 2), (2, 3)] {
        let text = run_board(revision, "mmu_off", &[]);
        let lines = lines_with(&text, "no page tables");
        assert_eq!(lines.len(), refused, "one line for each refused call: {text}");
    }
}

/// The size of RAM is an odd number of MiB, so that a pool of 2 MiB at its end begins within a block of 2 MiB.
const ODD_RAM: &str = "-DHOST_RAM_SIZE=(63UL << 20)";

#[test]
fn fault_29_a_view_of_a_pool_at_the_end_of_ram_ends_with_the_pool() {
    for revision in [1, 2] {
        run_board(revision, "end_of_ram", &[ODD_RAM]);
    }
}

#[test]
fn a_removed_device_leaves_no_bounce_buffer_that_only_a_thread_can_free() {
    for revision in [1, 2] {
        run_board(revision, "no_views", &["-DRT_DMA_POOL_VIEW_LIMIT=0"]);
    }
}

#[test]
fn fault_30_a_device_without_a_name_is_known_by_its_node_or_its_address() {
    let text = run_board(2, "end_of_ram", &[ODD_RAM]);
    let address = lines_with(&text, "address ")[0].replace("address ", "");
    assert_eq!(lines_with(&text, "not mapped").len(), 2, "{text}");
    assert_eq!(lines_with(&text, "dma@1000: not mapped").len(), 1, "{text}");
    assert_eq!(lines_with(&text, &format!("device {address}: not mapped")).len(), 1, "{text}");
    assert_eq!(lines_with(&text, &format!("device {address}: 1 managed resources")).len(), 1, "{text}");
    assert_eq!(lines_with(&text, "(null)").len(), 0, "{text}");
}

/// Compiles `bsp-tests/boards/rust_driver.rs` to an archive, with the library in it.
fn rust_driver() -> PathBuf {
    let library = build_library("public_api", "rlib", "rtthread");
    let archive = library.join("librust_driver.a");
    run(Command::new(std::env::var_os("RUSTC").unwrap_or("rustc".into()))
        .args(["--edition", "2024", "--crate-type", "staticlib", "-C", "panic=abort", "-o"])
        .arg(&archive)
        .arg("--extern")
        .arg(format!("rt_dma_pool={}", library.join("librt_dma_pool.rlib").display()))
        .arg("-L")
        .arg(library.join("deps"))
        .arg(root().join("bsp-tests/boards/rust_driver.rs")));
    archive
}

#[test]
fn fault_08_the_blocks_of_a_rust_driver_follow_a_mask_that_is_set_later() {
    let archive = rust_driver();
    for revision in [1, 2] {
        let mut sources = c_files("bsp-tests/host/services");
        sources.push(root().join("bsp-tests/boards/rust_driver.c"));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rust-driver-{revision}"));
        compile_with(Program { revision, sources: &sources, flags: &["-lpthread", "-ldl"] }, &archive, &path);
        let text = run(&mut Command::new(path));
        assert!(text.ends_with("rust_driver: all is well\n"), "{text}");
    }
}

/// Returns the compiler's flags that switch the debug mode on, and pass the drivers' calls to it as `SConscript` does.
fn debug_flags() -> Vec<String> {
    let header = std::fs::read_to_string(root().join("rtthread-port/rt_dma_port_debug.h")).unwrap();
    let watched = header.lines().filter_map(|line| line.strip_prefix("WATCH(")?.strip_suffix(");"));
    let wrapped = watched.map(|name| format!("-Wl,--wrap={name}"));
    std::iter::once("-DPKG_RT_DMA_POOL_USING_DEBUG".to_owned()).chain(wrapped).collect()
}

#[test]
fn the_debug_mode_knows_what_the_library_freed_and_which_memory_a_mapping_uses() {
    let archive = build_library("debug_mode", "staticlib", "rtthread,debug").join("librt_dma_pool.a");
    let flags = debug_flags();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    for revision in [1, 2] {
        let mut sources = c_files("bsp-tests/host/services");
        sources.push(root().join("bsp-tests/boards/debug_mode.c"));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("debug-mode-{revision}"));
        compile_with(Program { revision, sources: &sources, flags: &flags }, &archive, &path);
        let text = run(&mut Command::new(path));
        assert!(text.ends_with("debug_mode: all is well\n"), "{text}");
    }
}
