//! Carving the boot pools out of reserved memory: how a region is split.
//!
//! memblock's list is only read. What counts as consumed is what an installed pool covers: the list must go on holding
//! those pages, because the page allocator takes whatever it does not hold.

use crate::flags::Flags;
use crate::kernel::{Entry, Kernel, Level, Line, Name, PAGE_SIZE, Pa, ReservedRegion};
use crate::pool::Region;
use crate::registry::{Dma, InstallError};

/// One past the highest address that 32 bits can name.
const FOUR_GIB: u64 = 1 << 32;

/// Entry `index` of a list of regions; `None` where there is no list at all.
type List<'a> = dyn Fn(usize) -> Option<Entry<ReservedRegion>> + 'a;

/// Why no pools were made. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExtractError {
    /// The sizes do not make sense: the coherent pool is larger than the whole, both are zero, or a pool would hold no
    /// whole page.
    BadSize,
    /// There is no list of regions.
    NoList,
    /// No region has room.
    NoRegion,
    /// The heap has no room for the bookkeeping.
    NoMemory,
}

impl<K: Kernel> Dma<K> {
    /// Takes `total` bytes from the first region of `list` that has room below 4 GiB, or else from one above: the lower
    /// `coherent` bytes become pool `coherent-pool`, the rest pool `cma`. Says what was taken. *Thread.*
    ///
    /// `list(index)` gives entry `index`, and `None` where there is no list at all.
    pub fn extract(
        &self,
        list: impl Fn(usize) -> Option<Entry<ReservedRegion>>,
        total: usize,
        coherent: usize,
    ) -> Result<(Pa, Pa), ExtractError> {
        self.extract_from(&list, total, coherent)
    }

    #[inline(never)]
    fn extract_from(&self, list: &List, total: usize, coherent: usize) -> Result<(Pa, Pa), ExtractError> {
        let result = self.try_extract(list, total, coherent);
        let format = match result {
            Ok(_) => return result,
            Err(ExtractError::BadSize) => c"%s: %lu bytes, %lu of them coherent: bad sizes",
            Err(ExtractError::NoList) => c"%s: %lu bytes, %lu of them coherent: no memblock",
            Err(ExtractError::NoRegion) => c"%s: %lu bytes, %lu of them coherent: no region has room",
            Err(ExtractError::NoMemory) => c"%s: %lu bytes, %lu of them coherent: out of memory",
        };
        let line = Line { format, name: Name::of(c"dma-pool"), values: [total, coherent, 0, 0, 0] };
        self.log(Level::Error, &line);
        result
    }

    fn try_extract(&self, list: &List, total: usize, coherent: usize) -> Result<(Pa, Pa), ExtractError> {
        if total < coherent || total == 0 {
            return Err(ExtractError::BadSize);
        }
        let installer = self.installer().map_err(|_| ExtractError::NoMemory)?;
        let start = self.room(list, total)?;
        let end = start + total;
        let low = Region { start, end: start + coherent, name: Name::of(c"coherent-pool") };
        let high = Region { start: low.end, end, name: Name::of(c"cma") };

        // Both are reserved before either is made: all or nothing.
        let reserve = |region: &Region| match region.end - region.start {
            0 => Ok(None),
            _ => installer.reserve(region).map(Some),
        };
        let memory = (reserve(&low)?, reserve(&high)?);
        for (region, memory) in [(low, memory.0), (high, memory.1)] {
            if let Some(memory) = memory {
                let pool = installer.link(memory, &region, Flags::empty(), None, true)?;
                self.log_reserved(&pool.region());
            }
        }
        Ok((start, end))
    }

    /// Where `total` bytes can be taken: the lowest that is left of the first region with room for them below 4 GiB;
    /// where none has, of the last one with room above, as the C original does.
    fn room(&self, list: &List, total: usize) -> Result<Pa, ExtractError> {
        let mut high = None;
        for index in 0.. {
            match list(index) {
                None => return Err(ExtractError::NoList),
                Some(Entry::End) => break,
                Some(Entry::Found(region)) if region.usable => match self.left_of(&region, total) {
                    Some(start) if start as u64 + total as u64 <= FOUR_GIB => return Ok(start),
                    Some(start) => high = Some(start),
                    None => {}
                },
                Some(_) => {}
            }
        }
        let start = high.ok_or(ExtractError::NoRegion)?;
        let format = c"%s: no room for %lu bytes below 4 GiB, taking 0x%lx";
        let line = Line { format, name: Name::of(c"dma-pool"), values: [total, start, 0, 0, 0] };
        self.log(Level::Warning, &line);
        Ok(start)
    }

    /// The lowest `total` bytes of `region` that no pool covers.
    fn left_of(&self, region: &ReservedRegion, total: usize) -> Option<Pa> {
        let mut start = region.start;
        loop {
            let end = start.checked_add(total)?;
            if end > region.end {
                return None;
            }
            match self.covering(start & !(PAGE_SIZE - 1), end) {
                Some(pool) => start = pool.region().end.max(pool.end()),
                None => return Some(start),
            }
        }
    }

    /// The boot line of a new pool.
    pub(crate) fn log_reserved(&self, region: &Region) {
        let size = region.end - region.start;
        let tenths = ((size % (1 << 20)) * 10) >> 20;
        let format = c"%s: Reserved %lu.%lu MiB at 0x%lx";
        let values = [size >> 20, tenths, region.start, 0, 0];
        self.log(Level::Info, &Line { format, name: region.name.shown(), values });
    }
}

impl From<InstallError> for ExtractError {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::Empty => ExtractError::BadSize,
            InstallError::Overlap => ExtractError::NoRegion,
            InstallError::NoMemory | InstallError::Context => ExtractError::NoMemory,
        }
    }
}
