#!/usr/bin/env python3
"""Builds librt_dma_pool.a and its headers for a bare Rust target.

usage: tools/build TARGET [OUTDIR] [--prefix PREFIX] [--no-install] [--features LIST] [--env]

TARGET      a Rust target, such as aarch64-unknown-none
OUTDIR      the output folder for librt_dma_pool.a, librt_dma_pool.target with the target's name, include/ and the headers of
            rtthread-port/ (default: out)
--prefix    the C toolchain's prefix, such as aarch64-none-elf- (default: the first one found)
--no-install  print which tool is missing instead of installing it
--env       only print the shell assignments with which cargo builds any crate for the target

The environment variables CARGO and RUSTC select programs that are not on the PATH, and RT_DMA_POOL_CARGO_FLAGS has more
flags for cargo. RUSTFLAGS has no effect. If rustup installed the Rust target, that one is used. Otherwise the target is
built from the standard library's sources.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = "librt_dma_pool.a"

# The prefixes under which a bare target's binutils are searched if no prefix is given. RT-Thread's own toolchains are first.
PREFIXES = {
    "aarch64": ["aarch64-none-elf-", "aarch64-elf-", "aarch64-linux-musleabi-", "aarch64-linux-gnu-"],
    "armv7a": ["arm-none-eabi-", "arm-linux-musleabi-", "arm-linux-gnueabihf-"],
    "riscv64gc": ["riscv64-unknown-elf-", "riscv-none-elf-", "riscv64-unknown-linux-musl-", "riscv64-linux-gnu-"],
    "riscv64imac": ["riscv64-unknown-elf-", "riscv-none-elf-", "riscv64-unknown-linux-musl-", "riscv64-linux-gnu-"],
}
PACKAGES = {
    "aarch64": "binutils-aarch64-linux-gnu",
    "armv7a": "binutils-arm-none-eabi",
    "riscv64gc": "binutils-riscv64-linux-gnu",
    "riscv64imac": "binutils-riscv64-linux-gnu",
}


# LLVM settings for smaller code on the target whose code size is bounded (ci/bench). Registers are saved and restored by
# common functions, which LLVM does for aarch64 only, and at opt-level "z" only. The inline threshold is that of opt-level
# "s". Statics are not merged, so that each is linked only where it is used.
SMALL = {"aarch64": "-Cllvm-args=-homogeneous-prolog-epilog -inline-threshold=90 -aarch64-enable-global-merge=false"}


class Missing(Exception):
    """Something that the build needs and cannot get."""


def say(text):
    print("tools/build: " + text, file=sys.stderr, flush=True)


def output(command, **kwargs):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **kwargs).stdout


def run(command, **kwargs):
    subprocess.run(command, check=True, **kwargs)


def install(packages, options):
    """Installs Debian packages where that is possible and allowed."""
    if options.no_install or not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    say("installing " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"] + packages
    return subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode == 0


def sysroot(rustc):
    try:
        return output([rustc, "--print", "sysroot"], stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def has_target(rustc, target):
    root = sysroot(rustc)
    return bool(root and glob.glob(os.path.join(root, "lib/rustlib", target, "lib/libcore-*.rlib")))


def has_sources(rustc):
    root = sysroot(rustc)
    return bool(root and os.path.exists(os.path.join(root, "lib/rustlib/src/rust/library/core/Cargo.toml")))


def find_rust(target, options):
    """Returns the compiler to use, and whether the standard library must be built, too."""
    asked = os.environ.get("RUSTC")
    candidates = [asked] if asked else ["rustc", "/usr/bin/rustc"]
    for attempt in ("as it is", "rustup", "sources", "apt"):
        if attempt == "rustup":
            if asked or options.no_install or not shutil.which("rustup"):
                continue
            say("rustup target add " + target)
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(["rustup", "target", "add", target], **quiet)
        if attempt == "apt" and not install(["rustc-web", "rust-web-src"], options):
            continue
        for rustc in candidates:
            if attempt in ("as it is", "rustup") and has_target(rustc, target):
                return rustc, False
            if attempt in ("sources", "apt") and has_sources(rustc):
                return rustc, True
    raise Missing("Rust has no target %s: run 'rustup target add %s', or 'rustup component add rust-src'"
                  % (target, target))


def find_binutils(target, options):
    family = target.split("-")[0]
    prefixes = [options.prefix] if options.prefix is not None else PREFIXES.get(family, [])
    for _ in range(2):
        for prefix in prefixes:
            if all(shutil.which(prefix + tool) for tool in ("ld", "nm", "objcopy", "ar")):
                return prefix
        if options.prefix is not None or family not in PACKAGES or not install([PACKAGES[family]], options):
            break
    raise Missing("no binutils for %s (tried %s): pass their prefix with --prefix" % (target, ", ".join(prefixes) or "none"))


def find_cargo():
    cargo = shutil.which(os.environ.get("CARGO") or "cargo")
    if not cargo:
        raise Missing("no cargo: install Rust with rustup (https://rustup.rs), or set CARGO")
    return cargo


def small(rustc, target):
    """Returns the settings of SMALL, or none if the compiler's LLVM does not have them."""
    flag = SMALL.get(target.split("-")[0])
    if not flag:
        return []
    probe = [rustc, "--target", target, flag, "--print", "target-cpus"]
    if subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        say("%s does not know %s: the code will be larger" % (rustc, flag))
        return []
    return ["--config", "profile.release.opt-level='z'", "--config", "target.%s.rustflags=['%s']" % (target, flag)]


def compile_archive(target, options):
    """Runs cargo. Returns the path of the archive that rustc made."""
    cargo = find_cargo()
    rustc, from_sources = find_rust(target, options)
    say("%s with %s%s" % (target, output([rustc, "--version"]).strip(), ", core from source" if from_sources else ""))
    command = [cargo, "rustc", "--release", "--lib", "--crate-type", "staticlib", "--target", target,
               "--manifest-path", os.path.join(ROOT, "Cargo.toml"),
               "--config", "target.%s.rustflags=['-Cforce-unwind-tables=no']" % target]
    command += small(rustc, target)
    if options.features:
        command += ["--features", options.features]
    command += os.environ.get("RT_DMA_POOL_CARGO_FLAGS", "").split()
    # In the environment, flags for other programs would take the place of those above.
    others = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in others}
    environment["RUSTC"] = rustc
    if from_sources:
        environment["RUSTC_BOOTSTRAP"] = "1"
        command.append("-Zbuild-std=core,compiler_builtins")
    folder = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    run(command + ["--target-dir", folder], env=environment)
    return os.path.join(folder, target, "release", LIBRARY)


def defined(nm, path):
    symbols = output([nm, "--defined-only", "--extern-only", path], stderr=subprocess.DEVNULL).split("\n")
    return {line.split()[2] for line in symbols if len(line.split()) == 3}


def exports(nm, path):
    """Returns the symbols that C code may use: RT-Thread's interface, and the library's additions with its prefixes."""
    return sorted(name for name in defined(nm, path) if name.startswith(("list_dma_", "rt_dma_", "rt_dmam_")))


def keep_exports(archive, prefix, target_archive):
    """Makes an archive of one object with the code that the exports need. All other symbols become local, so that a second
    Rust library, with its own core and panic handler, can be linked into the same image. Sections stay separate for
    --gc-sections. Only the library's own members of the archive are taken: memcpy and similar functions are the kernel's."""
    names = exports(prefix + "nm", archive)
    whole = target_archive + ".o"
    roots = [option for name in names for option in ("-u", name)]
    with tempfile.TemporaryDirectory() as folder:
        members = [name for name in output([prefix + "ar", "t", archive]).split() if name.startswith("rt_dma_pool")]
        run([prefix + "ar", "x", os.path.abspath(archive)] + members, cwd=folder)
        objects = [os.path.join(folder, name) for name in members]
        run([prefix + "ld", "-r", "--gc-sections"] + roots + ["-o", whole] + objects)
    keep = ["--keep-global-symbol=" + name for name in names]
    run([prefix + "objcopy", "-R", ".llvmbc", "-R", ".llvmcmd", "-R", ".comment", "-R", ".note.GNU-stack"]
        + keep + [whole])
    if os.path.exists(target_archive):
        os.remove(target_archive)
    run([prefix + "ar", "rcsD", target_archive, whole])
    os.remove(whole)
    return names


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    parser.add_argument("target")
    parser.add_argument("outdir", nargs="?", default="out")
    parser.add_argument("--prefix")
    parser.add_argument("--no-install", action="store_true")
    parser.add_argument("--features")
    parser.add_argument("--env", action="store_true")
    options = parser.parse_args()
    try:
        if options.env:
            find_cargo()
            rustc, from_sources = find_rust(options.target, options)
            print("export RUSTC=%s # %s" % (rustc, output([rustc, "--version"]).strip()))
            if from_sources:
                print("export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=core,alloc,compiler_builtins")
            return
        prefix = find_binutils(options.target, options)
        archive = compile_archive(options.target, options)
        os.makedirs(options.outdir, exist_ok=True)
        library = os.path.join(options.outdir, LIBRARY)
        names = keep_exports(archive, prefix, library)
        # SConscript compares it with the target that it finds out for the BSP.
        with open(os.path.join(options.outdir, "librt_dma_pool.target"), "w") as file:
            file.write(options.target + "\n")
        shutil.copytree(os.path.join(ROOT, "include"), os.path.join(options.outdir, "include"), dirs_exist_ok=True)
        # By the port's own headers, SConscript finds out whether the archive fits the port.
        shutil.copytree(os.path.join(ROOT, "rtthread-port"), os.path.join(options.outdir, "rtthread-port"),
                        dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.c", "*.md"))
    except Missing as missing:
        sys.exit("tools/build: FAIL: %s" % missing)
    except subprocess.CalledProcessError as error:
        sys.exit("tools/build: FAIL: %s ended with status %d" % (error.cmd[0], error.returncode))
    say("PASS: %s and %s, %d exported symbols" % (library, os.path.join(options.outdir, "include"), len(names)))


if __name__ == "__main__":
    main()
