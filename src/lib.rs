//! RT-Thread's DMA memory pools (`components/drivers/dma/dma_pool.c`), as a static library that C drivers link
//! unchanged.
//!
//! The way data flows, one direction only:
//!
//! * `ffi`: the C ABI. Checks pointers, calls one safe function, converts its result.
//! * [`registry`]: which pool. [`pool`]: flags, views, buffers. [`page_map`]: which pages. [`view`] and [`mapping`]: where the
//!   processor sees them. [`map_ops`] and [`device_tree`]: what a device's place in the system means. [`extract`]: how
//!   boot memory is split. [`report`]: what the shell prints.
//! * [`streaming`]: buffers of a driver's own that are handed to a device for a time; [`bounce`]: what stands in for one
//!   that the device does not reach.
//! * [`block_pool`]: small blocks out of all of this, as a client of it.
//! * [`driver`]: all of it for drivers in Rust, without `unsafe`.
//! * [`kernel`]: the one trait through which all of this reaches an operating system, and its RT-Thread implementation.

#![no_std]
#![deny(unsafe_code, missing_docs)]
// `new` is const, for statics, which `default` cannot be.
#![allow(clippy::new_without_default)]

// On a bare target the library brings its own panic handler (`ffi::panic`); elsewhere the standard library does.
#[cfg(not(target_os = "none"))]
extern crate std;

pub mod abi;
pub mod attributes;
pub mod block_pool;
pub mod bounce;
pub mod cache;
pub mod device_records;
pub mod device_tree;
pub mod driver;
pub mod error;
pub mod extract;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod ffi;
pub mod flags;
pub mod kernel;

pub mod managed;
pub mod map_ops;
pub mod mapping;
pub mod masks;
pub mod page_map;
pub mod pool;
pub mod registry;
pub mod report;
pub mod reserved_memory;
pub mod streaming;
mod text;
mod turn;
pub mod view;
