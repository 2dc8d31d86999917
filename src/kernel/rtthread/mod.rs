//! [`Kernel`](super::Kernel) for RT-Thread, over the C functions of `rtthread-port/`: one file for each of its traits,
//! and some for what they share, such as `configuration`, `types` and `irq`.
//!
//! A file begins with the functions, types and constants of the port that belong to its subject. The headers in
//! `rtthread-port/rt_dma_port/` are generated from them, and the port includes these, so that the two sides cannot
//! differ.
//!
//! # Safety
//!
//! The port does what its header, `rtthread-port/rt_dma_port.h`, states of each function, which includes what the
//! traits require. It accepts every value of the types that it declares. A device is a pointer to a `struct rt_device`
//! that a C caller passed. This is the reason why each call of the port in these files is correct.

#![allow(unsafe_code)]
// The comments of the port's functions are Doxygen's, for the C header: rustdoc takes `@param[in]` for a link.
#![allow(rustdoc::broken_intra_doc_links)]

mod addresses;
mod barrier;
mod cache;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod cache_line;
mod configuration;
mod core_hint;
mod critical_section;
mod firmware;
mod heap;
mod irq;
mod log;
mod mappings;
mod pool_regions;
mod reserved_memory;
mod threads;
#[cfg(all(target_arch = "aarch64", target_os = "none"))]
mod translation;
mod types;

pub use configuration::{configuration, revision, rt_dma_port_errors};
pub use firmware::{device_ops, rt_dma_port_device_choose_ops, rt_dma_port_device_set_ops, rt_dma_port_node};
pub use log::rt_dma_port_list_options;

use core::ffi::c_void;

/// RT-Thread, through the port.
#[derive(Clone, Copy)]
pub struct RtThread;

/// Converts an address to a pointer for C.
///
/// To the library, an address is a number: it computes with addresses, and does not read or write the memory of a
/// driver through them. Rust wants to know where a pointer becomes such a number and a number a pointer again. The
/// first is `expose_provenance`, the second is this function; in machine code both are nothing.
pub fn pointer(address: usize) -> *mut c_void {
    core::ptr::with_exposed_provenance_mut(address)
}
