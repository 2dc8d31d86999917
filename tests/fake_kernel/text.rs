//! The kernel's `printf` with the conversions that [`Line`] permits: `%s`, `%lu` and `%lx`.

use rt_dma_pool::log::{Line, Name};
use std::ffi::CStr;

pub fn text_of(name: Name) -> String {
    if name.as_ptr().is_null() {
        return "(null)".to_owned();
    }
    // SAFETY: a name that is not null is a C string (`Name::from_ptr`).
    unsafe { CStr::from_ptr(name.as_ptr()) }.to_str().unwrap().to_owned()
}

/// Returns the line as the kernel logs it.
pub fn format_line(line: &Line) -> String {
    assert!(line.values.len() <= 4, "more words than the port hands over");
    let whom = match (line.name.as_ptr().is_null(), line.device) {
        (true, 0) => "unnamed".to_owned(),
        (true, device) => format!("device {device:#x}"),
        (false, _) => text_of(line.name),
    };
    format!("{whom}: {}", format(line.format, line.values))
}

/// Returns the text as the kernel prints it. Panics where C would read an argument that does not exist.
pub fn format(format: &CStr, words: &[usize]) -> String {
    assert!(words.len() <= 6, "more words than the port hands over");
    let mut words = words.iter().copied();
    let mut word = || words.next().expect("a word for each conversion");
    let mut out = String::new();
    let mut rest = format.to_str().unwrap();
    while let Some((before, directive)) = rest.split_once('%') {
        out.push_str(before);
        let left = directive.starts_with('-');
        let zeros = directive.starts_with('0');
        let directive = directive.trim_start_matches('-');
        let digits = directive.len() - directive.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (width, conversion) = directive.split_at(digits);
        let width = width.parse().unwrap_or(0);
        let (length, value) = match conversion {
            c if c.starts_with('s') => {
                // SAFETY: the argument of `%s` is `Name::argument` of a name.
                let name = unsafe { Name::from_ptr(std::ptr::with_exposed_provenance(word())) };
                (1, text_of(name))
            }
            c if c.starts_with("lu") => (2, word().to_string()),
            c if c.starts_with("lx") => (2, format!("{:x}", word())),
            _ => panic!("{format:?} is not a format of `Line`"),
        };
        out.push_str(&match (left, zeros) {
            (true, _) => format!("{value:<width$}"),
            (_, true) => format!("{value:0>width$}"),
            _ => format!("{value:>width$}"),
        });
        rest = &conversion[length..];
    }
    out + rest
}
