//! What the processor does: loads and stores, and maintenance of the cache.

use super::{CacheCall, FakeKernel, Maintenance, PAGE, State, context};
use rt_dma_pool::kernel::{Cache as _, MemoryType, Va};

impl FakeKernel {
    /// Applies a cache operation to the lines of `[va, va + size)`, which must be mapped. The call is recorded with the
    /// physical address of the first byte.
    pub(super) fn maintain(&self, operation: Maintenance, va: Va, size: usize) {
        assert!(!context::locked(), "cache maintenance under a lock");
        let State { memory, cache, .. } = self.0;
        memory.assert_mapped(va, size);
        let mut cache = cache.lock().unwrap();
        let (pa, _) = memory.translate(va).expect("mapped");
        cache.calls.push(CacheCall { operation, pa, size });
        for (start, length) in by_page(va, size) {
            let (pa, _) = memory.translate(start).expect("mapped");
            cache.apply(memory, CacheCall { operation, pa, size: length });
        }
    }

    /// Reads as the processor does: through the cache if the mapping is cached.
    pub(super) fn load(&self, va: Va, size: usize) -> Vec<u8> {
        let State { memory, cache, .. } = self.0;
        memory.assert_mapped(va, size);
        let mut bytes = vec![0; size];
        for (start, length) in by_page(va, size) {
            let part = &mut bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, kind)) if self.is_cached(kind) => cache.lock().unwrap().read(memory, pa, part),
                _ => memory.read(start, part),
            }
        }
        bytes
    }

    /// Writes as the processor does: through the cache if the mapping is cached.
    pub(super) fn store(&self, va: Va, bytes: &[u8]) {
        let State { memory, cache, .. } = self.0;
        memory.assert_mapped(va, bytes.len());
        for (start, length) in by_page(va, bytes.len()) {
            let part = &bytes[start - va..][..length];
            match memory.translate(start) {
                Some((pa, MemoryType::Cached)) => cache.lock().unwrap().write(memory, pa, part),
                Some((pa, kind)) if self.is_cached(kind) => cache.lock().unwrap().write_through(memory, pa, part),
                _ => memory.write(start, part),
            }
        }
    }

    /// Returns whether the cache holds lines of memory of this type.
    fn is_cached(&self, kind: MemoryType) -> bool {
        match kind {
            MemoryType::Cached => true,
            MemoryType::Uncached => false,
            MemoryType::WriteThrough => self.caches_write_through(),
        }
    }
}

/// Returns the parts of `[va, va + size)`, page by page: where each begins, and its size.
fn by_page(va: Va, size: usize) -> impl Iterator<Item = (Va, usize)> {
    let end = va + size;
    let pages = va & !(PAGE - 1)..end;
    pages.step_by(PAGE).map(move |page| {
        let part = page.max(va);
        let part_end = (page + PAGE).min(end);
        (part, part_end - part)
    })
}
