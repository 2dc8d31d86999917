//! Compiles the C drivers, the port and the stand-in's own C, and links the library.
//!
//! * `RT_DMA_POOL_LIB_DIR`: where `librt_dma_pool.a` is (required to link);
//! * `RT_DMA_POOL_INCLUDE`: where the library's headers are (default: `../../include`);
//! * `STAND_IN_CC`: the C compiler (default: Debian's cross compiler for the target);
//! * `STAND_IN_WITHOUT_C`: set if another build compiles and links the C files;
//! * `STAND_IN_LINK`: further arguments for the linker, such as object files, with spaces in between;
//! * `STAND_IN_DEBUG`: set for the debug mode, with a library that has it, and the wrong drivers of `bsp-tests/wrong`;
//! * `STAND_IN_REVISION`: 1 or 2, the revision of RT-Thread's interface (default: 2).

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    if option("STAND_IN_WITHOUT_C").is_some() {
        return;
    }
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let root = here.join("../..");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap();

    let mut build = cc::Build::new();
    build.compiler(option("STAND_IN_CC").unwrap_or_else(|| match arch.as_str() {
        "arm" => "arm-none-eabi-gcc".into(),
        _ => format!("{arch}-linux-gnu-gcc"),
    }));
    build
        .flags(["-ffreestanding", "-nostdlib", "-fno-pic", "-fno-stack-protector", "-std=gnu11"])
        .flags(["-Wall", "-Wextra", "-Werror"])
        .opt_level(2)
        .force_frame_pointer(false)
        .define("PKG_RT_DMA_POOL_USING_BLOCK_POOL", None)
        .define("PKG_RT_DMA_POOL_USING_LIST_OPTIONS", None)
        .include(here.join("../include"))
        .cargo_metadata(false);
    match arch.as_str() {
        "aarch64" => build.flag("-mno-outline-atomics"),
        "arm" => build.flags(["-march=armv7-a", "-mfloat-abi=soft", "-marm"]),
        // The flags of the Rust target, and no calls of the compiler's library, which the image does not contain.
        _ => build.flags(["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-fno-builtin"]),
    };

    let include = option("RT_DMA_POOL_INCLUDE").map_or(root.join("include"), PathBuf::from);
    build.include(&include).include(include.join("porting"));
    if let Some(revision) = option("STAND_IN_REVISION") {
        build.define("STAND_IN_REVISION", revision.as_str());
    }
    let without_mmu = env::var_os("CARGO_FEATURE_NO_MMU").is_some();
    let drivers = here.join(if without_mmu { "../drivers/no_mmu" } else { "../drivers" });
    let mut directories = vec![here.join("c"), drivers, root.join("rtthread-port")];
    if env::var_os("CARGO_FEATURE_BENCH").is_some() {
        directories.push(root.join("benches"));
    }
    if option("STAND_IN_DEBUG").is_some() {
        build.define("PKG_RT_DMA_POOL_USING_DEBUG", None);
        // A call at the end of a function would otherwise be a jump, and its caller that of the function.
        build.flag("-fno-optimize-sibling-calls");
        // dma_smoke allocates each page by itself.
        build.define("PKG_RT_DMA_POOL_DEBUG_ENTRIES", "4096");
        build.include(here.join("../drivers"));
        directories.push(here.join("../wrong"));
        wrap_watched(&root.join("rtthread-port/rt_dma_port_debug.h"));
    }
    for directory in &directories {
        c_files(directory).iter().for_each(|file| {
            build.file(file);
        });
    }
    build.compile("drivers");

    // The whole archive is linked, as a BSP links plain objects: only its record in FSymTab refers to a shell command.
    println!("cargo:rustc-link-search=native={}", env::var("OUT_DIR").unwrap());
    println!("cargo:rustc-link-lib=static:+whole-archive=drivers");
    if let Some(directory) = option("RT_DMA_POOL_LIB_DIR") {
        println!("cargo:rerun-if-changed={directory}/librt_dma_pool.a");
        println!("cargo:rustc-link-search=native={directory}");
        println!("cargo:rustc-link-lib=static:-bundle=rt_dma_pool");
    } else {
        println!("cargo:warning=RT_DMA_POOL_LIB_DIR is not set: there is no library to link");
    }
    println!("cargo:rustc-link-arg=-T{}/{arch}.ld", here.display());
    println!("cargo:rustc-link-arg=--gc-sections");
    for argument in option("STAND_IN_LINK").unwrap_or_default().split_whitespace() {
        println!("cargo:rustc-link-arg={argument}");
        if Path::new(argument).is_file() {
            println!("cargo:rerun-if-changed={argument}");
        }
    }
    println!("cargo:rerun-if-changed={arch}.ld");
    println!("cargo:rerun-if-changed={}", here.join("../include").display());
}

/// Has the linker pass the calls of the functions that the debug mode watches to the port, as SConscript does.
fn wrap_watched(port: &Path) {
    let source = fs::read_to_string(port).unwrap_or_else(|error| panic!("{}: {error}", port.display()));
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("WATCH(").and_then(|rest| rest.strip_suffix(");")) {
            println!("cargo:rustc-link-arg=--wrap={name}");
        }
    }
}

/// The value of an environment variable that this build depends on.
fn option(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={name}");
    env::var(name).ok()
}

/// The C files of a directory, in order.
fn c_files(directory: &Path) -> Vec<PathBuf> {
    println!("cargo:rerun-if-changed={}", directory.display());
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    files.sort();
    files
}
