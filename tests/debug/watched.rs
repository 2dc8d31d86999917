//! The list of calls that the debug mode watches.

/// Exported functions that give a driver no memory or mapping, sync none and take none back, and the two calls of
/// borrowers, which have no device.
const NOT_WATCHED: &[&str] = &[
    "list_dma_block_pool",
    "rt_dma_block_pool_fill",
    "rt_dma_block_pool_trim",
    "rt_dma_borrow",
    "rt_dma_get_coherent_mask",
    "rt_dma_get_mask",
    "rt_dma_get_max_segment",
    "rt_dma_get_min_align_mask",
    "rt_dma_get_segment_boundary",
    "rt_dma_give_back",
    "rt_dma_list_pools",
    "rt_dma_map_fill",
    "rt_dma_ofw_device_map_ops",
    "rt_dma_own_region_init",
    "rt_dma_own_region_release",
    "rt_dma_pool_extract",
    "rt_dma_pool_install",
    "rt_dma_pool_next",
    "rt_dma_pool_statistics",
    "rt_dma_pool_uninstall",
    "rt_dma_reserved_memory_install",
    "rt_dma_set_coherent_mask",
    "rt_dma_set_mask",
    "rt_dma_set_mask_and_coherent",
    "rt_dma_set_max_segment",
    "rt_dma_set_min_align_mask",
    "rt_dma_set_segment_boundary",
    "rt_dma_wc_flags",
];

/// Appends the functions that the library exports, without those of the debug mode.
fn exported(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            exported(&path, found);
        } else {
            let source = std::fs::read_to_string(&path).unwrap();
            let after = source.split("#[unsafe(no_mangle)]").skip(1).filter_map(|part| part.split("fn ").nth(1));
            found.extend(after.map(|rest| rest.split('(').next().unwrap().to_owned()));
        }
    }
    found.retain(|name| !name.starts_with("rt_dma_watch_"));
}

#[test]
fn the_debug_mode_watches_each_call_that_allocates_maps_syncs_or_gives_back() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let port = std::fs::read_to_string(root.join("rtthread-port/rt_dma_port_debug.h")).unwrap();
    let names = port.lines().filter_map(|line| line.strip_prefix("WATCH(")?.strip_suffix(");"));
    let mut known: Vec<_> = names.chain(NOT_WATCHED.iter().copied()).map(str::to_owned).collect();
    known.sort();
    let mut found = Vec::new();
    exported(&root.join("src/ffi"), &mut found);
    found.sort();
    assert_eq!(found, known);
}
