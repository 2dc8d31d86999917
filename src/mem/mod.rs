//! Building blocks that the pools and the additions are made of, most of them over `unsafe` code: values in the kernel's
//! heap, bitmaps, locks, turns, and cache maintenance.

pub mod bitmaps;
pub mod cache;
pub mod heap;
pub mod lent;
pub mod lock;
pub mod turn;
pub mod words;
