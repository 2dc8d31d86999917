//! A ring of descriptors: the driver fills slots, the device works them off, the driver takes them back.

use super::{AsWords, CoherentBuffer, Device, OutOfRange, Platform, WordOf};
use crate::mem::words::Words;

/// Every slot is in use. The value that was to be pushed comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full<T>(pub T);

/// A ring of descriptors in coherent memory, as many as it was made with.
///
/// The slots in use follow one another, from the [`oldest`](Ring::oldest) on; behind the last slot comes the first. The
/// counters lie in the driver's memory: no device can change them.
pub struct Ring<T: AsWords, P: Platform> {
    slots: CoherentBuffer<T, P>,
    /// The slot in use for the longest, or the next to be used if none is.
    oldest: usize,
    /// Slots in use.
    used: usize,
}

impl<P: Platform> Device<P> {
    /// An empty ring of so many slots, all of whose words are zero. As [`coherent`](Device::coherent).
    pub fn ring<T: AsWords>(&self, capacity: usize) -> Option<Ring<T, P>> {
        Some(Ring { slots: self.coherent(capacity)?, oldest: 0, used: 0 })
    }
}

impl<T: AsWords, P: Platform> Ring<T, P> {
    /// Slots in all, not zero.
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Slots in use.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether no slot is in use.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Whether every slot is.
    pub fn is_full(&self) -> bool {
        self.used == self.capacity()
    }

    /// Where the device finds the ring.
    pub fn handle(&self) -> usize {
        self.slots.handle()
    }

    /// Where the device finds a slot.
    pub fn handle_of(&self, slot: usize) -> Option<usize> {
        self.slots.handle_of(slot)
    }

    /// The slot so many behind the oldest, less than twice the capacity; the sum is below two capacities.
    fn behind_oldest(&self, count: usize) -> usize {
        let slot = self.oldest.wrapping_add(count);
        if slot < self.capacity() { slot } else { slot.wrapping_sub(self.capacity()) }
    }

    /// The slot that the next [`push`](Ring::push) fills; `None` if the ring is full.
    pub fn next(&self) -> Option<usize> {
        (!self.is_full()).then(|| self.behind_oldest(self.used))
    }

    /// Fills the next slot, and says which it is.
    pub fn push(&mut self, value: T) -> Result<usize, Full<T>> {
        let Some(slot) = self.next() else { return Err(Full(value)) };
        // The slot is one of the ring's.
        let _ = self.slots.write(slot, value);
        self.used = self.used.wrapping_add(1);
        Ok(slot)
    }

    /// The slot in use for the longest, and what is in it now.
    pub fn oldest(&self) -> Option<(usize, T)> {
        if self.is_empty() {
            return None;
        }
        Some((self.oldest, self.slots.read(self.oldest)?))
    }

    /// Takes the oldest slot back, and says which it is and what the device left in it.
    pub fn pop(&mut self) -> Option<(usize, T)> {
        self.pop_if(|_| true)
    }

    /// The same if `is_done` says of what is in it that the device is done with it.
    pub fn pop_if(&mut self, is_done: impl FnOnce(&T) -> bool) -> Option<(usize, T)> {
        let oldest = self.oldest().filter(|(_, value)| is_done(value))?;
        self.oldest = self.behind_oldest(1);
        self.used = self.used.wrapping_sub(1);
        Some(oldest)
    }

    /// What is in a slot now, in use or not.
    pub fn read(&self, slot: usize) -> Option<T> {
        self.slots.read(slot)
    }

    /// Writes to a slot, in use or not: see [`CoherentBuffer::write`].
    pub fn write(&mut self, slot: usize, value: T) -> Result<(), OutOfRange> {
        self.slots.write(slot, value)
    }

    /// One word of a slot, by one access.
    pub fn read_word(&self, slot: usize, word: usize) -> Option<WordOf<T>>
    where
        WordOf<T>: Words,
    {
        self.slots.read_word(slot, word)
    }

    /// Writes one word of a slot, by one access: such as the one whose bit gives the slot to the device.
    pub fn write_word(&mut self, slot: usize, word: usize, value: WordOf<T>) -> Result<(), OutOfRange>
    where
        WordOf<T>: Words,
    {
        self.slots.write_word(slot, word, value)
    }
}
