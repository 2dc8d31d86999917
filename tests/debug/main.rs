//! Tests the debug mode: each mistake of a driver is one line and one count, and the right variant of each is silent.

#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod held;
mod mappings;
mod memory;
mod mode;
mod rig;
mod watched;
