//! The name of a block pool.

use core::ffi::c_char;

use crate::log::Name;

/// Bytes of a name, with the zero that ends it. A longer name is cut.
const NAME_SIZE: usize = 32;

/// A copy of a pool's name.
#[derive(Clone, Copy)]
pub struct PoolName([u8; NAME_SIZE]);

impl PoolName {
    /// Copies the first 31 bytes of a text. Reads no more of the text than it copies. If it contains a zero, the name
    /// ends there.
    pub fn new(text: impl IntoIterator<Item = u8>) -> Self {
        let mut name = [0; NAME_SIZE];
        // The last byte stays zero. `name` is first in the `zip`: when it is full, no byte of the text is read.
        for (place, byte) in name.iter_mut().take(NAME_SIZE - 1).zip(text) {
            *place = byte;
        }
        PoolName(name)
    }

    /// Returns the name for use in a line of the log.
    pub fn as_name(&self) -> Name<'_> {
        // SAFETY: the last byte is zero, and the result borrows this copy.
        #[allow(unsafe_code)]
        unsafe {
            Name::from_ptr(self.0.as_ptr().cast::<c_char>())
        }
    }
}
