# SPDX-License-Identifier: Apache-2.0
"""Makes the files of a release. Their bytes depend on the commit and on the tools of TOOLCHAIN.txt only."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tomllib

from parts.releases.tree import Wrong
from parts.repository import ROOT

TARGETS = {
    "aarch64-unknown-none": "aarch64-linux-gnu-",
    "aarch64-unknown-none-softfloat": "aarch64-linux-gnu-",
    "armv7a-none-eabi": "arm-none-eabi-",
    "armv7a-none-eabihf": "arm-none-eabi-",
    "riscv64gc-unknown-none-elf": "riscv64-linux-gnu-",
    "riscv64imac-unknown-none-elf": "riscv64-linux-gnu-",
}
# The variables of the environment that the tools get. They state where the tools are, and how the tools reach the network and the
# repository. Others can change the bytes: RUSTFLAGS, CARGO_PROFILE_RELEASE_LTO, TAR_OPTIONS, GZIP and many more.
KEPT = re.compile(r"PATH|HOME|TMPDIR|CARGO_HOME|RUSTUP_(HOME|TOOLCHAIN|AUTO_INSTALL)|CARGO_(HTTP|NET|REGISTRIES|SOURCE)_\w+|"
                  r"GIT_CONFIG_\w+|(http|https|no|all)_proxy|SSL_CERT_(FILE|DIR)", re.I)
# The sections of cargo's own configuration that cannot change the bytes.
HARMLESS = {"alias", "cargo-new", "credential-alias", "future-incompat-report", "http", "net", "registries", "registry", "source",
            "term"}
# git's settings that change what it puts into an archive.
GIT = ["git", "-c", "tar.umask=0022", "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "core.attributesFile=" + os.devnull]
# Variables with which other bytes would be made, if the tools got them.
HOSTILE = {
    "CARGO_ENCODED_RUSTFLAGS": "-Copt-level=0", "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_OPT_LEVEL": "3",
    "CARGO_TARGET_AARCH64_UNKNOWN_NONE_RUSTFLAGS": "-Ctarget-cpu=cortex-a72", "CARGO_TARGET_DIR": "/missing",
    "RT_DMA_POOL_CARGO_FLAGS": "--features=debug", "RUSTC": "/missing/rustc", "RUSTC_WRAPPER": "/missing/wrapper",
    "RUSTFLAGS": "-Copt-level=0",
    "GZIP": "-1", "LC_ALL": "C", "TAR_OPTIONS": "--numeric-owner --mtime=@1 --mode=a=rwx", "TZ": "Asia/Shanghai",
    "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "tar.umask", "GIT_CONFIG_VALUE_0": "0077",
    "GIT_CONFIG_KEY_1": "core.autocrlf", "GIT_CONFIG_VALUE_1": "true",
}


@contextlib.contextmanager
def other_environment():
    """Sets the variables of HOSTILE, and another umask."""
    before, umask = dict(os.environ), os.umask(0o077)
    os.environ.update(HOSTILE)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        os.umask(umask)


def run(command, environment, **kwargs):
    return subprocess.run(command, env=environment, check=True, **kwargs)


def output(command, environment, **kwargs):
    return run(command, environment, stdout=subprocess.PIPE, **kwargs).stdout


def first_line(command, environment):
    return output(command, environment, text=True).splitlines()[0]


def environment_of(time):
    """Returns the environment in which everything is made. `time` is that of the commit, in seconds since 1970."""
    environment = {key: value for key, value in os.environ.items() if KEPT.fullmatch(key)}
    environment.update(SOURCE_DATE_EPOCH=time, CARGO_INCREMENTAL="0", LC_ALL="C.UTF-8", TZ="UTC")
    return environment


def check_cargo(place, environment):
    """Checks that cargo's configuration changes no bytes."""
    home = environment.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    homes = [home, os.path.join(os.path.dirname(place), ".cargo"), "/.cargo"]
    for path in (os.path.join(home, name) for home in homes for name in ("config", "config.toml")):
        if os.path.exists(path):
            with open(path, "rb") as file:
                others = sorted(set(tomllib.load(file)) - HARMLESS)
            if others:
                raise Wrong("%s has settings that may change the bytes: %s" % (path, ", ".join(others)))


def compressed(data, environment):
    # With -n the name and the time are left out.
    return output(["gzip", "-9", "-n"], environment, input=data)


def sources_of(name, environment):
    """Returns a tar of the commit."""
    return output(GIT + ["archive", "--format=tar", "--prefix=%s/" % name, "HEAD"], environment, cwd=ROOT)


def packed(place, name, time, environment):
    """Returns a tar of a folder of `place`, in which nothing depends on the user and the time."""
    return output(["tar", "--create", "--format=ustar", "--sort=name", "--mtime=@" + time, "--owner=0", "--group=0",
                   "--numeric-owner", "--mode=u=rwX,go=rX", "--directory", place, name], environment)


def toolchain(environment):
    lines = [output(["rustc", "-vV"], environment, text=True).strip()]
    lines += [first_line(command, environment) for command in
              (["cargo", "-V"], ["cargo", "cyclonedx", "--version"], ["git", "--version"], ["tar", "--version"],
               ["gzip", "--version"])]
    lines += [first_line([prefix + tool, "--version"], environment) for prefix in sorted(set(TARGETS.values()))
              for tool in ("ld", "objcopy", "ar")]
    # Where the compiler lacks a target, tools/build-archive takes Debian's compiler, or builds core from the compiler's sources.
    for target in TARGETS:
        found = output([os.path.join(ROOT, "tools", "build-archive"), target, "--env", "--no-install"], environment, text=True)
        version = re.search(r"RUSTC=.* # (.*)", found)[1]
        lines.append("%s: %s%s" % (target, version, ", core from its sources" if "RUSTC_BOOTSTRAP" in found else ""))
    return "\n".join(lines) + "\n"


def find_cyclonedx(environment):
    if subprocess.run(["cargo", "cyclonedx", "--version"], env=environment, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode:
        raise Wrong("no cargo-cyclonedx, which writes the SBOM: run 'cargo install --locked cargo-cyclonedx'")


def sbom(source, environment):
    run(["cargo", "cyclonedx", "--quiet", "--manifest-path", os.path.join(source, "Cargo.toml"), "--format", "json",
         "--spec-version", "1.5", "--target", "aarch64-unknown-none", "--no-build-deps", "--override-filename", "sbom"],
        environment, cwd=source)
    with open(os.path.join(source, "sbom.json"), "rb") as file:
        return file.read()


def build(source, prebuilt, environment):
    for target, prefix in TARGETS.items():
        folder = os.path.join(prebuilt, target)
        run([os.path.join(source, "tools", "build-archive"), target, folder, "--prefix", prefix, "--no-install"],
            dict(environment, RT_DMA_POOL_CARGO_FLAGS="--locked"))
        # The list in docs/abi/ states what this archive exports, and the layouts of its headers.
        run([os.path.join(source, "ci", "abi"), os.path.join(folder, "librt_dma_pool.a"), "--prefix", prefix], environment)


def make(version, outdir, place):
    """Makes the files in `outdir`. The sources are built in `place`, whose name the SBOM contains."""
    time = output(["git", "log", "-1", "--format=%ct"], None, cwd=ROOT, text=True).strip()
    name = "rt-dma-pool-" + version
    environment = environment_of(time)
    find_cyclonedx(environment)
    check_cargo(place, environment)

    sources = sources_of(name, environment)
    run(["tar", "--extract", "--directory", place], environment, input=sources)
    source, prebuilt = os.path.join(place, name), os.path.join(place, name + "-prebuilt")
    tools = toolchain(environment)
    bill = sbom(source, environment)
    build(source, prebuilt, environment)
    shutil.copy(os.path.join(source, "LICENSE"), prebuilt)
    with open(os.path.join(prebuilt, "TOOLCHAIN.txt"), "w", encoding="utf-8") as file:
        file.write(tools)

    files = {
        name + ".tar.gz": compressed(sources, environment),
        name + "-prebuilt.tar.gz": compressed(packed(place, name + "-prebuilt", time, environment), environment),
        name + ".cdx.json": bill,
        "TOOLCHAIN.txt": tools.encode(),
    }
    files["SHA256SUMS"] = "".join("%s  %s\n" % (hashlib.sha256(data).hexdigest(), file)
                                  for file, data in sorted(files.items())).encode()
    os.makedirs(outdir, exist_ok=True)
    for file, data in files.items():
        with open(os.path.join(outdir, file), "wb") as out:
            out.write(data)


def check_links(version, outdir, place):
    """Takes each library out of the archive, links it in the stand-in BSP without Rust, and boots the image."""
    name = "rt-dma-pool-%s-prebuilt" % version
    run(["tar", "--extract", "--gzip", "--file", os.path.join(outdir, name + ".tar.gz"), "--directory", place,
         "--transform", "s,^%s,check," % name], None)
    for target in TARGETS:
        run([os.path.join(ROOT, "ci", "scons"), "--prebuilt", os.path.join(place, "check", target), target], None)
