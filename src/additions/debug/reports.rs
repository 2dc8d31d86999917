//! Which lines are written, and those that wait until a thread writes them.

use super::finding::{Finding, Values};
use crate::kernel::Device;

/// How many pairs of a mistake and a caller have counts of their own.
const MAX_SITES: usize = 64;
/// How many lines can wait.
const MAX_WAITING: usize = 32;
/// How many lines a caller gets for one mistake. After them, only those of the times 10, 100, 1000 and so on are
/// written.
pub const ALWAYS_WRITTEN: usize = 3;

/// A line.
#[derive(Clone, Copy)]
pub struct Report {
    /// What it is about.
    pub finding: Finding,
    /// The device.
    pub device: Device,
    /// The index of the device's name.
    pub name_index: usize,
    /// What it states.
    pub values: Values,
    /// How often this caller made the mistake.
    pub times: usize,
}

/// A caller that makes a mistake.
#[derive(Clone, Copy)]
struct Site {
    finding: Finding,
    caller: usize,
    times: usize,
}

/// The lines that wait, and how often each caller made each mistake.
pub struct Reports {
    sites: [Site; MAX_SITES],
    /// The mistakes of callers beyond the first [`MAX_SITES`].
    times_without_site: [usize; Finding::MISTAKES],
    /// The lines that wait, from `oldest` on; the first place follows the last.
    waiting: [Report; MAX_WAITING],
    oldest: usize,
    waiting_count: usize,
    /// The number of lines there was no room for.
    dropped: usize,
}

/// Returns whether a line is written when a mistake was made this often.
fn is_shown(times: usize) -> bool {
    let mut rest = times;
    while rest >= 10 && rest.is_multiple_of(10) {
        rest /= 10;
    }
    times <= ALWAYS_WRITTEN || rest == 1
}

impl Reports {
    /// No lines.
    pub const fn new() -> Self {
        // All zeros, so that a static takes no space in the image.
        let site = Site { finding: Finding::FreeSize, caller: 0, times: 0 };
        let report =
            Report { finding: Finding::FreeSize, device: Device::NONE, name_index: 0, values: Values::NONE, times: 0 };
        Reports {
            sites: [site; MAX_SITES],
            times_without_site: [0; Finding::MISTAKES],
            waiting: [report; MAX_WAITING],
            oldest: 0,
            waiting_count: 0,
            dropped: 0,
        }
    }

    /// Counts a mistake of the caller, and returns how often the caller has made it. All callers beyond the first
    /// [`MAX_SITES`] are counted together.
    fn count(&mut self, finding: Finding, caller: usize) -> usize {
        let is_its_or_unused = |site: &&mut Site| site.times == 0 || site.finding == finding && site.caller == caller;
        let times = match self.sites.iter_mut().find(is_its_or_unused) {
            Some(site) => {
                site.finding = finding;
                site.caller = caller;
                &mut site.times
            }
            None => match self.times_without_site.get_mut(finding as usize) {
                Some(times) => times,
                None => return 1,
            },
        };
        *times = times.saturating_add(1);
        *times
    }

    /// Adds a line, if it is to be written.
    pub fn add(&mut self, finding: Finding, device: Device, name_index: usize, values: Values) {
        let times = if finding.is_mistake() { self.count(finding, values.caller) } else { 1 };
        if !is_shown(times) {
            return;
        }
        let index = (self.oldest + self.waiting_count) % MAX_WAITING;
        match self.waiting.get_mut(index) {
            Some(free) if self.waiting_count < MAX_WAITING => {
                *free = Report { finding, device, name_index, values, times };
                self.waiting_count += 1;
            }
            _ => self.dropped += 1,
        }
    }

    /// Returns whether lines wait.
    pub fn are_waiting(&self) -> bool {
        self.waiting_count != 0 || self.dropped != 0
    }

    /// Takes the oldest line out.
    pub fn next(&mut self) -> Option<Report> {
        self.waiting_count = self.waiting_count.checked_sub(1)?;
        let report = *self.waiting.get(self.oldest)?;
        self.oldest = (self.oldest + 1) % MAX_WAITING;
        Some(report)
    }

    /// Returns how many lines there was no room for since the last call.
    pub fn take_dropped(&mut self) -> usize {
        core::mem::take(&mut self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(caller: usize) -> Values {
        Values { caller, ..Values::NONE }
    }

    #[test]
    fn a_caller_gets_three_lines_and_then_one_for_each_power_of_ten() {
        let shown: std::vec::Vec<_> = (1..=10_000).filter(|times| is_shown(*times)).collect();
        assert_eq!(shown, [1, 2, 3, 10, 100, 1000, 10_000]);
    }

    #[test]
    fn each_caller_is_limited_on_its_own() {
        let mut reports = Reports::new();
        for caller in [1, 2] {
            (0..9).for_each(|_| reports.add(Finding::FreeTwice, Device::at(8), 0, by(caller)));
        }
        let callers: std::vec::Vec<_> = core::iter::from_fn(|| reports.next()).map(|line| line.values.caller).collect();
        assert_eq!(callers, [1, 1, 1, 2, 2, 2]);
        assert!(!reports.are_waiting());
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut reports = Reports::new();
        (0..MAX_WAITING + 5).for_each(|caller| reports.add(Finding::Stack, Device::at(8), 0, by(caller)));
        assert_eq!(core::iter::from_fn(|| reports.next()).count(), MAX_WAITING);
        assert_eq!(reports.take_dropped(), 5);
        assert_eq!(reports.take_dropped(), 0);
    }
}
