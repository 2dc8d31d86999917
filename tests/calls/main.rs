//! Tests the drop-in calls, on the fake kernel.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod alloc;
mod extract;
mod free;
mod install;
mod list;
mod memory_region;
mod ops;
mod own_mappings;
mod region_owners;
mod sync;
mod text;
