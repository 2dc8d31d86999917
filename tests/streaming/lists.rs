//! Lists of buffers that are mapped, synced and unmapped as a whole.

use crate::fake_kernel::*;
use crate::rig::*;
use rt_dma_pool::additions::streaming::{Direction::*, MapError, Segment};

struct Piece {
    va: usize,
    size: usize,
    handle: usize,
}

impl Segment for Piece {
    fn va(&self) -> usize {
        self.va
    }
    fn size(&self) -> usize {
        self.size
    }
    fn handle(&self) -> usize {
        self.handle
    }
    fn set_handle(&mut self, handle: usize) {
        self.handle = handle;
    }
}

fn list(rig: &Rig) -> Vec<Piece> {
    let places = [(HEAP, PAGE), (HEAP + 2 * PAGE + 3, 77), (HIGH_HEAP, 2 * PAGE), (HIGH_HEAP + 5 * PAGE + 1, 1)];
    places.map(|(pa, size)| Piece { va: rig.va(pa), size, handle: 0 }).into()
}

#[test]
fn a_list_is_mapped_synced_and_unmapped_as_a_whole() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let mut list = list(&rig);
    list.iter().for_each(|piece| rig.machine.cpu_write(piece.va, &bytes(1, piece.size)));
    rig.map_list(&master, &mut list, Bidirectional).unwrap();
    for piece in &list {
        assert!(piece.handle + piece.size - 1 <= LOW_MASK);
        assert_eq!(rig.device_read(&master, piece.handle, piece.size), bytes(1, piece.size));
        rig.device_write(&master, piece.handle, &bytes(2, piece.size));
    }
    rig.sync_list_for_cpu(&master, &list, Bidirectional);
    for piece in &list {
        assert_eq!(rig.machine.cpu_read(piece.va, piece.size), bytes(2, piece.size));
        rig.machine.cpu_write(piece.va, &bytes(3, piece.size));
    }
    rig.sync_list_for_device(&master, &list, Bidirectional);
    list.iter().for_each(|piece| assert_eq!(rig.device_read(&master, piece.handle, piece.size), bytes(3, piece.size)));
    rig.unmap_list(&master, &list, Bidirectional);
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

#[test]
fn a_list_of_which_one_cannot_be_mapped_is_not_mapped() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    for broken in 0..4 {
        let mut list = list(&rig);
        list[broken].va = 8;
        assert_eq!(rig.map_list(&master, &mut list, FromDevice), Err(MapError::NotMapped));
        assert!(list.iter().all(|piece| piece.handle == usize::MAX));
        assert_eq!(rig.used_bytes(), 0);
        rig.assert_errors(1);
    }
    assert_eq!(rig.map_list(&master, &mut [] as &mut [Piece], FromDevice), Err(MapError::Invalid));
    rig.assert_errors(1);
}

/// The driver looks at every buffer of a list, and gives the list back while the device writes.
#[test]
fn fault_11_a_list_that_is_polled_keeps_what_the_device_wrote() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let mut list = list(&rig);
    rig.map_list(&master, &mut list, FromDevice).unwrap();
    rig.sync_list_for_cpu(&master, &list, FromDevice);
    list.iter().for_each(|piece| rig.device_write(&master, piece.handle, &bytes(2, piece.size)));
    rig.sync_list_for_device(&master, &list, FromDevice);
    rig.unmap_list(&master, &list, FromDevice);
    list.iter().for_each(|piece| assert!(rig.machine.cpu_read(piece.va, piece.size) == bytes(2, piece.size)));
    assert_eq!(rig.used_bytes(), 0);
    rig.assert_errors(0);
}

/// A driver that shortened its entries, or emptied one, before it unmaps the list.
#[test]
fn fault_12_a_list_whose_lengths_changed_is_unmapped_as_it_was_mapped() {
    let rig = Rig::new();
    let master = rig.master(rig.machine.plain_device(), LOW_MASK);
    let mut list = list(&rig);
    // All of them bounced.
    list[0].va += 1;
    let sizes: Vec<_> = list.iter().map(|piece| piece.size).collect();
    rig.map_list(&master, &mut list, FromDevice).unwrap();
    list.iter().for_each(|piece| rig.device_write(&master, piece.handle, &bytes(2, piece.size)));
    list.iter_mut().for_each(|piece| piece.size /= 2);
    // What has no bytes left is nothing to sync.
    assert_eq!(list[3].size, 0);
    rig.sync_list_for_cpu(&master, &list, FromDevice);
    rig.assert_errors(0);
    rig.unmap_list(&master, &list, FromDevice);
    rig.assert_errors(4);
    for (piece, size) in list.iter().zip(sizes) {
        assert!(rig.machine.cpu_read(piece.va, size) == bytes(2, size));
    }
    assert_eq!(rig.used_bytes(), 0);
}
