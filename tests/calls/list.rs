//! Tests `list_dma_pool`.

use crate::fake_kernel::*;
use rt_dma_pool::dropin::map_ops::MapOps;
use rt_dma_pool::flags::Flags;
use rt_dma_pool::kernel::NamedRegion;
use std::path::Path;
use std::process::Command;

#[test]
fn a_list_without_pools_has_a_header_and_a_count() {
    let lines = Machine::new().list();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(lines[1], "0 DMA memory found");
}

#[test]
fn a_line_has_name_range_size_use_longest_run_peak_failures_and_flags() {
    let machine = Machine::new();
    machine.install(c"pool", START, MIB);
    let region = NamedRegion { is_no_map: true, ..named_region(START + 8 * MIB, 2 * MIB) };
    let device = machine.device(DeviceInfo::with_regions(&[region]).named(c"dsp"));
    machine.ops_of(device);
    let plain = machine.plain_device();
    let held: Vec<_> = (0..4).map(|_| machine.alloc(plain, 16 * KIB, Flags::empty()).unwrap()).collect();
    machine.free(held[1]).unwrap();
    let large = machine.alloc(plain, 920 * KIB, Flags::empty()).unwrap();
    let last = machine.alloc(plain, 16 * KIB, Flags::empty()).unwrap();
    assert_eq!(last.handle, held[1].handle);
    machine.free(large).unwrap();
    machine.free(last).unwrap();
    machine.alloc(plain, 920 * KIB, Flags::empty()).unwrap();

    let lines = machine.list();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let words: Vec<_> = lines[1].split_whitespace().collect();
    // 1,024 KiB, of which 3 * 16 + 920 KiB are in use, and were 4 * 16 + 920 KiB. The hole of 16 KiB is shorter than
    // the run of 40 KiB at the end.
    let expected = ["pool", "[0x40000000,", "0x40100000]", "1024", "968", "40", "984", "0", "linear", "32bits"];
    assert_eq!(words, expected);
    let words: Vec<_> = lines[2].split_whitespace().collect();
    let expected =
        ["dsp", "[0x40800000,", "0x40a00000]", "2048", "0", "2048", "0", "0", "32bits", "nocache", "device", "nomap"];
    assert_eq!(words, expected);
    assert_eq!(lines[3], "2 DMA memory found");
}

#[test]
fn refused_calls_show_once_there_are_any() {
    let (machine, _) = Machine::with_pool(c"pool", START, MIB);
    assert!(!machine.list().iter().any(|line| line.contains("refused")));
    let device = machine.plain_device();
    machine.dma.free(device, PAGE, 0x1234, 0, Flags::empty(), MapOps::Coherent).unwrap_err();
    let lines = machine.list();
    assert!(lines.iter().any(|line| line.contains("1 calls refused")), "{lines:#?}");
    assert_eq!(lines.last().unwrap(), "1 DMA memory found");
}

#[test]
fn a_line_has_room_for_all_flags() {
    let (machine, pool) = Machine::with_pool(c"a-name-of-more-than-sixteen-characters", START, MIB);
    pool.add_flags(Flags::all());
    let lines = machine.list();
    assert!(lines[1].starts_with("a-name-of-more-than-sixteen-characters ["), "{}", lines[1]);
    assert!(lines[1].ends_with(" linear 32bits nocache device nomap"), "{}", lines[1]);
}

#[test]
fn requests_that_fail_are_counted_in_the_pools_that_could_have_served_them() {
    let machine = Machine::new();
    let [first, second] =
        [(START, c"first"), (START + MIB, c"second")].map(|(start, name)| machine.install(name, start, MIB));
    let owner = machine.device(DeviceInfo::with_regions(&[named_region(START + 8 * MIB, 64 * KIB)]));
    machine.ops_of(owner);
    let region = machine.dma.pools().last().unwrap();
    let plain = machine.plain_device();
    let failures = || [first, second, region].map(|pool| (pool.failures().count, pool.failures().largest));

    // The second pool serves what the first one cannot: no request failed.
    let held = [(); 2].map(|()| machine.alloc(plain, 600 * KIB, Flags::empty()).unwrap());
    assert_eq!(failures(), [(0, 0); 3]);
    for size in [500 * KIB, 900 * KIB, 500 * KIB] {
        assert_eq!(machine.alloc(plain, size, Flags::empty()), None);
    }
    assert_eq!(failures(), [(3, 900 * KIB), (3, 900 * KIB), (0, 0)]);
    assert_eq!(machine.alloc(owner, 2 * MIB, Flags::empty()), None);
    assert_eq!(failures(), [(4, 2 * MIB), (4, 2 * MIB), (1, 2 * MIB)]);
    // A request of a kind that no pool has is no pool's failure.
    assert_eq!(machine.alloc(plain, PAGE, Flags::NOMAP), None);
    assert_eq!(failures()[0], (4, 2 * MIB));

    held.into_iter().for_each(|held| machine.free(held).unwrap());
    assert_eq!([first, second, region].map(|pool| pool.peak()), [600 * KIB, 600 * KIB, 0]);
    let lines = machine.list();
    let words: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(words[3..8], ["1024", "0", "1024", "600", "4"], "{lines:#?}");
}

#[test]
fn the_sizing_program_reads_the_peak() {
    let (machine, _) = Machine::with_pool(c"cma", START, MIB);
    let device = machine.plain_device();
    let held = [(); 3].map(|()| machine.alloc(device, 64 * KIB, Flags::empty()).unwrap());
    held.into_iter().for_each(|held| machine.free(held).unwrap());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("list_dma_pool.txt");
    std::fs::write(&file, machine.list().join("\n")).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/bsp-tests/sizing");
    let run = Command::new("python3").arg(program).arg("list").arg(&file).args(["--largest", "64k"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("cma: 192 KiB") && text.contains("at most in use"), "{text}");
}
