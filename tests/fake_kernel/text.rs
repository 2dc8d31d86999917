//! The kernel's `printf` with the conversions that a [`Text`] has: `%s`, `%lu` and `%lx`.

use rt_dma_pool::log::{Line, Name};
use rt_dma_pool::text::Text;
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
    let whom = match (line.name.as_ptr().is_null(), line.device) {
        (true, 0) => "unnamed".to_owned(),
        (true, device) => format!("device {device:#x}"),
        (false, _) => text_of(line.name),
    };
    format!("{whom}: {}", format(&line.text))
}

/// Returns the text as the kernel prints it.
pub fn format(text: &Text) -> String {
    let mut words = text.words().iter().copied();
    let mut word = || words.next().expect("a word for each conversion");
    let mut out = String::new();
    let mut rest = text.format().to_str().unwrap();
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
                // SAFETY: the argument of `%s` is that of a string (`Text`).
                let name = unsafe { Name::from_ptr(std::ptr::with_exposed_provenance(word())) };
                (1, text_of(name))
            }
            c if c.starts_with("lu") => (2, word().to_string()),
            c if c.starts_with("lx") => (2, format!("{:x}", word())),
            _ => panic!("{:?} is not a format of `Text`", text.format()),
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
