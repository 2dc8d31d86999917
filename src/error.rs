//! The reasons for which a call is refused, and their texts in the log.

use core::ffi::CStr;

/// Defines [`Error`] and its texts, each reason in one place.
macro_rules! errors {
    ($($(#[$doc:meta])* $error:ident: $reason:literal;)*) => {
        /// The reason for which a call is refused. A refused call has changed nothing, with one exception:
        /// [`High`](Error::High).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        // A narrower one is masked and shifted where it stands in a `Result`: 72 bytes of the linked core on aarch64.
        #[repr(usize)]
        pub enum Error {
            $($(#[$doc])* $error,)*
        }

        impl Error {
            /// Every reason.
            #[cfg(test)]
            const ALL: &[Error] = &[$(Error::$error),*];

            /// Returns the text with which the log states the reason. `docs/options.md` explains each.
            pub const fn reason(self) -> &'static CStr {
                match self {
                    $(Error::$error => $reason,)*
                }
            }
        }
    };
}

errors! {
    /// The pool would hold no whole page, because its region is smaller than a page or ends before it begins; or the
    /// coherent pool would be larger than the memory that it is a part of; or a list of regions is required and
    /// missing.
    BadSize: c"bad size";
    /// The kernel has no list of regions.
    NoMemblock: c"no memblock";
    /// No region has room.
    NoRegion: c"no region";
    /// The heap has no room for the bookkeeping.
    NoMemory: c"no memory";
    /// The call must sleep, and its caller may not.
    Context: c"not in a thread";
    /// An installed pool covers a part of the region.
    Overlap: c"pools overlap";
    /// A pool that covers a part of the region is being uninstalled.
    Leaving: c"pool is leaving";
    /// Nothing is mapped at the address, or the range ends past the end of memory.
    NotMapped: c"not mapped";
    /// A warning: the call succeeded, with memory at or above 4 GiB.
    High: c"above 4 GiB";
    /// The device cannot reach the memory.
    NotReachable: c"unreachable";
    /// No pool contains the address.
    NoBuffer: c"free: no buffer";
    /// No buffer begins at the address: it was freed before, or the address lies inside a buffer.
    NotAllocated: c"free: not in use";
    /// The buffer at the address has another size.
    WrongSize: c"free: wrong size";
    /// The buffer at the address has another handle.
    WrongHandle: c"free: bad handle";
    /// `memory-region` refers to no node.
    NoNode: c"no such node";
    /// `memory-region` refers to a node whose `status` is neither absent, `okay` nor `ok`. The kernel reserves nothing
    /// for such a node.
    Disabled: c"node is disabled";
    /// `memory-region` refers to a node without `reg`, for which no memory was chosen at boot.
    NoReg: c"not served: no reg";
    /// The `reg` of the node to which `memory-region` refers cannot be read, or lies where this processor cannot reach.
    BadReg: c"bad reg";
    /// The node to which `memory-region` refers has both `no-map` and `reusable`, which exclude each other.
    NoMapAndReusable: c"no-map and reusable";
    /// The kernel itself uses a part of the region, or may use it later because it is not reserved.
    NotReserved: c"memory not reserved";
    /// The request is for memory that is not cached, and the kernel has no page tables: its MMU is off.
    NoPageTables: c"no page tables";
}

impl Error {
    /// Returns whether the same call may succeed later.
    pub const fn can_be_repeated(self) -> bool {
        matches!(self, Error::Context | Error::NoMemory | Error::Leaving)
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn each_reason_differs_and_is_explained() {
        let explained = include_str!("../docs/options.md");
        for (index, error) in Error::ALL.iter().enumerate() {
            let reason = error.reason().to_str().unwrap();
            // `Context` occurs only where no line is written.
            assert!(*error == Error::Context || explained.contains(&std::format!("`{reason}`")), "{reason}");
            assert!(Error::ALL.iter().take(index).all(|other| other.reason() != error.reason()), "{reason}");
        }
    }

    /// Returns the sources in a folder of this repository whose texts are in the log.
    fn log_sources(folder: &std::path::Path) -> std::vec::Vec<std::string::String> {
        let mut sources = std::vec::Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // Shell commands print, and docs/debugging.md has the lines of the debug mode.
            let is_of_log = !path.ends_with("debug") && !path.to_str().unwrap().contains("shell_list");
            if path.is_dir() && is_of_log {
                sources.extend(log_sources(&path));
            } else if path.is_file() && is_of_log {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
        sources
    }

    /// Returns the texts in a source, those of names excepted: the literals that begin a call of `separate_cstr!` or `text!`.
    /// Each value in them is `...`.
    fn texts(source: &str) -> std::vec::Vec<std::string::String> {
        let mut texts = std::vec::Vec::new();
        for (at, _) in source.match_indices("separate_cstr!(").chain(source.match_indices("text!(")) {
            let argument = source[at..].split_once('(').unwrap().1.trim_start();
            if let Some(literal) = argument.strip_prefix('"')
                && !source[..at].ends_with("Name::of(")
            {
                let text = literal.split('"').next().unwrap();
                texts.push(text.replace("%lx", "...").replace("%lu", "...").replace("%s", "..."));
            }
        }
        texts
    }

    /// The additions have their texts where they use them. `docs/options.md` has tables with each line of the log, or
    /// with its beginning and `...`, and with each reason.
    #[test]
    fn each_text_of_the_additions_is_explained() {
        let rows = include_str!("../docs/options.md").lines().filter(|line| line.starts_with("| "));
        let explained: std::vec::Vec<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
        let is_explained = |text: &str| {
            explained.iter().any(|row| match row.strip_suffix("...") {
                Some(beginning) => !beginning.is_empty() && text.starts_with(beginning),
                None => *row == text,
            })
        };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = ["src/additions", "src/ffi/additions"].map(|folder| log_sources(&root.join(folder))).concat();
        let found: std::vec::Vec<_> = sources.iter().flat_map(|source| texts(source)).collect();
        assert!(found.len() > 30, "{found:?}");
        // `needs a thread` occurs only where no line is written.
        let missing = found.iter().filter(|text| *text != "needs a thread" && !is_explained(text));
        assert_eq!(missing.collect::<std::vec::Vec<_>>(), std::vec::Vec::<&std::string::String>::new());
    }
}
