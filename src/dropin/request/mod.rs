//! Requests of drivers: allocating and freeing buffers.
//!
//! A request takes the first of these paths that serves it. Each function passes its arguments, and the lock if it
//! holds it, to the next one:
//!
//! | path | allocate | free | it serves |
//! | --- | --- | --- | --- |
//! | fast | `allocate_fast` | `free_fast` | Pages in one word of the bitmaps, by the open run of the pool. |
//! | across | `allocate_across` | `free_across` | Pages in several words, by the open run of the pool. |
//! | locked | `allocate_locked` | `free_locked` | The same pool, by the tree of free runs. |
//! | general | `allocate_general`, `allocate_in_order` | `free_general` | Every device, every flag, and all pools. |
//!
//! All but the general path are for devices whose handles are physical addresses. They use the first pool that serves
//! the request, or the pool that has the buffer. The fast path calls no function.
//!
//! An allocation takes the path across for more pages than a word has bits: before it has the lock, it does not know
//! where its pages lie. `allocate_across` also ends a request for more pages than any pool has.
//!
//! The layers below have functions for the same steps. Their names show the layer:
//!
//! | layer | what it allocates | names | they end with |
//! | --- | --- | --- | --- |
//! | `Dma` | a buffer | `allocate_fast`, `free_locked` | the path |
//! | `Pool` | the pages of a buffer | `allocate_pages_in_word`, `free_pages_locked` | the path, or where they lie |
//! | `PageMap` | pages, in its bitmaps | `allocate_from_tree`, `free_last_across` | where they lie |

mod allocate;
mod allocate_fast;
mod free;

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::dropin::translate::Bus;
use crate::kernel::{Device, Handle, Kernel, PAGE_SHIFT, Va};

/// The address of a buffer, as a pointer for C.
pub type BufferPtr = NonNull<c_void>;

impl<K: Kernel> Dma<K> {
    /// Returns the bus of the device, which translates its handles by `ops`.
    pub(crate) fn bus(&self, ops: MapOps, device: Device) -> Bus<K> {
        Bus { kernel: self.kernel, ops, device }
    }
}

/// Returns the number of pages that hold `size` bytes, which are not zero.
fn whole_pages(size: usize) -> usize {
    // Without overflow for the highest sizes.
    (size.wrapping_sub(1) >> PAGE_SHIFT) + 1
}

/// Returns the address of a new buffer as a pointer, and writes its handle to `handle`.
fn return_buffer(va: Va, new_handle: Handle, handle: Option<&mut MaybeUninit<Handle>>) -> Option<BufferPtr> {
    if let Some(handle) = handle {
        handle.write(new_handle);
    }
    NonNull::new(with_exposed_provenance_mut(va))
}
