//! Singly linked lists of values in the kernel's heap.

use core::iter::{from_fn, successors};
use core::mem::{forget, replace};
use core::ops::{Deref, DerefMut};

use super::heap::KBox;
use crate::kernel::Kernel;

/// A value in the heap that can be an element of a [`List`], and that moves from list to list without being copied.
/// Dropping it frees its memory, which needs a thread.
pub struct Element<K: Kernel, T>(KBox<K, Node<K, T>>);

struct Node<K: Kernel, T> {
    value: T,
    next: Link<K, T>,
}

type Link<K, T> = Option<Element<K, T>>;

impl<K: Kernel, T> Element<K, T> {
    /// Moves `value` to the heap; `None` if the heap has no room.
    ///
    /// Context: thread.
    pub fn new(kernel: K, value: T) -> Option<Self> {
        KBox::new(kernel, Node { value, next: None }).map(Element)
    }
}

impl<K: Kernel, T> Deref for Element<K, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<K: Kernel, T> DerefMut for Element<K, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}

/// A list that owns its elements.
pub struct List<K: Kernel, T> {
    first: Link<K, T>,
}

impl<K: Kernel, T> List<K, T> {
    /// Makes an empty list.
    pub const fn new() -> Self {
        List { first: None }
    }

    /// Returns whether the list has no element.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Puts an element at the beginning.
    pub fn push(&mut self, mut element: Element<K, T>) {
        // Both links that are replaced are `None`: an element that is in no list has no next one, and `first` was
        // taken. The compiler does not know this, and without `forget` it adds code that drops what they held: a
        // streaming map that is recorded and its unmap together take 15 instructions more (`ci/bench`, flash).
        forget(replace(&mut element.0.next, self.first.take()));
        forget(self.first.replace(element));
    }

    /// Takes the first element.
    pub fn pop(&mut self) -> Option<Element<K, T>> {
        take(&mut self.first)
    }

    /// Takes the first element whose value `matches`.
    pub fn take_first(&mut self, matches: impl Fn(&T) -> bool) -> Option<Element<K, T>> {
        take(self.link_to(matches)?)
    }

    /// Returns the first value that `matches`.
    pub fn find_mut(&mut self, matches: impl FnMut(&T) -> bool) -> Option<&mut T> {
        // With `iter_mut`, each value before the match takes five instructions more, because the iterator computes the
        // next value before it returns one.
        self.link_to(matches)?.as_deref_mut()
    }

    /// Returns the link that leads to the first element whose value `matches`.
    fn link_to(&mut self, mut matches: impl FnMut(&T) -> bool) -> Option<&mut Link<K, T>> {
        let mut at = &mut self.first;
        while !matches(at.as_ref()?) {
            at = &mut at.as_mut()?.0.next;
        }
        Some(at)
    }

    /// Returns the values, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let mut at = self.first.as_mut();
        from_fn(move || {
            let Node { value, next } = &mut *at.take()?.0;
            at = next.as_mut();
            Some(value)
        })
    }

    /// Returns the values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        successors(self.first.as_ref(), |element| element.0.next.as_ref()).map(Deref::deref)
    }
}

/// Takes the element to which a link leads out of its list.
fn take<K: Kernel, T>(link: &mut Link<K, T>) -> Link<K, T> {
    let mut element = link.take()?;
    // As in `push`: the link is `None` now.
    forget(replace(link, element.0.next.take()));
    Some(element)
}

impl<K: Kernel, T> Drop for List<K, T> {
    fn drop(&mut self) {
        // One by one. The drop that the compiler generates is recursive: each element drops its next one, and so takes
        // stack for every element of the list.
        while self.pop().is_some() {}
    }
}
