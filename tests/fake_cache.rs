//! Tests the model of a cache in `fake_kernel/cache.rs`, on which the tests of cache maintenance rely.

mod fake_kernel;

use fake_kernel::*;
use rt_dma_pool::kernel::{Cache, Va};

/// A machine with a cached page at `START`.
struct Rig {
    machine: Machine,
    /// The linear address of `START`.
    va: Va,
}

impl Rig {
    fn new() -> Self {
        let machine = Machine::new();
        machine.premap_linear(START, PAGE);
        let va = machine.linear_va(START);
        Rig { machine, va }
    }

    /// Returns the bytes of memory at `offset`, as a device sees them that does not snoop.
    fn memory(&self, offset: usize, size: usize) -> Vec<u8> {
        self.machine.device_read(START + offset, size)
    }

    /// Returns which of these lines are in the cache.
    fn cached<const N: usize>(&self, offsets: [usize; N]) -> [bool; N] {
        offsets.map(|offset| self.machine.has_cache_line(START + offset, 1))
    }
}

#[test]
fn a_dirty_line_reaches_memory_by_a_flush_only_and_keeps_flushed_decides_whether_it_stays() {
    for keeps in [false, true] {
        let rig = Rig::new();
        if keeps {
            rig.machine.keep_flushed_lines();
        }
        rig.machine.cpu_write(rig.va + LINE, &[1]);
        assert_eq!(rig.memory(LINE, 1), [0]);
        assert_eq!(rig.cached([0, LINE, 2 * LINE]), [false, true, false]);
        rig.machine.kernel.cache_flush(rig.va + 2 * LINE - 1, 1);
        assert_eq!(rig.memory(LINE, 1), [1], "the flushed byte is another one of the line");
        assert_eq!(rig.cached([LINE]), [keeps]);
        // A line that stays is clean: it is not written over what the device writes.
        rig.machine.device_write(START + LINE, &[2]);
        rig.machine.evict_cache();
        assert_eq!(rig.memory(LINE, 1), [2]);
    }
}

#[test]
fn a_line_stays_until_it_is_dropped_and_hides_what_a_device_writes() {
    let rig = Rig::new();
    rig.machine.keep_flushed_lines();
    assert_eq!(rig.machine.cpu_read(rig.va, 1), [0]);
    rig.machine.device_write(START, &[1]);
    rig.machine.kernel.cache_flush(rig.va, 1);
    assert_eq!(rig.machine.cpu_read(rig.va, 1), [0]);
    rig.machine.kernel.cache_flush_and_invalidate(rig.va, 1);
    assert_eq!(rig.machine.cpu_read(rig.va, 1), [1]);
}

#[test]
fn a_flush_with_invalidation_writes_dirty_lines_and_an_invalidation_loses_them() {
    let rig = Rig::new();
    rig.machine.keep_flushed_lines();
    for (value, invalidate_only, in_memory) in [(1, false, 1), (2, true, 1)] {
        rig.machine.cpu_write(rig.va, &[value]);
        rig.machine.cpu_write(rig.va + LINE, &[value]);
        if invalidate_only {
            // SAFETY: the cache is simulated; it contains no Rust values.
            unsafe { rig.machine.kernel.cache_invalidate(rig.va, LINE) };
        } else {
            rig.machine.kernel.cache_flush_and_invalidate(rig.va, LINE);
        }
        assert_eq!(rig.memory(0, 1), [in_memory]);
        assert_eq!(rig.cached([0, LINE]), [false, true], "the next line is not in the range");
        assert_eq!(rig.machine.cpu_read(rig.va, 1), [in_memory]);
    }
}

#[test]
fn an_eviction_empties_the_cache_and_writes_over_what_a_device_wrote_to_a_dirty_line() {
    let rig = Rig::new();
    rig.machine.cpu_write(rig.va, &[1]);
    rig.machine.cpu_read(rig.va + LINE, 1);
    rig.machine.device_write(START, &[2, 2]);
    rig.machine.device_write(START + LINE, &[2]);
    rig.machine.evict_cache();
    assert_eq!(rig.memory(0, 2), [1, 0], "a dirty line writes all its bytes");
    assert_eq!(rig.memory(LINE, 1), [2], "a clean line writes none");
    assert!(!rig.machine.has_cache_line(START, PAGE));
}

#[test]
fn a_device_that_snoops_sees_dirty_lines_and_its_write_is_seen() {
    let rig = Rig::new();
    rig.machine.cpu_write(rig.va, &[1, 1]);
    assert_eq!(rig.machine.snooping_read(START, 2), [1, 1]);
    assert_eq!(rig.cached([0]), [false]);
    rig.machine.cpu_write(rig.va, &[3, 3]);
    rig.machine.snooping_write(START, &[2]);
    assert_eq!(rig.machine.cpu_read(rig.va, 2), [2, 3]);
    assert!(rig.machine.take_cache_calls().is_empty(), "these are no operations of the processor");
}

/// From byte 1,024 of the page on, lines have the longer length; before it, the shorter one.
#[test]
fn lines_of_both_lengths_meet_at_a_border_and_an_access_across_it_takes_one_of_each() {
    let rig = Rig::new();
    rig.machine.set_largest_line(512);
    assert_eq!(rig.machine.kernel.cache_line_max(), 512);
    rig.machine.cpu_write(rig.va + 1023, &[1, 2]);
    let around = [1024 - LINE - 1, 1024 - LINE, 1024, 1024 + 511, 1024 + 512];
    assert_eq!(rig.cached(around), [false, true, true, true, false]);
    rig.machine.device_write(START + 1024 + 511, &[9]);
    rig.machine.kernel.cache_flush(rig.va + 1023, 2);
    assert_eq!(rig.memory(1023, 2), [1, 2]);
    assert_eq!(rig.memory(1024 + 511, 1), [0], "the last byte of the longer line was written too");
    // The kernel may report another length than the lines have.
    rig.machine.set_reported_line(96);
    assert_eq!(rig.machine.kernel.cache_line_max(), 96);
    rig.machine.cpu_write(rig.va + 1024, &[1]);
    assert_eq!(rig.cached(around), [false, false, true, true, false]);
}

#[test]
#[should_panic(expected = "a line of 96 bytes")]
fn a_length_that_is_no_power_of_two_cannot_be_set() {
    Machine::new().set_largest_line(96);
}
