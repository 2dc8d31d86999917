//! Tests `include/porting/`: every name compiles as a Linux driver writes it, in C and in C++, without RT-Thread's
//! headers and together with them in any order.

use std::path::Path;
use std::process::Command;

/// Compiles `names.c` of this folder with warnings as errors. Returns the compiler's output if it does not compile.
fn compiles(language: &[&str], options: &[&str]) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiler = if language.contains(&"c++") { "c++" } else { "cc" };
    let output = Command::new(compiler)
        .current_dir(root)
        .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude", "-Iinclude/porting"])
        .args(language)
        .args(options)
        .arg("tests/porting_headers/names.c")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(()).ok_or(format!("{language:?} {options:?}: {text}"))
}

/// Linux drivers are written in GNU C. In strict C the macros accept any pointer as a device.
const GNU_C: &[&str] = &["-std=gnu11"];
const CPP: &[&str] = &["-std=c++11", "-x", "c++", "-pedantic"];
/// Without `-pedantic`: RT-Thread's own headers end enumerations with a comma.
const OLD_CPP: &[&str] = &["-std=c++98", "-x", "c++"];
const LANGUAGES: [&[&str]; 6] =
    [GNU_C, CPP, OLD_CPP, &["-std=gnu99"], &["-std=c99", "-pedantic"], &["-std=c11", "-pedantic"]];

/// The headers that a driver may include together with the porting headers, and in which order.
const SURROUNDINGS: [&[&str]; 10] = [
    &[],
    // The headers of Linux that a C library has for programs are found, too.
    &["-D__KERNEL__"],
    // The driver's port includes Linux's own header of directions.
    &["-DLINUX_DIRECTION_FIRST"],
    &["-DLINUX_DIRECTION_FIRST", "-DOLD_LINUX_DIRECTION"],
    // The port has its own.
    &["-DLINUX_DIRECTION_FIRST", "-DRT_DMA_LINUX_HAS_DIRECTION"],
    &["-Ibsp-tests/include", "-DSTAND_IN_REVISION=1"],
    &["-Ibsp-tests/include", "-DSTAND_IN_REVISION=2", "-DRT_USING_OFW", "-DRTTHREAD_FIRST"],
    &["-Ibsp-tests/include", "-DSTAND_IN_REVISION=1", "-DRTTHREAD_FIRST", "-DRTTHREAD_LAST"],
    &["-Ibsp-tests/include", "-DSTAND_IN_REVISION=2", "-DRTTHREAD_LAST"],
    // The words of RT-Thread may be ints, as on 32-bit Arm.
    &["-Ibsp-tests/include", "-DSTAND_IN_REVISION=1", "-DSTAND_IN_WORDS_ARE_INT", "-DRTTHREAD_LAST"],
];

#[test]
fn every_name_compiles_everywhere() {
    for language in LANGUAGES {
        for surroundings in SURROUNDINGS {
            compiles(language, surroundings).unwrap();
            let with_macro = [surroundings, &["-DDEVICE_IS_RT_DEVICE"]].concat();
            compiles(language, &with_macro).unwrap();
        }
    }
}

/// A pointer to anything but a device is a compile error; it is not cast.
#[test]
fn what_is_no_device_does_not_compile() {
    for language in [GNU_C, CPP] {
        let error = compiles(language, &["-DWRONG_DEVICE"]).unwrap_err();
        assert!(error.contains("dma_get_mask"), "{error}");
    }
}
