//! Cache maintenance, and what devices read and write.

use super::{LOW_PAGES, Memory, PAGE, PAGES, pa_of, page_of};

impl Memory {
    /// Returns the line that contains the byte at `offset` of the files.
    fn line(&self, offset: usize) -> std::ops::Range<usize> {
        let size = if (offset / 1024).is_multiple_of(2) { 64 } else { self.largest_line };
        let start = offset & !(size - 1);
        start..start + size
    }

    /// Calls `change` with RAM's, the cache's and the clean copy of each line of a range of physical memory.
    fn each_line(&self, pa: usize, size: usize, mut change: impl FnMut(&mut [u8], &mut [u8], &mut [u8])) {
        let first = page_of(pa).unwrap_or_else(|| panic!("cache maintenance at {pa:#x}, which is no RAM"));
        let offset = first * PAGE + pa % PAGE;
        let end = offset + size;
        assert!(end <= PAGES * PAGE && (first >= LOW_PAGES || end <= LOW_PAGES * PAGE), "beyond the end of RAM");
        let mut at = offset;
        while at < end {
            let line = self.line(at);
            // SAFETY: the line lies in each of the three mappings, which do not overlap; no reference to them is kept.
            let [ram, cache, clean] = [self.ram, self.cache, self.clean]
                .map(|base| unsafe { std::slice::from_raw_parts_mut((base + line.start) as *mut u8, line.len()) });
            change(ram, cache, clean);
            at = line.end;
        }
    }

    /// Writes dirty lines back. The lines are read again, unless the cache keeps them.
    pub fn flush(&self, pa: usize, size: usize, keeps: bool) {
        self.each_line(pa, size, |ram, cache, clean| {
            if cache != clean {
                ram.copy_from_slice(cache);
            } else if keeps {
                return;
            } else {
                cache.copy_from_slice(ram);
            }
            clean.copy_from_slice(cache);
        });
    }

    /// Drops lines, which are read again.
    pub fn invalidate(&self, pa: usize, size: usize) {
        self.each_line(pa, size, |ram, cache, clean| {
            cache.copy_from_slice(ram);
            clean.copy_from_slice(ram);
        });
    }

    /// Checks that no line is dirty, and reads all again.
    pub fn assert_clean(&self, pa: usize, size: usize) {
        self.each_line(pa, size, |ram, cache, clean| {
            assert!(cache == clean, "a line of uncached memory is dirty: it may be written over a device's data");
            cache.copy_from_slice(ram);
            clean.copy_from_slice(ram);
        });
    }

    /// Reads clean lines again, as the processor may at any moment.
    pub fn refresh(&self, pa: usize, size: usize) {
        // SAFETY: RAM and the cache are this object's own mappings of equal length.
        let bytes =
            |base| unsafe { std::slice::from_raw_parts((base + self.bus(pa, size) - self.ram) as *const u8, size) };
        if bytes(self.ram) == bytes(self.cache) {
            return;
        }
        self.each_line(pa, size, |ram, cache, clean| {
            if cache == clean {
                cache.copy_from_slice(ram);
                clean.copy_from_slice(ram);
            }
        });
    }

    /// Writes all dirty lines of the pages back, as the processor may at any moment.
    pub fn evict(&self, page: usize, pages: usize) {
        self.flush(pa_of(page), pages * PAGE, false);
    }

    fn bus(&self, pa: usize, size: usize) -> usize {
        let page = page_of(pa)
            .filter(|page| page_of(pa + size.max(1) - 1) == Some(page + (pa % PAGE + size.max(1) - 1) / PAGE));
        self.ram
            + page.unwrap_or_else(|| panic!("a device reaches {size} bytes at {pa:#x}, which are no RAM")) * PAGE
            + pa % PAGE
    }

    /// Returns what a device reads.
    pub fn device_read(&self, pa: usize, size: usize, snoops: bool) -> Vec<u8> {
        if snoops {
            self.flush(pa, size, false);
        }
        // SAFETY: the bytes lie in the mapping of RAM.
        unsafe { std::slice::from_raw_parts(self.bus(pa, size) as *const u8, size) }.to_vec()
    }

    /// Writes as a device does.
    pub fn device_write(&self, pa: usize, bytes: &[u8], snoops: bool) {
        if snoops {
            self.flush(pa, bytes.len(), false);
        }
        let to = self.bus(pa, bytes.len()) as *mut u8;
        // SAFETY: the bytes at `to` lie in the mapping of RAM.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        if snoops {
            self.invalidate(pa, bytes.len());
        }
    }
}
