//! Tests the debug mode: each mistake of a driver is one line and one count, and the right variant of each is silent.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod frees;
mod held;
mod holders;
mod mappings;
mod mode;
mod removal;
mod rig;
mod syncs;
mod watched;
