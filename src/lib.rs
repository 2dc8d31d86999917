//! RT-Thread's DMA memory pools (`components/drivers/dma/dma_pool.c`), as a static library that C drivers link
//! unchanged.
//!
//! # Folders
//!
//! A module uses only modules of its own folder and of the folders below it (`tests/layers.rs` checks this):
//!
//! * `ffi`: the C ABI. It checks pointers, calls one function of the library, and converts its result. It mirrors the
//!   folders below: `ffi::dropin` exports what `dropin` does.
//! * [`additions`]: what RT-Thread does not have, such as block pools, streaming mappings, masks, lending and
//!   uninstalling pools, drivers in Rust.
//! * [`dropin`]: the replacement for `dma_pool.c`, which is page map, pool, pool list, registry, map operations, device
//!   tree, boot memory.
//! * [`mem`]: building blocks over `unsafe` code, such as heap values, locks, bitmaps, cache maintenance.
//! * [`kernel`]: the trait [`Kernel`](kernel::Kernel), which is the interface to the operating system, and its
//!   implementation for RT-Thread.
//! * [`abi`], [`error`], [`flags`], [`log`], [`text`]: the vocabulary. It has types, and macros for texts, and uses no
//!   other module.

#![no_std]
#![deny(unsafe_code, missing_docs)]
// Links to private items work with `cargo doc --document-private-items`; without it they are plain text.
#![allow(rustdoc::private_intra_doc_links)]
// `new` is `const`, so that statics can use it; `default` cannot be.
#![allow(clippy::new_without_default)]
// Statics of tests hold optional closures in cells.
#![cfg_attr(test, allow(clippy::type_complexity))]
// Without the C ABI and the tests, most of the library has no caller.
#![cfg_attr(
    not(any(target_os = "none", feature = "rtthread", feature = "internals")),
    allow(dead_code, unused_imports)
)]

#[cfg(all(target_os = "none", any(feature = "shuttle", feature = "loom")))]
compile_error!(
    "the features `shuttle` and `loom` are for tests: with a model checker's atomics the library works in no kernel"
);

// On a bare target the library brings its own panic handler (`ffi::panic`); elsewhere the standard library does.
#[cfg(not(target_os = "none"))]
extern crate std;

/// Declares modules that only this crate uses. The feature `internals` makes them public for the crate's own tests.
macro_rules! internal {
    ($($name:ident),*) => {
        $(
            #[cfg(feature = "internals")]
            pub mod $name;
            #[cfg(not(feature = "internals"))]
            mod $name;
        )*
    };
}

internal!(additions, dropin, error, flags, kernel, log, mem, text);

pub mod abi;
#[cfg(any(target_os = "none", feature = "rtthread"))]
pub mod ffi;

pub use additions::driver;
