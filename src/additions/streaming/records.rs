//! Records of mappings that their handle alone does not tell enough about.
//!
//! A record is heap memory, which only a thread gets and gives back. So each goes round: from the stock of spare ones
//! to the list of its handle, and back. A thread that maps or unmaps fills the stock up, and an interrupt lives on
//! it.

use core::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};

use super::{BadMapping, Direction, Mapping};
use crate::kernel::{Device, Kernel, PAGE_SHIFT};
use crate::mem::heap::KBox;
use crate::mem::lock::IrqLock;

/// Lists that the records are spread over, by the page of their handle.
const BUCKETS: usize = 64;
/// Spare records that a thread provides.
const STOCK: usize = 16;
/// Spare records that a thread leaves: an interrupt that unmaps and maps again finds the ones that it gave back.
const KEEP: usize = 64;

/// Heap memory for a mapping.
pub(super) struct Record<K: Kernel> {
    mapping: Option<Mapping>,
    /// It is among those counted in [`Records::outside`].
    outside: bool,
    next: List<K>,
}

pub(super) type Owned<K> = KBox<K, Record<K>>;
type List<K> = Option<Owned<K>>;

/// The mappings of a list.
fn mappings<K: Kernel>(list: &List<K>) -> impl Iterator<Item = &Mapping> {
    core::iter::successors(list.as_ref(), |record| record.next.as_ref()).filter_map(|record| record.mapping.as_ref())
}

/// Records that are in no list. Any context.
struct Stack<K: Kernel> {
    top: IrqLock<List<K>>,
    length: AtomicUsize,
}

impl<K: Kernel> Stack<K> {
    const fn new() -> Self {
        Stack { top: IrqLock::new(None), length: AtomicUsize::new(0) }
    }

    fn length(&self) -> usize {
        self.length.load(Acquire)
    }

    fn push(&self, kernel: K, mut record: Owned<K>) {
        let mut top = self.top.lock(kernel);
        record.next = top.take();
        *top = Some(record);
        self.length.fetch_add(1, Release);
    }

    fn pop(&self, kernel: K) -> List<K> {
        let mut top = self.top.lock(kernel);
        let mut record = top.take()?;
        *top = record.next.take();
        self.length.fetch_sub(1, Release);
        Some(record)
    }
}

/// What an unmap or a sync says of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub device: Device,
    pub handle: usize,
    pub size: usize,
    pub direction: Direction,
}

impl Claim {
    /// Whether the claim's size and direction are those of the mapping.
    pub fn check(&self, mapping: &Mapping) -> Result<(), BadMapping> {
        if mapping.size != self.size {
            Err(BadMapping::WrongSize)
        } else if mapping.direction != self.direction {
            Err(BadMapping::WrongDirection)
        } else {
            Ok(())
        }
    }

    /// Whether the mapping is the device's and has the handle.
    fn names(&self, mapping: &Mapping) -> bool {
        mapping.master.device == self.device && mapping.handle == self.handle
    }
}

pub(super) struct Records<K: Kernel> {
    buckets: [IrqLock<List<K>>; BUCKETS],
    spare: Stack<K>,
    /// What an interrupt could not give back.
    left: Stack<K>,
    /// Pages from the first to the last of the longest mapping so far.
    reach: AtomicUsize,
    /// Live records of handles that lead outside the pools.
    outside: AtomicUsize,
}

impl<K: Kernel> Records<K> {
    pub const fn new() -> Self {
        Records {
            buckets: [const { IrqLock::new(None) }; BUCKETS],
            spare: Stack::new(),
            left: Stack::new(),
            reach: AtomicUsize::new(0),
            outside: AtomicUsize::new(0),
        }
    }

    fn bucket(&self, page: usize) -> &IrqLock<List<K>> {
        let [first, ..] = &self.buckets;
        self.buckets.get(page % BUCKETS).unwrap_or(first)
    }

    // --- live records ----------------------------------------------------------------------------------------------

    /// Whether a handle can have a record: if it leads to a pool, any; else, as most mappings outside the pools have
    /// none, few systems have one. Any context.
    pub fn may_have(&self, is_outside: impl FnOnce() -> bool) -> bool {
        self.outside.load(Acquire) != 0 || !is_outside()
    }

    /// Records `mapping`. Any context.
    pub fn insert(&self, kernel: K, mut record: Owned<K>, mapping: Mapping, outside: bool) {
        let page = mapping.handle >> PAGE_SHIFT;
        let last = mapping.handle.wrapping_add(mapping.size).wrapping_sub(1) >> PAGE_SHIFT;
        self.reach.fetch_max(last.wrapping_sub(page), Release);
        if outside {
            self.outside.fetch_add(1, Release);
        }
        record.mapping = Some(mapping);
        record.outside = outside;
        let mut list = self.bucket(page).lock(kernel);
        record.next = list.take();
        *list = Some(record);
    }

    /// Takes out the record that `claim` tells of; only one caller gets it. Any context.
    ///
    /// That is the one with the claim's size and direction; if there is none, the only one with its device and handle.
    pub fn take(&self, kernel: K, claim: &Claim) -> Result<(Owned<K>, Mapping), BadMapping> {
        let mut list = self.bucket(claim.handle >> PAGE_SHIFT).lock(kernel);
        let is_only = match mappings(&list).filter(|mapping| claim.names(mapping)).count() {
            0 => return Err(BadMapping::Unknown),
            count => count == 1,
        };
        let is_wanted = |mapping: &Mapping| claim.names(mapping) && (is_only || claim.check(mapping).is_ok());
        let mut at: &mut List<K> = &mut list;
        while at.as_ref().is_some_and(|record| !record.mapping.as_ref().is_some_and(is_wanted)) {
            match at {
                Some(record) => at = &mut record.next,
                None => return Err(BadMapping::Ambiguous),
            }
        }
        let Some(mut record) = at.take() else { return Err(BadMapping::Ambiguous) };
        *at = record.next.take();
        if record.outside {
            self.outside.fetch_sub(1, Release);
        }
        let mapping = record.mapping.ok_or(BadMapping::Unknown)?;
        Ok((record, mapping))
    }

    /// What `look` makes of the mapping that `claim` tells of all or part of. Any context; `look` runs with a lock held.
    pub fn find<T>(&self, kernel: K, claim: &Claim, look: impl FnOnce(&mut Mapping) -> T) -> Result<T, BadMapping> {
        if claim.direction == Direction::Neither {
            return Err(BadMapping::Unknown);
        }
        let mut why = BadMapping::Unknown;
        let page = claim.handle >> PAGE_SHIFT;
        for back in 0..=self.reach.load(Acquire).min(BUCKETS - 1) {
            let mut list = self.bucket(page.wrapping_sub(back)).lock(kernel);
            let mut at = list.as_mut();
            while let Some(record) = at {
                if let Some(mapping) = &mut record.mapping
                    && mapping.master.device == claim.device
                    && let offset = claim.handle.wrapping_sub(mapping.handle)
                    && offset < mapping.size
                {
                    if claim.size > mapping.size - offset {
                        why = BadMapping::WrongSize;
                    } else if ![claim.direction, Direction::Bidirectional].contains(&mapping.direction) {
                        why = BadMapping::WrongDirection;
                    } else {
                        return Ok(look(mapping));
                    }
                }
                at = record.next.as_mut();
            }
        }
        Err(why)
    }

    // --- spare records ---------------------------------------------------------------------------------------------

    /// A record to use, if there is one. Any context.
    pub fn spare(&self, kernel: K) -> List<K> {
        self.spare.pop(kernel)
    }

    /// A record that nobody uses any more. Any context.
    pub fn put(&self, kernel: K, mut record: Owned<K>) {
        record.mapping = None;
        self.spare.push(kernel, record);
    }

    /// A record whose mapping an interrupt could not give back all of. Any context.
    pub fn leave(&self, kernel: K, record: Owned<K>) {
        self.left.push(kernel, record);
    }

    /// One that was left, and its mapping. Any context.
    pub fn left(&self, kernel: K) -> Option<(Owned<K>, Option<Mapping>)> {
        let record = if self.left.length() == 0 { None } else { self.left.pop(kernel) }?;
        let mapping = record.mapping;
        Some((record, mapping))
    }

    /// Fills the stock up, as far as the heap goes, and gives back what is too much. *Thread.*
    pub fn restock(&self, kernel: K) {
        for _ in self.spare.length()..STOCK {
            match KBox::new(kernel, Record { mapping: None, outside: false, next: None }) {
                Ok(record) => self.spare.push(kernel, record),
                Err(_) => return,
            }
        }
        for _ in KEEP..self.spare.length() {
            drop(self.spare.pop(kernel));
        }
    }

    /// Gives all spare records back. *Thread.*
    pub fn clear(&self, kernel: K) {
        while let Some(record) = self.spare.pop(kernel) {
            drop(record);
        }
    }
}
