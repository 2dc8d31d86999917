# SPDX-License-Identifier: Apache-2.0
"""Makes the files of a release. Their bytes depend on the commit and on the tools of TOOLCHAIN.txt only."""

import hashlib
import os
import shutil
import subprocess

from parts.releases.tree import ROOT, Wrong

TARGETS = {
    "aarch64-unknown-none": "aarch64-linux-gnu-",
    "aarch64-unknown-none-softfloat": "aarch64-linux-gnu-",
    "armv7a-none-eabi": "arm-none-eabi-",
    "armv7a-none-eabihf": "arm-none-eabi-",
    "riscv64gc-unknown-none-elf": "riscv64-linux-gnu-",
    "riscv64imac-unknown-none-elf": "riscv64-linux-gnu-",
}
# Variables of the environment that would change the code, or the folder in which it is built.
OUTSIDE = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "RT_DMA_POOL_CARGO_FLAGS", "RUSTC_BOOTSTRAP",
           "CARGO_TARGET_DIR", "RUSTC_WRAPPER")


def run(command, environment, **kwargs):
    return subprocess.run(command, env=environment, check=True, **kwargs)


def output(command, environment, **kwargs):
    return run(command, environment, stdout=subprocess.PIPE, **kwargs).stdout


def first_line(command, environment):
    return output(command, environment, text=True).splitlines()[0]


def environment_of(time):
    """Returns the environment in which everything is made. `time` is that of the commit, in seconds since 1970."""
    environment = {key: value for key, value in os.environ.items() if key not in OUTSIDE}
    environment.update(SOURCE_DATE_EPOCH=time, CARGO_INCREMENTAL="0")
    return environment


def compressed(data, environment):
    # With -n the name and the time are left out.
    return output(["gzip", "-9", "-n"], environment, input=data)


def packed(place, name, time, environment):
    """Returns a tar of a folder of `place`, in which nothing depends on the user and the time."""
    return output(["tar", "--create", "--format=ustar", "--sort=name", "--mtime=@" + time, "--owner=0", "--group=0",
                   "--numeric-owner", "--mode=u=rwX,go=rX", "--directory", place, name], environment)


def toolchain(environment):
    lines = [output(["rustc", "-vV"], environment, text=True).strip()]
    lines += [first_line(command, environment) for command in
              (["cargo", "-V"], ["cargo", "cyclonedx", "--version"], ["tar", "--version"], ["gzip", "--version"])]
    lines += [first_line([prefix + tool, "--version"], environment) for prefix in sorted(set(TARGETS.values()))
              for tool in ("ld", "objcopy", "ar")]
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

    sources = output(["git", "archive", "--format=tar", "--prefix=%s/" % name, "HEAD"], environment, cwd=ROOT)
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
