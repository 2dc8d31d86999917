//! Installing pools: one caller at a time puts them into the list, and then, without that right, maps and announces them.

use core::cell::Cell;

use crate::abi::rt_list_t;
use crate::dropin::pool::{FirstOwner, NewPool, Pool, Region, reachable_end};
use crate::dropin::registry::Dma;
use crate::error::Error;
use crate::flags::Flags;
use crate::kernel::{Kernel, Pa};
use crate::log::Name;
use crate::mem::atomics::Ordering::{Relaxed, Release};
use crate::mem::turn::TurnGuard;

/// The right to install pools, which one caller at a time has. What it installs is mapped and announced when it ends,
/// without it.
pub(crate) struct Installer<'a, K: Kernel> {
    // Dropped in this order: first the turn ends.
    _turn: TurnGuard<'a, K>,
    installed: Installed<K>,
}

/// The pools that an installer put into the list: at most two. Dropped, it does the rest for them, which may write text.
struct Installed<K: Kernel>([Cell<Option<&'static Pool<K>>>; 2]);

impl<K: Kernel> Installed<K> {
    fn add(&self, pool: &'static Pool<K>) {
        let free = self.0.iter().find(|place| place.get().is_none());
        debug_assert!(free.is_some(), "a call installs at most two pools");
        if let Some(place) = free {
            place.set(Some(pool));
        }
    }
}

impl<K: Kernel> Drop for Installed<K> {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.iter().filter_map(Cell::get).for_each(Pool::finish_install);
    }
}

impl<K: Kernel> Dma<K> {
    /// Makes `region` a pool at the end of the list, linearly mapped where that can be; one line in the log states what
    /// became of it. Context: thread.
    pub fn install(&self, region: &Region) -> Result<&'static Pool<K>, Error> {
        let region = &Region { end: reachable_end(region.start, region.end), ..*region };
        let add = |installer: Installer<K>| {
            self.add_pool(&installer, region, Flags::empty(), FirstOwner::NONE, None)?;
            // It is there now, and nothing else is.
            self.covering(region.start, region.end).ok_or(Error::Context)
        };
        let result = self.installer().ok_or(Error::Context).and_then(add);
        if let Err(error) = result {
            self.refuse_install(error, region.name, region.start, region.end);
        }
        result
    }

    /// Refuses the install of `[start, end)`. Context: any.
    #[inline(always)]
    pub(crate) fn refuse_install(&self, error: Error, name: Name, start: Pa, end: Pa) {
        self.refuse(error, name, 0, start, end);
    }

    /// Waits for the right to install pools. Context: thread.
    #[inline(always)]
    pub(crate) fn installer(&self) -> Option<Installer<'_, K>> {
        let installed = Installed([const { Cell::new(None) }; 2]);
        Some(Installer { _turn: self.installing.take(self.kernel)?, installed })
    }

    /// Makes `region` a pool, and `before`, if there is one, another in front of it: both or none. Context: thread.
    #[inline(never)]
    pub(crate) fn add_pool(
        &self,
        installer: &Installer<K>,
        region: &Region,
        flags: Flags,
        owner: FirstOwner,
        before: Option<&Region>,
    ) -> Result<(), Error> {
        let pool = self.new_pool(installer, region, flags, owner)?;
        if let Some(before) = before {
            self.add_pool(installer, before, flags, owner, None)?;
        }
        self.link(installer, pool);
        Ok(())
    }

    /// A pool over `region`, which no other covers yet. Context: thread.
    #[inline(always)]
    pub(crate) fn new_pool(
        &self,
        _: &Installer<K>,
        region: &Region,
        flags: Flags,
        owner: FirstOwner,
    ) -> Result<NewPool<K>, Error> {
        let pages = region.pages().ok_or(Error::BadSize)?;
        if let Some(pool) = self.covering(region.start, region.end) {
            return Err(if pool.is_leaving() { Error::Leaving } else { Error::Overlap });
        }
        if let Some(revival) = self.revival.get()
            && let Some(pool) = (revival.revive)(self, region, pages, flags, owner)
        {
            return Ok(NewPool::Kept(pool));
        }
        Pool::new(self.kernel, region, pages, flags, owner).map(NewPool::Made).ok_or(Error::NoMemory)
    }

    /// Puts a pool into the list: a new one at the end, a kept one where it was. It is mapped linearly, if it may be, when the
    /// installer ends. Context: thread.
    #[inline(always)]
    pub(crate) fn link(&self, installer: &Installer<K>, pool: NewPool<K>) {
        let (pool, revival) = match pool {
            NewPool::Made(pool) => {
                let pool = pool.keep();
                pool.set_order(self.linked.fetch_add(1, Relaxed));
                (pool, None)
            }
            NewPool::Kept(pool) => (pool, self.revival.get()),
        };
        installer.installed.add(pool);
        self.span.add(pool.start(), pool.end());
        let (before, after) = self.neighbours(pool.order());
        let mut reference = &self.first;
        while let Some(earlier) = reference.get()
            && earlier.order() < pool.order()
        {
            reference = &earlier.next;
        }
        // C may walk the list of links on another core, or in an interrupt.
        critical_section::with(|_| {
            let link = &pool.public.list;
            link.next.store(core::ptr::from_ref(after).cast_mut(), Relaxed);
            link.prev.store(core::ptr::from_ref(before).cast_mut(), Relaxed);
            after.prev.store(core::ptr::from_ref(link).cast_mut(), Release);
            before.next.store(core::ptr::from_ref(link).cast_mut(), Release);
            // A caller that is at a kept pool since before it left the list goes on to the pools that it has not seen.
            pool.next.set(reference.get());
            reference.set(Some(pool));
        });
        if let Some(revival) = revival {
            (revival.reopen)(self, pool);
        }
    }

    /// Returns the links in C's list before and after the place of the pool with number `order`. Pools that are leaving are not in
    /// that list. The caller excludes others that install or uninstall pools.
    pub(crate) fn neighbours(&self, order: usize) -> (&rt_list_t, &rt_list_t) {
        let (mut before, mut after) = (&self.head, &self.head);
        for pool in self.pools().filter(|pool| !pool.is_leaving()) {
            if pool.order() < order {
                before = &pool.public.list;
            } else if pool.order() > order {
                after = &pool.public.list;
                break;
            }
        }
        (before, after)
    }
}
