//! The record of a mapping, and lists of records.

use core::mem::{forget, replace};

use super::mapping::Mapping;
use crate::kernel::Kernel;
use crate::mem::heap::KBox;

/// Heap memory for a mapping.
pub struct Record<K: Kernel> {
    pub mapping: Option<Mapping>,
    /// Not every byte of the mapping is a pool's.
    pub is_outside: bool,
    pub next: RecordList<K>,
}

pub type OwnedRecord<K> = KBox<K, Record<K>>;
pub type RecordList<K> = Option<OwnedRecord<K>>;

/// Puts a record on a list, whose `next` is `None`.
pub fn push<K: Kernel>(list: &mut RecordList<K>, mut record: OwnedRecord<K>) {
    // Nothing is dropped: the compiler would call code that finds out.
    forget(replace(&mut record.next, list.take()));
    forget(list.replace(record));
}

/// Takes the first record from a list.
pub fn pop<K: Kernel>(list: &mut RecordList<K>) -> RecordList<K> {
    let mut record = list.take()?;
    forget(replace(list, record.next.take()));
    Some(record)
}
