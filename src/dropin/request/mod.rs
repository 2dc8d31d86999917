//! Requests of drivers: allocating and freeing buffers.
//!
//! A request takes the first of these paths that serves it. Each function passes its arguments, and the lock if it
//! holds it, to the next one:
//!
//! | path | allocate | free | it serves |
//! | --- | --- | --- | --- |
//! | fast | `allocate_fast` | `free_fast` | Devices whose handles are physical addresses: pages in one word of the bitmaps, by the open run of the first pool that serves the request, or of the pool that has the buffer. No function is called. |
//! | across | `allocate_across` | `free_across` | The same for pages in several words. An allocation takes it for more pages than a word has bits: before it has the lock, it does not know where its pages lie. `allocate_from_larger` ends a request for more pages than any pool has. |
//! | locked | `allocate_locked` | `free_locked` | The same pool, by the tree of free runs. |
//! | general | `allocate_general`, `allocate_in_order` | `free_general` | Every device, every flag, and all pools. |
//!
//! The layers below have functions for the same steps. Their names show the layer:
//!
//! | layer | what it allocates and frees | names | they end with |
//! | --- | --- | --- | --- |
//! | `Dma` | a buffer | `allocate_fast`, `free_locked` | the path |
//! | `Pool` | the pages of a buffer | `allocate_pages_in_word`, `free_pages_locked` | the path, or which pages they are |
//! | `PageMap` | pages, in its bitmaps | `allocate_from_open_in_word`, `allocate_from_tree`, `free_newest_across` | which pages they are |

mod allocate;
mod free;

use crate::dropin::map_ops::MapOps;
use crate::dropin::registry::Dma;
use crate::dropin::translate::Bus;
use crate::kernel::{Device, Kernel, PAGE_SHIFT};

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
