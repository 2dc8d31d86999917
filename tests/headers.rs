//! `include/` is what cbindgen makes of the sources, and compiles as strict C99 and C++.
//!
//! To make the headers anew: `RT_DMA_BLESS=1 cargo test --test headers`.

use std::path::{Path, PathBuf};
use std::process::Command;

struct Header {
    name: &'static str,
    sources: &'static [&'static str],
    exclude: &'static [&'static str],
    /// Types that no function uses.
    include: &'static [&'static str],
    style: cbindgen::Style,
    /// Follows the include directives.
    prelude: &'static str,
    /// At the end.
    trailer: &'static str,
}

const HEADERS: [Header; 4] = [
    Header {
        name: "rt_dma_pool.h",
        sources: &[
            "src/abi.rs",
            "src/ffi/dropin/buffer.rs",
            "src/ffi/dropin/sync.rs",
            "src/ffi/dropin/ops.rs",
            "src/ffi/dropin/pool.rs",
        ],
        exclude: &["rt_list_t", "rt_dma_pool"],
        include: &[],
        style: cbindgen::Style::Both,
        prelude: "\n\
/**
 * @file rt_dma_pool.h
 * @brief The interface of RT-Thread's drivers/dma.h that the library implements, for code that is built without that header.
 *
 * If drivers/dma.h was included first, its declarations are used and this header declares nothing. Types have the size of a
 * pointer, as RT-Thread's have: rt_size_t and rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is
 * passed), rt_err_t is intptr_t. rt_dma.h defines the terms of the notes \"Context\".
 */
#if !defined(RT_DMA_POOL_H) && !defined(__DMA_H__)
#define RT_DMA_POOL_H

/**
 * @brief A pool, as RT-Thread declares it.
 */
typedef struct rt_dma_pool rt_dma_pool;",
        trailer: "\n#endif /* !RT_DMA_POOL_H && !__DMA_H__ */",
    },
    Header {
        name: "rt_dma.h",
        sources: &[
            // In the order in which a driver author needs them.
            "src/abi.rs",
            "src/ffi/additions/coherent.rs",
            "src/ffi/additions/attributes.rs",
            "src/ffi/additions/streaming.rs",
            "src/ffi/additions/streaming_sync.rs",
            "src/ffi/additions/streaming_list.rs",
            "src/ffi/additions/streaming_device.rs",
            "src/ffi/additions/streaming_fill.rs",
            "src/ffi/additions/masks.rs",
            "src/ffi/additions/block_pool.rs",
            "src/ffi/additions/block_pool/blocks.rs",
            "src/ffi/additions/managed.rs",
            "src/ffi/additions/managed_map.rs",
            "src/ffi/additions/managed_pool.rs",
            "src/ffi/additions/limits.rs",
            "src/ffi/additions/own_region.rs",
            "src/ffi/additions/reserved_memory.rs",
            "src/ffi/additions/lending.rs",
            "src/ffi/additions/list.rs",
            "src/ffi/additions/uninstall.rs",
        ],
        exclude: &["RT_DMA_MAPPING_ERROR", "rt_dma_pool", "rt_list_t"],
        include: &[],
        style: cbindgen::Style::Tag,
        prelude: "\n\
/**
 * @file rt_dma.h
 * @brief The DMA API beyond RT-Thread's drivers/dma.h: streaming mappings, masks, block pools, managed resources.
 *
 * The header may be included together with drivers/dma.h. Its types have the size of a pointer, as RT-Thread's have:
 * rt_size_t and rt_ubase_t are uintptr_t here (unsigned long where a pointer to one is passed), rt_err_t is intptr_t.
 *
 * In this order: coherent and other memory of a device; streaming mappings, their syncs and lists; masks; block pools; managed
 * resources; limits of a device; a device's own regions; lending; statistics; the end of a pool. docs/driver-guide.md has a
 * table of which call a driver needs.
 *
 * A note \"Context\" at each function states where it may be called:
 * - any: in a thread, in an interrupt, and with interrupts off. The call sleeps only where its caller may sleep: in an
 *   interrupt, or with interrupts off, it never does.
 * - thread: the call may sleep. Elsewhere it returns an error or NULL, changes nothing, and counts the refusal.
 * - thread first, then any: the first call for a device, or for a pool's view, may sleep; elsewhere it returns an error
 *   or NULL. Later calls: any.
 */
#ifndef RT_DMA_H
#define RT_DMA_H

#include \"rt_dma_version.h\"

struct rt_dma_pool;

/**
 * @brief The handle that no mapping has. A map that fails returns it.
 */
#define RT_DMA_MAPPING_ERROR UINTPTR_MAX",
        trailer: "\n#endif /* RT_DMA_H */",
    },
    Header {
        name: "rt_dma_watch.h",
        sources: &["src/abi.rs", "src/ffi/additions/debug/mod.rs"],
        exclude: &[],
        include: &[],
        style: cbindgen::Style::Tag,
        prelude: "\n\
/**
 * @file rt_dma_watch.h
 * @brief The library's side of the debug mode. Only rtthread-port/rt_dma_port_debug.c calls it.
 */
#ifndef RT_DMA_WATCH_H
#define RT_DMA_WATCH_H

#include \"rt_dma.h\"",
        trailer: "\n#endif /* RT_DMA_WATCH_H */",
    },
    Header {
        name: "rt_dma_port.h",
        sources: &[// cbindgen follows its `mod` lines.
            "src/kernel/rtthread/port/mod.rs", "src/kernel/rtthread/reserved_memory.rs"],
        exclude: &["RT_DMA_PORT_UNMAPPED"],
        include: &["rt_dma_port_configuration"],
        style: cbindgen::Style::Tag,
        prelude: "\n\
/**
 * @file rt_dma_port.h
 * @brief What the library needs from the kernel. The files of rtthread-port/ define it; drivers do not include this header.
 *
 * rt_dma.h defines the terms of the notes \"Context\".
 */
#ifndef RT_DMA_PORT_H
#define RT_DMA_PORT_H

/**
 * @brief What rt_dma_port_v2p returns for an address that is not mapped.
 */
#define RT_DMA_PORT_UNMAPPED UINTPTR_MAX",
        trailer: "\n\
/**
 * @brief The constants of the BSP's configuration.
 */
extern const struct rt_dma_port_configuration rt_dma_port_configuration;

#endif /* RT_DMA_PORT_H */",
    },
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generate(header: &Header) -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    config.style = header.style;
    config.sys_includes = vec!["stddef.h".into(), "stdint.h".into()];
    config.after_includes = Some(header.prelude.into());
    config.trailer = Some(header.trailer.into());
    config.export.include = header.include.iter().map(|name| name.to_string()).collect();
    config.export.exclude = header.exclude.iter().map(|name| name.to_string()).collect();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in header.sources {
        builder = builder.with_src(root().join(source));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    // On 32-bit Arm uintptr_t is unsigned int and RT-Thread's rt_ubase_t is unsigned long: as large, but a pointer to the
    // one is no pointer to the other, and drivers pass the address of an rt_ubase_t.
    let text = String::from_utf8(text).unwrap().replace("uintptr_t *dma_handle", "unsigned long *dma_handle");
    let text = text.replace("(void *memory, uintptr_t size,", "(void *memory, unsigned long size,");
    // cbindgen does not see that these are structs where another header declares them.
    let elsewhere = match header.name {
        "rt_dma_watch.h" => &["rt_dma_sg", "rt_dma_block_pool"][..],
        "rt_dma.h" => &["rt_dma_pool"],
        _ => &[],
    };
    elsewhere.iter().fold(text, |text, name| {
        let (plain, tagged) = (format!("{name} *"), format!("struct {name} *"));
        text.replace(&tagged, &plain).replace(&plain, &tagged)
    })
}

#[test]
fn committed_headers_are_what_cbindgen_makes() {
    for header in &HEADERS {
        let path = root().join("include").join(header.name);
        let made = generate(header);
        if std::env::var_os("RT_DMA_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            made == committed,
            "{} is stale: run RT_DMA_BLESS=1 cargo test --test headers, and commit it",
            path.display()
        );
    }
}

fn compiles(compiler: &str, language: &[&str], header: &Path) {
    let output = Command::new(compiler)
        .args(language)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", "-include"])
        .arg(header)
        .arg("/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn headers_compile_as_strict_c_and_as_cpp() {
    for header in &HEADERS {
        let path = root().join("include").join(header.name);
        compiles("cc", &["-std=c99", "-x", "c"], &path);
        compiles("c++", &["-std=c++11", "-x", "c++"], &path);
    }
}
