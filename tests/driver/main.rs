//! Drivers in Rust. Each file tests one kind of value with drivers that need no `unsafe`.

#![deny(unsafe_code)]

#[allow(unsafe_code)]
#[path = "../fake_kernel/mod.rs"]
mod fake_kernel;

mod blocks;
mod coherent;
mod errors;
mod mapping;
#[allow(unsafe_code)]
mod rig;
mod ring;
