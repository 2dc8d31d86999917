//! RT-Thread's DMA memory pools (`components/drivers/dma/dma_pool.c`), as a static library that C drivers link
//! unchanged.
//!
//! # Folders
//!
//! A module uses only modules of its own line and of the lines below it:
//!
//! | folder | what it holds |
//! | --- | --- |
//! | `ffi` | The C ABI: checks pointers, calls one safe function, converts its result. |
//! | [`additions`] | What RT-Thread does not have: block pools, streaming maps, masks, managed buffers, drivers in Rust. |
//! | [`dropin`] | The replacement for `dma_pool.c`: page map, pool, registry, map operations, device tree, boot memory. |
//! | [`mem`] | Building blocks over `unsafe` code: heap values, locks, bitmaps, cache maintenance. |
//! | [`kernel`] | The trait [`Kernel`](kernel::Kernel), through which all of this reaches an operating system, and its RT-Thread implementation. |
//! | [`abi`], [`error`], [`flags`], [`log`] | The vocabulary. |

#![no_std]
#![deny(unsafe_code, missing_docs)]
// `new` is const, for statics, which `default` cannot be.
#![allow(clippy::new_without_default)]
// Without the C ABI and without the tests, nothing calls most of the library.
#![cfg_attr(
    not(any(target_os = "none", feature = "rtthread", feature = "internals")),
    allow(dead_code, unused_imports)
)]

// On a bare target the library brings its own panic handler (`ffi::panic`); elsewhere the standard library does.
#[cfg(not(target_os = "none"))]
extern crate std;

/// Declares modules that only this crate uses. The feature `internals` makes them public for the crate's own tests.
macro_rules! internal {
    ($($(#[$attribute:meta])* $name:ident),* $(,)?) => {
        $(
            #[cfg(feature = "internals")]
            $(#[$attribute])*
            pub mod $name;
            #[cfg(not(feature = "internals"))]
            $(#[$attribute])*
            mod $name;
        )*
    };
}

internal!(additions, dropin, error, flags, kernel, log, mem);

pub mod abi;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod ffi;
mod text;

pub use additions::driver;
