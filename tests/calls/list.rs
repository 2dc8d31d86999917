//! Tests `list_dma_pool`.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::translate::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::NamedRegion;

const BASE: usize = LOW.start;

#[test]
fn no_pools_are_a_header_and_a_count() {
    let lines = Machine::new().list();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(lines[1], "0 DMA memory found");
}

#[test]
fn a_line_has_name_range_size_use_longest_run_and_flags() {
    let machine = Machine::new();
    machine.install(c"pool", BASE, MIB);
    let region = NamedRegion { no_map: true, ..named_region(BASE + 8 * MIB, 2 * MIB) };
    let device = machine.device(DeviceInfo::naming(&[region]).named(c"dsp"));
    machine.ops(device);
    let plain = machine.plain_device();
    let held: Vec<_> = (0..4).map(|_| machine.alloc(plain, 16 * KIB, Flags::empty()).unwrap()).collect();
    machine.free(held[1]).unwrap();
    machine.alloc(plain, 920 * KIB, Flags::empty()).unwrap();

    let lines = machine.list();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let words: Vec<_> = lines[1].split_whitespace().collect();
    // 1,024 KiB, of which 3 * 16 + 920 KiB are in use. The hole of 16 KiB is shorter than the run of 40 KiB at the end.
    let expected = ["pool", "[0x40000000,", "0x40100000]", "1024", "968", "40", "linear", "32bits"];
    assert_eq!(words, expected);
    let words: Vec<_> = lines[2].split_whitespace().collect();
    let expected = ["dsp", "[0x40800000,", "0x40a00000]", "2048", "0", "2048", "32bits", "nocache", "device", "nomap"];
    assert_eq!(words, expected);
    assert_eq!(lines[3], "2 DMA memory found");
}

#[test]
fn refused_calls_show_once_there_are_any() {
    let (machine, _) = Machine::with_pool(c"pool", BASE, MIB);
    assert!(!machine.list().iter().any(|line| line.contains("refused")));
    let device = machine.plain_device();
    machine.dma.free(MapOps::Coherent, device, PAGE, 0x1234, 0, Flags::empty()).unwrap_err();
    let lines = machine.list();
    assert!(lines.iter().any(|line| line.contains("1 calls refused")), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "1 DMA memory found");
}

#[test]
fn all_flags_at_once_fit() {
    let (machine, pool) = Machine::with_pool(c"a-name-of-more-than-sixteen-characters", BASE, MIB);
    pool.add_flags(Flags::all());
    let lines = machine.list();
    assert!(lines[1].starts_with("a-name-of-more-than-sixteen-characters ["), "{}", lines[1]);
    assert!(lines[1].ends_with(" linear 32bits nocache device nomap"), "{}", lines[1]);
}
