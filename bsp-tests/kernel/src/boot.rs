//! The device tree and the boot arguments, which the firmware passes to the kernel.

use core::sync::atomic::{AtomicUsize, Ordering::*};

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};

use crate::arch;

static FDT: AtomicUsize = AtomicUsize::new(0);
static FDT_SIZE: AtomicUsize = AtomicUsize::new(0);
static CMA: AtomicUsize = AtomicUsize::new(0);
static COHERENT: AtomicUsize = AtomicUsize::new(0);

const DEFAULT_CMA: usize = 8 << 20;
const DEFAULT_COHERENT: usize = 2 << 20;

/// Finds the device tree: at the address in the boot register, or else at the start of RAM.
pub fn init(boot_register: usize) {
    const MAGIC: u32 = 0xd00d_feed;
    let candidates = [boot_register, arch::RAM_START];
    let found = candidates.into_iter().filter(|&at| at >= arch::RAM_START && at % 8 == 0).find(|&at| {
        // SAFETY: the address is aligned and lies in RAM, and every bit pattern is a u32.
        u32::from_be(unsafe { (at as *const u32).read() }) == MAGIC
    });
    let at = found.expect("a device tree");
    // SAFETY: the magic number is there, and the parser checks the rest.
    let fdt = unsafe { Fdt::from_raw(at as *const u8) }.expect("a valid device tree");
    FDT.store(at, SeqCst);
    FDT_SIZE.store(fdt.data().len(), SeqCst);
    CMA.store(size_argument("cma").unwrap_or(DEFAULT_CMA), SeqCst);
    COHERENT.store(size_argument("coherent_pool").unwrap_or(DEFAULT_COHERENT), SeqCst);
}

/// Returns the boot argument `cma=`, in bytes.
pub fn cma_size() -> usize {
    CMA.load(SeqCst)
}

/// Returns the boot argument `coherent_pool=`, in bytes.
pub fn coherent_size() -> usize {
    COHERENT.load(SeqCst)
}

/// Returns the address of the device tree's first byte, and its length.
pub fn fdt_extent() -> (usize, usize) {
    (FDT.load(SeqCst), FDT_SIZE.load(SeqCst))
}

fn fdt() -> Fdt<'static> {
    // SAFETY: `init` checked the blob. Its memory is reserved, so that nothing writes to it.
    unsafe { Fdt::from_raw_unchecked(FDT.load(SeqCst) as *const u8) }
}

/// Returns the start and the end of the first block of RAM.
pub fn memory() -> (u64, u64) {
    let memory = fdt().memory().expect("a memory node");
    let reg = memory.reg().ok().flatten().and_then(|mut regs| regs.next()).expect("a memory node with reg");
    let start: u64 = reg.address().unwrap();
    let size: u64 = reg.size().unwrap();
    (start, start + size)
}

/// Returns a size from the boot arguments, such as `cma=8M`.
fn size_argument(name: &str) -> Option<usize> {
    let chosen = fdt().chosen()?;
    let arguments = chosen.bootargs().ok()??;
    let value = arguments.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    let (digits, shift) = match value.as_bytes().last()?.to_ascii_uppercase() {
        b'K' => (&value[..value.len() - 1], 10),
        b'M' => (&value[..value.len() - 1], 20),
        b'G' => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    Some(digits.parse::<usize>().ok()? << shift)
}

/// Returns the first node with that compatible string.
pub fn node(compatible: &str) -> Option<FdtNode<'static>> {
    find(fdt().root(), compatible)
}

fn find<'a>(node: FdtNode<'a>, compatible: &str) -> Option<FdtNode<'a>> {
    if node.compatible().is_some_and(|mut names| names.any(|name| name == compatible)) {
        return Some(node);
    }
    node.children().find_map(|child| find(child, compatible))
}

/// Returns whether the first node with that compatible string has the property.
pub fn has_property(compatible: &str, property: &str) -> bool {
    node(compatible).is_some_and(|node| node.property(property).is_some())
}

/// Returns `reg[index]` of the first node with that compatible string: start and size.
pub fn reg(compatible: &str, index: usize) -> Option<(u64, u64)> {
    let node = node(compatible)?;
    let reg = node.reg().ok()??.nth(index)?;
    Some((reg.address().ok()?, reg.size().ok()?))
}

/// Returns the PCI host's window for 32-bit memory space: start as the processor sees it, and size.
pub fn pci_window() -> Option<(u64, u64)> {
    const SPACE: u32 = 3 << 24;
    const MEMORY_32: u32 = 2 << 24;
    let node = node("pci-host-ecam-generic")?;
    let ranges = node.property("ranges")?;
    // The child address has three cells, of which the first holds the space. Parent address and size have two each.
    let mut windows = ranges.as_prop_encoded_array([1, 2, 2, 2]).ok()?;
    windows.find_map(|[space, _, cpu, size]| {
        let space: u32 = dtoolkit::ToCellInt::to_int(space).ok()?;
        let cpu: u64 = dtoolkit::ToCellInt::to_int(cpu).ok()?;
        let size: u64 = dtoolkit::ToCellInt::to_int(size).ok()?;
        (space & SPACE == MEMORY_32).then_some((cpu, size))
    })
}
