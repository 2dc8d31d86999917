//! Streaming mappings and bounce buffers.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod barriers;
mod bounce;
mod bsp_ops;
mod cache;
mod cores;
mod direct;
mod failures;
mod gone;
mod handover;
mod interrupts;
mod late_pools;
mod lists;
mod random;
mod reach;
mod rig;
mod world;
mod wrong;
