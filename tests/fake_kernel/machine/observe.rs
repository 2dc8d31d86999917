//! What the library and the kernel have done, and what is in use.

use super::{Balance, Machine};
use crate::fake_kernel::{CacheCall, FakeKernel, Mapped};
use rt_dma_pool::dropin::pool::Pool;
use rt_dma_pool::log::Level;
use std::sync::atomic::Ordering::Relaxed;

impl Machine {
    /// Returns the cache operations since the last call.
    pub fn take_cache_calls(&self) -> Vec<CacheCall> {
        std::mem::take(&mut self.kernel.0.cache.lock().unwrap().calls)
    }

    /// Returns the lines of one level since the last call.
    pub fn take_log(&self, level: Level) -> Vec<String> {
        let mut records = self.kernel.records();
        let (wanted, others) = std::mem::take(&mut records.log).into_iter().partition(|(of, _)| *of == level);
        records.log = others;
        wanted.into_iter().map(|(_, line): (Level, String)| line).collect()
    }

    /// Returns the error lines since the last call.
    pub fn take_errors(&self) -> Vec<String> {
        self.take_log(Level::Error)
    }

    /// Returns what `list_dma_pool` prints.
    pub fn list(&self) -> Vec<String> {
        self.dma.report();
        self.take_printed()
    }

    /// Returns the lines for the shell since the last call.
    pub fn take_printed(&self) -> Vec<String> {
        let text = std::mem::take(&mut self.kernel.records().printed);
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?} ends within a line");
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the number of device barriers.
    pub fn barrier_count(&self) -> usize {
        self.kernel.0.barrier_count.load(Relaxed)
    }

    /// Returns the number of mappings that the kernel made.
    pub fn map_count(&self) -> usize {
        self.kernel.0.map_count.load(Relaxed)
    }

    /// Returns the mappings outside the linear map: the library's, and those of [`Machine::map_pages`].
    pub fn mappings(&self) -> Vec<Mapped> {
        self.kernel.0.memory.mapped()
    }

    /// Returns what is in use now. Comparing two values shows whether the calls between them leaked something.
    pub fn balance(&self) -> Balance {
        let taken: usize = self.kernel.records().heap.values().sum();
        let heap_bytes = taken - self.dma.pools().map(|pool| pool.own_mappings.kept_bytes()).sum::<usize>();
        let used_bytes = self.dma.pools().map(|pool| pool.usage().used).sum();
        let mut mappings = self.mappings();
        mappings.sort_by_key(|mapped| (mapped.pa, mapped.size, mapped.memory as i32));
        Balance { heap_bytes, mappings, used_bytes }
    }

    /// Reads `pool->map` as C does: whether each page is in use.
    pub fn bitmap(&self, pool: &Pool<FakeKernel>) -> Vec<bool> {
        const BITS: usize = usize::BITS as usize;
        let words = pool.public.map.load(Relaxed) as usize;
        let word = |index: usize| usize::from_ne_bytes(self.peek_host(words + index * size_of::<usize>()));
        (0..pool.public.bits.load(Relaxed)).map(|page| (word(page / BITS) >> (page % BITS)) & 1 == 1).collect()
    }

    /// Returns how often the library translated an address.
    pub fn look_up_count(&self) -> usize {
        self.kernel.0.look_up_count.load(Relaxed)
    }

    /// Returns how often the library masked interrupts, which it does for each lock.
    pub fn irq_save_count(&self) -> usize {
        self.kernel.0.irq_save_count.load(Relaxed)
    }

    /// Returns for how many ticks the library waited.
    pub fn tick_count(&self) -> usize {
        self.kernel.0.tick_count.load(Relaxed)
    }
}
