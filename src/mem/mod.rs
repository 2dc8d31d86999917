//! Building blocks of the pools and the additions, most of them over `unsafe` code:
//!
//! | module | what it has |
//! | --- | --- |
//! | [`heap`], [`bump`] | Values in the kernel's heap; slices after a value. |
//! | [`arena`], [`list`] | Values that are freed together; lists. |
//! | [`lock`], [`turn`] | The spin lock that masks interrupts; locks whose holder may sleep. |
//! | [`atomics`], [`atomic_ref`] | Atomics; references that are read without a lock. |
//! | [`hook`] | Functions of the additions that the core calls. |
//! | [`bitmaps`], [`index`], [`wrapping_slice`] | The three bitmaps of a pool; indexing that cannot panic. |
//! | [`cache`] | Cache maintenance that preserves the bytes next to a range. |
//! | [`device_memory`] | Memory that a device accesses at the same time. |
//! | [`handover`] | Buffers that a device has for a time. |

pub mod arena;
pub mod atomic_ref;
pub mod atomics;
pub mod bitmaps;
pub mod bump;
pub mod cache;
pub mod device_memory;
pub mod handover;
pub mod heap;
pub mod hook;
pub mod index;
pub mod list;
pub mod lock;
pub mod turn;
pub mod wrapping_slice;
