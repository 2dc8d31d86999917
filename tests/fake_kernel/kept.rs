//! Values that are never freed.

use std::sync::Mutex;

/// The addresses of these values. As long as a static refers to them, the leak sanitizer does not report them.
static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Leaks the value, so that a test can use it for as long as it runs.
pub fn keep<T: ?Sized>(value: Box<T>) -> &'static T {
    let value: &'static T = Box::leak(value);
    KEPT.lock().unwrap().push(value as *const T as *const u8 as usize);
    value
}
