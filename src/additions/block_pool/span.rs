//! Adding spans, in threads, and where their memory comes from.

use crate::mem::atomics::Ordering::Relaxed;

use super::bookkeeping::{Span, SpanMemory};
use super::group::Unit;
use super::{Block, BlockPool};
use crate::kernel::{Device, Handle, Kernel, PAGE_SIZE, Va};
use crate::text::apart;

/// The source of a pool's spans: the device's coherent memory.
///
/// # Safety
///
/// Memory that [`allocate`](Pages::allocate) returned is mapped uncached for the processor, or is coherent for the
/// device in another way. No other code uses it until [`free`](Pages::free) gets it back, and its address is that of a
/// pointer whose provenance was exposed.
#[allow(unsafe_code)]
pub unsafe trait Pages: Copy + Send + Sync + 'static {
    /// Allocates `size` bytes of coherent memory, whole pages, and returns their address and handle.
    ///
    /// Context: thread first, then any.
    fn allocate(&self, device: Device, size: usize) -> Option<(Va, Handle)>;

    /// Allocates as [`allocate`](Pages::allocate) does, at an address and a handle that are multiples of `align`, a
    /// power of two, if that is possible. The pool checks both.
    ///
    /// Context: thread first, then any.
    fn allocate_aligned(&self, device: Device, size: usize, align: usize) -> Option<(Va, Handle)> {
        let _ = align;
        self.allocate(device, size)
    }

    /// Frees what one of the calls above returned.
    ///
    /// Context: any. In an interrupt, it frees only what a call in the same interrupt has allocated.
    ///
    /// # Safety
    /// One of the calls above returned `va` and `handle` for `device` and `size`. The memory is not used any more, and
    /// is freed once.
    unsafe fn free(&self, device: Device, size: usize, va: Va, handle: Handle);

    /// Returns the last address that the device reaches now, with its coherent mask.
    ///
    /// Context: any.
    fn limit(&self, device: Device) -> usize;
}

/// How often a thread that gets no memory waits for another thread that is getting some.
const GROWTH_WAITS: usize = 8;

impl<K: Kernel, P: Pages> BlockPool<K, P> {
    /// Returns a block of a new span; `None` if the caller may not sleep, or there is no memory.
    ///
    /// The device's memory is allocated without the turn: its allocation may write lines to the log, and so call the
    /// driver of the console, which may need a block of this pool.
    pub(super) fn allocate_by_growing(&self) -> Option<Block> {
        if !self.kernel.can_sleep() {
            return self.grow_in_interrupt();
        }
        // A driver may have copied the operations of a device with a mask.
        if self.pages.limit(self.device) != self.limit.load(Relaxed) {
            self.follow_mask();
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
        }
        self.trim_unreachable();
        self.spans.growing.fetch_add(1, Relaxed);
        let span = self.get_span();
        let block = match span {
            Some(span) => self.use_span(span),
            None => self.wait_for_block(),
        };
        self.spans.growing.fetch_sub(1, Relaxed);
        block
    }

    /// Adds a span and returns one of its blocks. If another thread added memory meanwhile, returns a block of that and
    /// frees the span.
    pub(super) fn use_span(&self, span: SpanMemory) -> Option<Block> {
        let (block, unused) = self.take_or_add(span);
        if let Some(unused) = unused {
            self.free_span(unused);
        }
        block
    }

    /// Returns a block, and `span` if the block is none of it.
    fn take_or_add(&self, span: SpanMemory) -> (Option<Block>, Option<SpanMemory>) {
        let Some(_turn) = self.spans.turn.take_or_try(self.kernel) else { return (None, Some(span)) };
        if let Some(block) = self.take_from_any() {
            return (Some(block), Some(span));
        }
        match self.add_span(span) {
            Ok(block) => (Some(block), None),
            Err(span) => (None, Some(span)),
        }
    }

    /// Waits for another thread that is adding memory, for a caller that got none, and returns a block of that.
    fn wait_for_block(&self) -> Option<Block> {
        for _ in 0..GROWTH_WAITS {
            if self.spans.growing.load(Relaxed) <= 1 {
                break;
            }
            if let Some(block) = self.take_from_any() {
                return Some(block);
            }
            self.kernel.pause();
        }
        self.take_from_any()
    }

    /// Frees a span. The caller does not hold the turn: the device's memory may write lines to the log.
    #[allow(unsafe_code)]
    pub(super) fn free_span(&self, span: SpanMemory) {
        // SAFETY: the value owns the memory, which `get_pages` has allocated, and ends here.
        unsafe { self.pages.free(self.device, span.size, span.va, span.handle) }
    }

    /// Allocates a span in which a block fits.
    pub(super) fn get_span(&self) -> Option<SpanMemory> {
        let span = self.get_pages(self.groups.shape.span_size)?;
        if self.groups.shape.lead(span.handle).saturating_add(self.groups.shape.stride) <= span.size {
            return Some(span);
        }
        // Its only block would cross the boundary.
        self.free_span(span);
        self.get_pages(self.groups.shape.wide_span())
    }

    /// Allocates `size` bytes that are aligned and within the device's reach.
    fn get_pages(&self, size: usize) -> Option<SpanMemory> {
        let align = self.groups.shape.span_align;
        let (va, handle) = if align > PAGE_SIZE {
            self.pages.allocate_aligned(self.device, size, align)?
        } else {
            self.pages.allocate(self.device, size)?
        };
        let span = SpanMemory { va, handle, size };
        // Another mask was set meanwhile, or the device's own operations do not obey the mask.
        if handle.saturating_add(size.saturating_sub(1)) > self.limit.load(Relaxed) {
            self.free_span(span);
            return None;
        }
        // A view begins at any page, so that only the device's address is aligned to more than a page.
        if va != 0 && va.is_multiple_of(PAGE_SIZE) && handle.is_multiple_of(align) {
            return Some(span);
        }
        self.free_span(span);
        self.log(apart!("the device's memory is not aligned: 0x%lx, handle 0x%lx"), &[va, handle]);
        None
    }

    /// Makes blocks of a span. All are free but the first, which is the caller's and is returned. Returns the memory if
    /// the heap has no room. The caller holds the turn.
    pub(super) fn add_span(&self, memory: SpanMemory) -> Result<Block, SpanMemory> {
        let Some(span) = self.vacant_span() else { return Err(memory) };
        let Some((first, others)) = span.units.split_first() else { return Err(memory) };

        self.set_addresses(span.units, &memory);
        if !self.insert_all(span.units) {
            self.remove_all(span.units);
            return Err(memory);
        }
        self.fill_span(span, memory);
        // The last unit comes first, so that blocks are taken from the lowest address on.
        others.iter().rev().for_each(|unit| self.publish(unit, 0));
        self.publish(first, 1usize.wrapping_shl(first.first_slot));
        Ok(first.block(&self.groups.shape, first.first_slot as usize))
    }

    /// Makes places in the table for the units of one more span, and returns a span that has no memory. `None` if the
    /// heap has no room. The caller holds the turn.
    pub(super) fn vacant_span(&self) -> Option<&'static Span> {
        self.make_places()?;
        self.spans.vacant.get().or_else(|| self.make_spans())
    }

    /// Makes the blocks of a unit free for every caller, except those of `in_use`.
    pub(super) fn publish(&self, unit: &'static Unit, in_use: usize) {
        self.groups.update(self.kernel, unit.group.get(), || {
            self.set_reach(unit);
            unit.add(in_use);
        });
    }

    /// Writes the addresses of a span's units.
    fn set_addresses(&self, units: &'static [Unit], span: &SpanMemory) {
        let lead = self.groups.shape.lead(span.handle);
        for (number, unit) in units.iter().enumerate() {
            let offset = lead.wrapping_add(self.groups.shape.unit_offset(number));
            unit.set_addresses(&self.groups.shape, span.va.wrapping_add(offset), span.handle.wrapping_add(offset));
        }
    }
}
