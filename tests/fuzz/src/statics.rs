//! The library's statics: a run begins with the values that they had when the program started.
//!
//! They are found in the program's own symbol table, so that none can be forgotten.

use object::{Object, ObjectSection, ObjectSymbol, SectionKind};
use std::ops::Range;
use std::sync::OnceLock;

/// A static, and its first value.
struct Static {
    place: Range<usize>,
    first: Vec<u8>,
}

static STATICS: OnceLock<Vec<Static>> = OnceLock::new();

/// Returns the distance from an address in the file to the address at which the program runs.
pub fn load_offset(file: &object::File) -> usize {
    let name = "rt_dma_port_heap_alloc";
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name)).expect("the port's function");
    (crate::port::rt_dma_port_heap_alloc as *const () as usize).wrapping_sub(symbol.address() as usize)
}

fn find() -> Vec<Static> {
    let bytes = std::fs::read("/proc/self/exe").expect("the program's own file");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let offset = load_offset(&file);
    let is_data = |symbol: &object::Symbol| {
        let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
        let is_writable = |kind| matches!(kind, SectionKind::Data | SectionKind::UninitializedData);
        section.is_some_and(|section| is_writable(section.kind()) && !section.name().is_ok_and(is_relocated))
    };
    let is_ours =
        |name: &str| name.contains("rt_dma_pool") && !name.contains("rt_dma_pool_fuzz") && !name.starts_with("__");
    let symbols = file.symbols().filter(|symbol| symbol.size() != 0 && symbol.name().is_ok_and(is_ours));
    let places = symbols.filter(is_data).map(|symbol| {
        let start = offset.wrapping_add(symbol.address() as usize);
        start..start + symbol.size() as usize
    });
    let statics: Vec<_> = places.map(|place| Static { first: read(&place), place }).collect();
    assert!(statics.len() > 5, "the program was linked without its symbols");
    statics
}

/// Constants with addresses, which the dynamic linker writes once.
fn is_relocated(section: &str) -> bool {
    section.starts_with(".data.rel.ro")
}

/// Copies bytes. AddressSanitizer does not see it: the size of a static in its symbol table includes what
/// AddressSanitizer adds.
///
/// # Safety
/// As `std::ptr::copy_nonoverlapping`.
unsafe fn copy(from: *const u8, to: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("rep movsb", inout("rsi") from => _, inout("rdi") to => _, inout("rcx") size => _);
    }
    // SAFETY: the caller's promise.
    #[cfg(not(target_arch = "x86_64"))]
    unsafe {
        std::ptr::copy_nonoverlapping(from, to, size);
    }
}

fn read(place: &Range<usize>) -> Vec<u8> {
    let mut bytes = vec![0; place.len()];
    // SAFETY: the symbol table states that a static lies there; no call of the library runs.
    unsafe { copy(place.start as *const u8, bytes.as_mut_ptr(), bytes.len()) };
    bytes
}

/// Notes the first values. To be called before the first call of the library.
pub fn note() {
    STATICS.get_or_init(find);
}

/// Gives every static its first value.
pub fn reset() {
    for Static { place, first } in STATICS.get_or_init(find) {
        // SAFETY: as in `read`.
        unsafe { copy(first.as_ptr(), place.start as *mut u8, first.len()) };
    }
}

/// Returns the words of every static.
pub fn words() -> Vec<usize> {
    const SIZE: usize = size_of::<usize>();
    let statics = STATICS.get_or_init(find).iter().filter(|known| known.place.start.is_multiple_of(SIZE));
    let word = |bytes: &[u8]| usize::from_ne_bytes(bytes.try_into().expect("a word"));
    statics.flat_map(|known| read(&known.place).chunks_exact(SIZE).map(word).collect::<Vec<_>>()).collect()
}
