//! Building blocks of the pools and the additions, most of them over `unsafe` code: values in the kernel's heap,
//! references that are read without a lock, bitmaps, the lock, turns, and cache maintenance.

pub mod arena;
pub mod atomics;
pub mod bitmaps;
pub mod bump;
pub mod cache;
pub mod handover;
pub mod heap;
pub mod hook;
pub mod index;
pub mod list;
pub mod lock;
pub mod shared;
pub mod turn;
pub mod words;
pub mod wrapping_slice;
