//! Tests the drop-in calls. Each file has one call or one subject.

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
