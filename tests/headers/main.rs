//! The headers in `include/`, and those that only the port includes, are what cbindgen makes of the sources, and
//! compile as strict C99 and C++.
//!
//! To make the headers anew: `RT_DMA_BLESS=1 cargo test --test headers`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

mod list;

use list::{Header, headers};

/// The longest line of C.
const MAX_COLUMNS: usize = 120;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path of a header. Drivers see `include/`; the port's own headers are next to its sources.
fn path_of(name: &str) -> PathBuf {
    let is_private = name.starts_with("rt_dma_port") || name.starts_with("rt_dma_watch");
    root().join(if is_private { "rtthread-port" } else { "include" }).join(name)
}

fn generate(header: &Header) -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    config.after_includes = Some(header.prelude.clone());
    config.trailer = Some(header.trailer.clone());
    config.export.include = header.include.iter().map(|name| name.to_string()).collect();
    config.export.exclude.extend(header.exclude.iter().map(|name| name.to_string()));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in header.sources {
        builder = builder.with_src(root().join(source));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    let text = String::from_utf8(text).unwrap().replace("\n\n\n", "\n\n");
    // cbindgen does not see that these are structs where another header declares them.
    let elsewhere = match header.name {
        "rt_dma_port/types.h" => &[][..],
        name if name.starts_with("rt_dma_port/") => &["rt_dma_port_region"],
        _ => &["rt_device", "rt_dma_sg", "rt_dma_pool", "rt_dma_block_pool", "rt_dma_watch_call"],
    };
    // First without `struct`, so that none gets it twice.
    let text = elsewhere.iter().fold(text, |text, name| {
        let (plain, tagged) = (format!("{name} *"), format!("struct {name} *"));
        let (member, tagged_member) = (format!("\n    {name} "), format!("\n    struct {name} "));
        text.replace(&tagged, &plain).replace(&plain, &tagged).replace(&member, &tagged_member)
    });
    // RT-Thread's name of this one is a typedef.
    lay_out_arguments(&text.replace("struct rt_region_t *", "rt_region_t *"))
}

/// Writes the arguments of each function in one line if they fit, and otherwise each in a line of its own.
fn lay_out_arguments(text: &str) -> String {
    let mut lines = text.lines();
    let mut laid_out = String::new();
    while let Some(line) = lines.next() {
        let Some(column) = first_argument(line) else {
            laid_out += &format!("{line}\n");
            continue;
        };
        let mut declaration = vec![line];
        while !declaration[declaration.len() - 1].ends_with(");") {
            declaration.push(lines.next().unwrap().trim_start());
        }
        let one_line = declaration.join(" ");
        let several_lines = declaration.join(&format!("\n{:column$}", ""));
        laid_out += if one_line.len() <= MAX_COLUMNS { &one_line } else { &several_lines };
        laid_out.push('\n');
    }
    laid_out
}

/// Returns the column of a function's first argument if `line` begins a declaration.
fn first_argument(line: &str) -> Option<usize> {
    let is_code = line.starts_with(|first: char| first.is_ascii_alphabetic());
    line.find('(').filter(|_| is_code).map(|open| open + 1)
}

#[test]
fn committed_headers_are_what_cbindgen_makes() {
    for header in &headers() {
        let path = path_of(header.name);
        let made = generate(header);
        if std::env::var_os("RT_DMA_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            // The other tests read the header at the same time: they see the old file or the new one.
            std::fs::write(path.with_extension("new"), &made).unwrap();
            std::fs::rename(path.with_extension("new"), &path).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            made == committed,
            "{} is stale: run RT_DMA_BLESS=1 cargo test --test headers, and commit it",
            path.display()
        );
    }
}

/// Returns the prototype of a function or of a member of `rt_dma_map_ops`, without line breaks.
fn prototype(header: &str, name: &str) -> String {
    let text = std::fs::read_to_string(root().join(header)).unwrap();
    let code = text.split("/*").map(|part| part.rsplit("*/").next().unwrap()).collect::<String>();
    let lines = code.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    let statements = lines.split([';', '{', '}']).map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let beginnings = [format!(" {name}("), format!(" *{name}("), format!("(*{name})(")];
    let mut found = statements.filter(|part| beginnings.iter().any(|beginning| part.contains(beginning)));
    found.next().unwrap_or_else(|| panic!("{header} does not declare {name}"))
}

#[test]
fn rt_dma_pool_h_has_the_prototypes_of_drivers_dma_h() {
    let functions =
        ["rt_dma_alloc", "rt_dma_free", "rt_dma_sync_out_data", "rt_dma_sync_in_data", "rt_dma_pool_install"];
    let operations = ["alloc", "free", "sync_out_data", "sync_in_data"];
    for name in functions.into_iter().chain(operations).chain(["rt_dma_ofw_device_map_ops"]) {
        let ours = prototype("include/rt_dma_pool.h", name);
        assert_eq!(ours, prototype("bsp-tests/include/drivers/dma.h", name));
    }
}

/// Returns the bits of the flags that a header defines, by the flags' names.
fn flags_of(header: &str) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(root().join(header)).unwrap();
    let flags = text.lines().filter_map(|line| line.strip_prefix("#define RT_DMA_F_")?.split_once(' '));
    let bit_in = |value: &str| value.chars().rev().find_map(|letter| letter.to_digit(10)).unwrap() as usize;
    flags.map(|(name, value)| (name.into(), bit_in(value))).collect()
}

#[test]
fn rt_dma_pool_h_has_the_flags_of_drivers_dma_h() {
    let ours = flags_of("include/rt_dma_pool.h");
    assert_eq!(ours.len(), 6);
    assert_eq!(ours, flags_of("bsp-tests/include/drivers/dma.h"));
}

#[test]
fn rt_dma_pool_h_may_be_included_with_and_without_drivers_dma_h() {
    let driver = "void *f(struct rt_device *dev, rt_region_t *region)\n{\n    \
        return rt_dma_pool_install(region) ? rt_dma_alloc(dev, 1, 0, RT_DMA_F_NOCACHE) : 0;\n}\n";
    let headers = ["rt_dma_pool.h", "drivers/dma.h", "mm_page.h"];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let with_rt_thread = orders.map(|order| (order.map(|index| headers[index]).to_vec(), "bsp-tests/include"));
    let alone = ["include", "bsp-tests/include"].map(|folder| (vec!["rt_dma_pool.h"], folder));
    for (included, folder) in with_rt_thread.into_iter().chain(alone) {
        let source = included.iter().map(|name| format!("#include <{name}>\n")).collect::<String>() + driver;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rt_dma_pool_user.c");
        std::fs::write(&path, source).unwrap();
        assert_compiles("cc", &["-I", folder, "-x", "c"], &path);
        // C++ refuses RT-Thread's drivers/dma.h and mm_page.h.
        if included.len() == 1 {
            assert_compiles("c++", &["-I", folder, "-x", "c++"], &path);
        }
    }
}

fn assert_header_compiles(compiler: &str, language: &[&str], header: &Path) {
    assert_compiles(
        compiler,
        &[language, &["-pedantic", "-include", header.to_str().unwrap()]].concat(),
        "/dev/null".as_ref(),
    );
}

fn assert_compiles(compiler: &str, options: &[&str], source: &Path) {
    let output = Command::new(compiler)
        .current_dir(root())
        .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude"])
        .args(options)
        .arg(source)
        .output()
        .unwrap();
    assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn headers_compile_as_strict_c_and_as_cpp() {
    for header in headers().iter().map(|header| header.name).chain(["rt_dma.h", "rt_dma_port.h"]) {
        let path = path_of(header);
        assert_header_compiles("cc", &["-std=c99", "-x", "c"], &path);
        assert_header_compiles("c++", &["-std=c++11", "-x", "c++"], &path);
    }
}

/// Returns the C files below a folder.
fn c_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_c = |path: &PathBuf| path.extension().is_some_and(|end| end == "c" || end == "h");
    files.into_iter().filter(is_c).chain(folders.iter().flat_map(|folder| c_files(folder))).collect()
}

#[test]
fn no_line_of_c_is_too_long() {
    for path in
        ["include", "rtthread-port", "examples", "benches"].iter().flat_map(|folder| c_files(&root().join(folder)))
    {
        let text = std::fs::read_to_string(&path).unwrap();
        for (line, number) in text.lines().zip(1..) {
            assert!(line.chars().count() <= MAX_COLUMNS, "{}:{number}", path.display());
        }
    }
}

#[test]
fn rt_dma_port_h_includes_and_lists_every_subject() {
    let whole = std::fs::read_to_string(path_of("rt_dma_port.h")).unwrap();
    for entry in std::fs::read_dir(path_of("rt_dma_port")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(headers().iter().any(|header| header.name == format!("rt_dma_port/{name}")), "{name} is not generated");
        if name != "types.h" {
            assert!(
                whole.contains(&format!("#include \"rt_dma_port/{name}\"")),
                "rt_dma_port.h does not include {name}"
            );
            assert!(whole.contains(&format!(" * | {name} ")), "rt_dma_port.h does not list {name}");
        }
    }
}

#[test]
fn rt_dma_h_includes_and_lists_every_family() {
    let whole = std::fs::read_to_string(path_of("rt_dma.h")).unwrap();
    for header in headers().iter().filter(|header| header.name.starts_with("rt_dma/")) {
        let name = header.name.strip_prefix("rt_dma/").unwrap();
        assert!(whole.contains(&format!("#include \"{}\"", header.name)), "rt_dma.h does not include {name}");
        let row = whole.lines().find(|line| line.starts_with(&format!(" * | {name} ")));
        let call = row.and_then(|row| row.split('|').nth(3)).expect(name).trim();
        let family = std::fs::read_to_string(path_of(header.name)).unwrap();
        let first = family.find(&format!("{call}(")).unwrap_or_else(|| panic!("{name} has no {call}"));
        assert!(family[..first].contains("@code"), "{name}: no example before {call}");
    }
}
