//! The interface to the operating system: [`Kernel`] contains everything that the library calls.
//!
//! It consists of one trait for each subject, and each trait states its duties in its own file:
//!
//! | trait | subject |
//! | --- | --- |
//! | [`Heap`] | Memory for the library's own bookkeeping. |
//! | [`Addresses`] | Translation of addresses, and the linear map. |
//! | [`Mappings`] | Addresses of the processor for the memory of a pool. |
//! | [`Cache`] | Maintenance of the data cache, barriers that devices observe, and copies. |
//! | [`Threads`] | The interrupt mask, and waiting. |
//! | [`PoolRegions`] | The regions in which boot pools are made. |
//! | [`Firmware`] | What the device tree and the buses state about a device. |
//! | [`Log`] | The log, and the output of shell commands. |
//!
//! `rtthread` implements them for RT-Thread, over the C functions of `rtthread-port/`; `tests/fake_kernel` implements
//! them for tests. [`reserved_memory`] is an interface of its own, which only an addition uses.

mod addresses;
mod cache;
#[allow(unsafe_code)]
pub mod copy;
mod firmware;
mod heap;
mod log;
mod mappings;
mod pool_regions;
pub mod reserved_memory;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod rtthread;
#[cfg(all(any(test, feature = "internals"), not(target_os = "none")))]
pub mod testing;
mod threads;
mod types;

pub use addresses::{Addresses, PaOfRange};
pub use cache::Cache;
pub use firmware::{BusRange, BusWindow, Firmware, NamedRegion};
pub use heap::Heap;
pub use log::Log;
pub use mappings::{Mappings, MemoryType};
pub use pool_regions::{BootRegion, PoolRegions, RegionList};
pub use threads::Threads;
pub use types::*;

/// Everything that the library calls in a kernel. A type that implements the traits of all subjects is a kernel.
///
/// Each method states its duties: what the implementer guarantees, and what the caller has to observe. These hold for
/// all of them:
///
/// * A method with "Context: thread" may sleep. The caller calls it only where [`can_sleep`](Threads::can_sleep) is
///   true, and holds no lock of this library meanwhile.
/// * A method with "Context: any" never sleeps. It may be called in an interrupt and with interrupts masked.
/// * No method calls this library, except those of [`Log`] and the methods of [`Mappings`] that may sleep. These may
///   write a line to the console, for example if the kernel has no room for the mapping, and the console's driver may
///   call the library. The caller therefore holds no turn meanwhile.
///
/// The library turns what the methods return into references, and passes addresses to devices. The traits whose
/// incorrect implementation causes undefined behaviour are therefore unsafe, and state the rules in their section
/// "Safety".
pub trait Kernel:
    Heap + Addresses + Mappings + Cache + Threads + PoolRegions + Firmware + Log + Copy + Send + Sync + 'static
{
}

impl<K> Kernel for K where
    K: Heap + Addresses + Mappings + Cache + Threads + PoolRegions + Firmware + Log + Copy + Send + Sync + 'static
{
}
