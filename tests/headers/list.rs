//! Which header is made of which sources, and what cbindgen cannot know.

/// A header, and what it is made of.
pub struct Header {
    pub name: &'static str,
    pub sources: &'static [&'static str],
    pub exclude: &'static [&'static str],
    /// Types that no function uses.
    pub include: &'static [&'static str],
    /// After the first two lines: the comment of the file, its guard, and what it includes.
    pub prelude: String,
    /// At the end: it closes the guard.
    pub trailer: String,
}

/// The headers that are generated. rt_dma.h, which includes the families, and rt_dma_port.h, which includes the
/// subjects, are not.
pub fn headers() -> Vec<Header> {
    vec![
        Header {
            name: "rt_dma_pool.h",
            sources: &[
                "src/abi.rs",
                "src/ffi/dropin/request.rs",
                "src/ffi/dropin/sync.rs",
                "src/ffi/dropin/ops.rs",
                "src/ffi/dropin/pool.rs",
            ],
            exclude: &["rt_list_t", "rt_device", "rt_dma_pool"],
            include: &[],
            prelude: "\n\
/**
 * @file rt_dma_pool.h
 * @brief The interface of RT-Thread's drivers/dma.h that the library implements, for code that is built without that
 * header.
 *
 * In C, where RT-Thread's headers are found, this header includes drivers/dma.h and declares nothing itself. C++
 * refuses drivers/dma.h: there this header has its own declarations. The error numbers `RT_E...` are RT-Thread's: their
 * values depend on its configuration. rt_dma.h defines the terms of the notes \"Context\".
 */
#ifndef RT_DMA_POOL_H
#define RT_DMA_POOL_H

#include <stddef.h>
#include <stdint.h>

#include \"rt_dma/types.h\"

#if defined(RT_DMA_HAS_RT_TYPES) && !defined(__cplusplus)
#if __has_include(<drivers/dma.h>)
#include <drivers/dma.h>
#endif
#endif

/*
 * Without drivers/dma.h: declarations of the same functions and types, and the flags of both revisions of it. With it,
 * the flags are its own: RT-Thread 5.2.0 to 5.2.2 have no RT_DMA_F_WT.
 */
#ifndef __DMA_H__

/** @brief Of a pool: it is mapped linearly. In a request it has no effect. */
#define RT_DMA_F_LINEAR     (1UL << 0)
/** @brief In a request: memory below 4 GiB. Of a pool: it lies there. */
#define RT_DMA_F_32BITS     (1UL << 1)
/** @brief In a request: memory that is not cached. Of a pool: all its buffers are uncached. */
#define RT_DMA_F_NOCACHE    (1UL << 2)
/**
 * @brief In a request: memory of the pools that belong to the device. Of a pool: it serves only the devices that own
 * it.
 */
#define RT_DMA_F_DEVICE     (1UL << 3)
/**
 * @brief In a request: memory that the processor does not access; the call returns its physical address. Of a pool: it
 * is not mapped linearly.
 */
#define RT_DMA_F_NOMAP      (1UL << 4)
/** @brief In a request: memory that is mapped write-through (revision r2). */
#define RT_DMA_F_WT         (1UL << 5)

/**
 * @brief A range of physical memory, as RT-Thread declares it.
 */
typedef struct rt_region_t rt_region_t;"
                .into(),
            trailer: "\n#endif /* !__DMA_H__ */\n\n#endif /* RT_DMA_POOL_H */".into(),
        },
        family(
            "rt_dma/memory.h",
            "Memory for a device: coherent, cleared, write-combining, aligned.",
            &["src/ffi/additions/coherent.rs", "src/ffi/additions/special_buffers.rs"],
        ),
        family("rt_dma/masks.h", "Masks: the addresses that a device can use.", &["src/ffi/additions/device/masks.rs"]),
        family(
            "rt_dma/streaming.h",
            "Streaming mappings: a driver's own buffer is the device's for a time.",
            &[
                "src/ffi/additions/streaming/arguments.rs",
                "src/ffi/additions/streaming/single.rs",
                "src/ffi/additions/streaming/fill.rs",
            ],
        ),
        family(
            "rt_dma/streaming_sync.h",
            "Syncs of a streaming mapping: the buffer stays mapped, and the processor accesses it in between.",
            &["src/ffi/additions/streaming/sync.rs"],
        ),
        family(
            "rt_dma/streaming_list.h",
            "Streaming mappings of the buffers of a list.",
            &["src/ffi/additions/streaming/scatter.rs"],
        ),
        family(
            "rt_dma/block_pool.h",
            "Pools of small blocks of one size.",
            &["src/ffi/additions/block_pool/pools.rs", "src/ffi/additions/block_pool/blocks.rs"],
        ),
        family(
            "rt_dma/managed.h",
            "Managed resources: rt_dmam_release gives back all those of a device.",
            &[
                "src/ffi/additions/device/managed/buffers.rs",
                "src/ffi/additions/device/managed/release.rs",
                "src/ffi/additions/device/managed/mappings.rs",
                "src/ffi/additions/device/managed/block_pools.rs",
            ],
        ),
        family(
            "rt_dma/limits.h",
            "Limits of a device, for code that builds its scatter lists.",
            &["src/ffi/additions/device/limits.rs"],
        ),
        family(
            "rt_dma/regions.h",
            "Memory regions of the device tree: a device's own ones, reserved memory, and memory that is lent.",
            &[
                "src/ffi/additions/own_region.rs",
                "src/ffi/additions/reserved_memory.rs",
                "src/ffi/additions/lending.rs",
            ],
        ),
        family(
            "rt_dma/pools.h",
            "The pools: what is in use, and the end of a pool.",
            &["src/ffi/additions/statistics.rs", "src/ffi/additions/shell_list.rs", "src/ffi/additions/uninstall.rs"],
        ),
        watch(
            "rt_dma_watch.h",
            "The library's side of the debug mode. Only the files rtthread-port/rt_dma_port_debug*.c call it.\n *\n \
             * A function whose name ends in \"ing\" (rt_dma_watch_freeing) or \"ing_data\" is called before the library does its\n \
             * work, one whose name ends in \"ed\" (rt_dma_watch_freed) after it. rt_dma_watch_has_failed only asks.",
            &["src/abi.rs", "src/ffi/additions/debug/call.rs", "src/ffi/additions/debug/control.rs"],
            "#include <rt_dma.h>",
            "\n#include \"rt_dma_watch/mappings.h\"\n#include \"rt_dma_watch/memory.h\"\n",
        ),
        watch(
            "rt_dma_watch/memory.h",
            "What the debug mode learns about buffers, blocks and block pools. A part of rt_dma_watch.h.",
            &["src/ffi/additions/debug/buffers.rs", "src/ffi/additions/debug/block_pools.rs"],
            "#include <rt_dma/types.h>\n\nstruct rt_dma_watch_call;",
            "",
        ),
        watch(
            "rt_dma_watch/mappings.h",
            "What the debug mode learns about streaming mappings. A part of rt_dma_watch.h.",
            &["src/ffi/additions/debug/mappings.rs"],
            "#include <rt_dma/types.h>\n\nstruct rt_dma_sg;\nstruct rt_dma_watch_call;",
            "",
        ),
        subject(
            "rt_dma_port/types.h",
            "What several subjects use: the results of functions, each of which lists its own, and a range of memory.",
            &["src/kernel/rtthread/types.rs"],
        ),
        subject(
            "rt_dma_port/configuration.h",
            "The constants of the BSP's configuration.",
            &["src/kernel/rtthread/configuration.rs"],
        ),
        subject(
            "rt_dma_port/heap.h",
            "The memory for the bookkeeping of the library.",
            &["src/kernel/rtthread/heap.rs"],
        ),
        subject("rt_dma_port/addresses.h", "Virtual and physical addresses.", &["src/kernel/rtthread/addresses.rs"]),
        subject(
            "rt_dma_port/mappings.h",
            "Mappings: the linear map, and mappings at addresses that the kernel chooses.",
            &["src/kernel/rtthread/mappings.rs"],
        ),
        subject("rt_dma_port/cache.h", "The data cache.", &["src/kernel/rtthread/cache.rs"]),
        subject(
            "rt_dma_port/threads.h",
            "Threads and interrupts: what the caller may do, masks, a critical section, and a pause.",
            &[
                "src/kernel/rtthread/threads.rs",
                "src/kernel/rtthread/irq.rs",
                "src/kernel/rtthread/critical_section.rs",
            ],
        ),
        subject(
            "rt_dma_port/firmware.h",
            "Devices, and what the device tree and PCI state about them.",
            &["src/kernel/rtthread/firmware.rs"],
        ),
        subject(
            "rt_dma_port/pool_regions.h",
            "The regions of which boot pools are made.",
            &["src/kernel/rtthread/pool_regions.rs"],
        ),
        subject(
            "rt_dma_port/reserved_memory.h",
            "The shared pools of /reserved-memory, and memory for them.",
            &["src/kernel/rtthread/reserved_memory.rs"],
        ),
        subject("rt_dma_port/log.h", "Text: the log, and the shell.", &["src/kernel/rtthread/log.rs"]),
    ]
}

/// A header that [`watch`], [`family`] or [`subject`] describes. Its comment has `brief` and, if it is not empty,
/// `note`; both end with a full stop. `before` and `after` the functions are lines of C.
fn header(
    name: &'static str,
    brief: &str,
    note: &str,
    sources: &'static [&'static str],
    before: &str,
    after: &str,
) -> Header {
    let guard = name.to_uppercase().replace(['.', '/'], "_");
    let note = if note.is_empty() { String::new() } else { format!(" *\n * {note}\n") };
    let before = if before.is_empty() { String::new() } else { format!("\n\n{before}") };
    Header {
        name,
        sources,
        exclude: &[],
        include: &[],
        prelude: format!(
            "\n/**\n * @file {name}\n * @brief {brief}\n{note} */\n#ifndef {guard}\n#define {guard}\n\n\
             #include <stddef.h>\n#include <stdint.h>{before}"
        ),
        trailer: format!("{after}\n#endif /* {guard} */"),
    }
}

/// A header of the debug mode.
fn watch(name: &'static str, brief: &str, sources: &'static [&'static str], before: &str, after: &str) -> Header {
    Header { exclude: &["rt_dma_block_pool", "rt_dma_sg"], ..header(name, brief, "", sources, before, after) }
}

/// One family of the calls that `rt_dma.h` adds.
fn family(name: &'static str, brief: &str, sources: &'static [&'static str]) -> Header {
    let note = "A part of rt_dma.h, which defines the terms of the notes \"Context\".";
    Header {
        exclude: &["RT_DMA_MAPPING_ERROR", "rt_dma_block_pool"],
        ..header(name, brief, note, sources, "#include \"types.h\"", "")
    }
}

/// One subject of what the port implements.
fn subject(name: &'static str, brief: &str, sources: &'static [&'static str]) -> Header {
    let types = if name == "rt_dma_port/types.h" { "" } else { "#include \"types.h\"" };
    Header {
        exclude: &["RT_DMA_PORT_UNMAPPED"],
        include: &["rt_dma_port_region", "rt_dma_port_configuration"],
        ..header(name, brief, "A part of rt_dma_port.h.", sources, types, "")
    }
}
