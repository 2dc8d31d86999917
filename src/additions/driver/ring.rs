//! A ring of descriptors: the driver fills slots, the device processes them, the driver takes them back.

use core::error::Error;
use core::fmt;

use super::{AsWords, CoherentBuffer, Device, OutOfRange, Platform, WordOf};
use crate::kernel::Handle;

/// The error of [`Ring::push`] if every slot is in use. It contains the value that was not pushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full<T>(pub T);

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("every slot of the ring is in use")
    }
}

impl<T: fmt::Debug> Error for Full<T> {}

/// A ring of a fixed number of descriptors in coherent memory.
///
/// The slots in use follow one another, beginning with the [`oldest`](Ring::oldest); the first slot follows the last
/// one. The counters lie in the driver's memory, where no device can change them.
///
/// ```
/// # use rt_dma_pool::driver::*;
/// /// The second word of a descriptor: the device has it, or the driver. The device reads words with the low byte
/// /// first.
/// const DEVICE: u32 = 1u32.to_le();
/// const DRIVER: u32 = 0;
///
/// /// Gives the device a frame.
/// fn offer<P: Platform>(ring: &mut Ring<[u32; 2], P>, frame: u32) -> Result<(), Full<[u32; 2]>> {
///     let slot = ring.push([frame.to_le(), DRIVER])?;
///     // The device sees the frame before the word that gives it the slot. An error does not occur: the slot exists.
///     let _ = ring.write_word(slot, 1, DEVICE);
///     // Now the driver writes the device's register.
///     Ok(())
/// }
///
/// fn take_back<P: Platform>(ring: &mut Ring<[u32; 2], P>) -> Option<u32> {
///     ring.pop_if(|[_, owner]| *owner == DRIVER).map(|(_, [frame, _])| u32::from_le(frame))
/// }
/// ```
///
/// Context of all calls: any. Context of the drop: as [`CoherentBuffer`].
// The sums and differences of the counters and the capacity never wrap. Their operations are the wrapping ones, so that
// a build with overflow checks has no panic either.
pub struct Ring<T: AsWords, P: Platform> {
    slots: CoherentBuffer<T, P>,
    /// The slot that has been in use for the longest time; if none is in use, the slot that is used next.
    oldest_slot: usize,
    /// Number of slots in use.
    used: usize,
}

impl<T: AsWords, P: Platform> fmt::Debug for Ring<T, P> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = to.debug_struct("Ring");
        value.field("slots", &self.slots).field("oldest_slot", &self.oldest_slot).field("used", &self.used).finish()
    }
}

impl<P: Platform> Device<P> {
    /// Makes an empty ring of `capacity` slots, whose words are all zero. Returns `None` if
    /// [`coherent`](Device::coherent) does.
    ///
    /// Context: thread first, then any, as [`coherent`](Device::coherent).
    pub fn ring<T: AsWords>(&self, capacity: usize) -> Option<Ring<T, P>> {
        Some(Ring { slots: self.coherent(capacity)?, oldest_slot: 0, used: 0 })
    }
}

impl<T: AsWords, P: Platform> Ring<T, P> {
    /// Returns the number of slots, not zero.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Returns the number of slots in use.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Returns whether no slot is in use.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Returns whether every slot is in use.
    pub fn is_full(&self) -> bool {
        self.used == self.capacity()
    }

    /// Returns the address at which the device accesses the ring.
    pub fn handle(&self) -> Handle {
        self.slots.handle()
    }

    /// Returns the address at which the device accesses a slot; `None` if there is no such slot.
    pub fn handle_of(&self, slot: usize) -> Option<Handle> {
        self.slots.handle_of(slot)
    }

    /// Returns the slot that the next [`push`](Ring::push) fills; `None` if the ring is full.
    pub fn next_slot(&self) -> Option<usize> {
        (!self.is_full()).then(|| self.after_oldest(self.used))
    }

    /// Fills the next slot with `value`. Returns the slot.
    ///
    /// # Errors
    /// [`Full`] if every slot is in use.
    pub fn push(&mut self, value: T) -> Result<usize, Full<T>> {
        let Some(slot) = self.next_slot() else { return Err(Full(value)) };
        // An error does not occur: the slot exists.
        let _ = self.slots.write(slot, value);
        self.used = self.used.wrapping_add(1);
        Ok(slot)
    }

    /// Returns the oldest slot in use and its present value, read as [`CoherentBuffer::read`]; `None` if no slot is in
    /// use.
    pub fn oldest(&self) -> Option<(usize, T)> {
        if self.is_empty() {
            return None;
        }
        Some((self.oldest_slot, self.slots.read(self.oldest_slot)?))
    }

    /// Takes the oldest slot back, whether or not the device is done with it; see [`pop_if`](Ring::pop_if). Returns the
    /// slot and its value; `None` if no slot is in use.
    pub fn pop(&mut self) -> Option<(usize, T)> {
        let oldest = self.oldest()?;
        self.oldest_slot = self.after_oldest(1);
        self.used = self.used.wrapping_sub(1);
        Some(oldest)
    }

    /// Takes the oldest slot back, as [`pop`](Ring::pop), if `is_done` returns true for its value: the device has
    /// processed it. Otherwise returns `None`.
    ///
    /// The value is read twice. `is_done` may get one that the device was writing; the one that is returned was read
    /// after the device was done.
    pub fn pop_if(&mut self, is_done: impl FnOnce(&T) -> bool) -> Option<(usize, T)> {
        let (_, value) = self.oldest()?;
        if !is_done(&value) {
            return None;
        }
        // `pop` reads the value again: the device may have written other words of it after they were read, and before
        // the one that states that it is done.
        self.pop()
    }

    /// Reads the value of a slot, in use or not, as [`CoherentBuffer::read`]. Returns `None` if there is no such slot.
    pub fn read(&self, slot: usize) -> Option<T> {
        self.slots.read(slot)
    }

    /// Writes the value of a slot, in use or not, as [`CoherentBuffer::write`].
    ///
    /// # Errors
    /// [`OutOfRange`] if there is no such slot.
    pub fn write(&mut self, slot: usize, value: T) -> Result<(), OutOfRange> {
        self.slots.write(slot, value)
    }

    /// Reads one word of a slot in one access; a 64-bit word on a 32-bit processor in two. Returns `None` if there is
    /// no such slot or word.
    pub fn read_word(&self, slot: usize, word: usize) -> Option<WordOf<T>> {
        self.slots.read_word(slot, word)
    }

    /// Writes one word of a slot in one access, for example the word whose bit gives the slot to the device; a 64-bit
    /// word on a 32-bit processor in two.
    ///
    /// # Errors
    /// [`OutOfRange`] if there is no such slot or word.
    pub fn write_word(&mut self, slot: usize, word: usize, value: WordOf<T>) -> Result<(), OutOfRange> {
        self.slots.write_word(slot, word, value)
    }

    /// Returns the slot that follows the oldest by `count` slots; `count` is at most the capacity.
    fn after_oldest(&self, count: usize) -> usize {
        let slot = self.oldest_slot.wrapping_add(count);
        if slot < self.capacity() { slot } else { slot.wrapping_sub(self.capacity()) }
    }
}
