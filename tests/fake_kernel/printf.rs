//! The kernel's `printf` with the conversions that a [`Text`] has: `%s`, `%lu` and `%lx`.

use rt_dma_pool::log::{Line, Name};
use rt_dma_pool::text::Text;
use std::ffi::CStr;

/// Returns the name as `%s` prints it.
pub fn name_text(name: Name) -> String {
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
        (false, _) => name_text(line.name),
    };
    format!("{whom}: {}", print_to_string(&line.text))
}

/// Returns the text as the kernel prints it.
pub fn print_to_string(text: &Text) -> String {
    let mut words = text.words().iter().copied();
    let mut word = || words.next().expect("a word for each conversion");
    let mut out = String::new();
    let mut rest = text.format().to_str().unwrap();
    while let Some((before, directive)) = rest.split_once('%') {
        out.push_str(before);
        let is_left = directive.starts_with('-');
        let has_zeros = directive.starts_with('0');
        let after_flag = directive.trim_start_matches('-');
        let conversion = after_flag.trim_start_matches(|c: char| c.is_ascii_digit());
        let width = after_flag[..after_flag.len() - conversion.len()].parse().unwrap_or(0);
        let (value, after) = if let Some(after) = conversion.strip_prefix('s') {
            // SAFETY: the argument of `%s` is that of a string (`Text`).
            (name_text(unsafe { Name::from_ptr(std::ptr::with_exposed_provenance(word())) }), after)
        } else if let Some(after) = conversion.strip_prefix("lu") {
            (word().to_string(), after)
        } else if let Some(after) = conversion.strip_prefix("lx") {
            (format!("{:x}", word()), after)
        } else {
            panic!("{:?} is not a format of `Text`", text.format())
        };
        out.push_str(&match (is_left, has_zeros) {
            (true, _) => format!("{value:<width$}"),
            (_, true) => format!("{value:0>width$}"),
            _ => format!("{value:>width$}"),
        });
        rest = after;
    }
    out + rest
}
