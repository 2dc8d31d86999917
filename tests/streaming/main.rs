//! Streaming mappings and bounce buffers.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod barriers;
mod bounce;
mod cache;
mod contexts;
mod direct;
mod interrupts;
mod random;
mod rig;
mod wrong;
