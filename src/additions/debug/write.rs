//! Writes the lines that wait.

use super::Watch;
use super::reports::{ALWAYS_WRITTEN, Report};
use crate::kernel::Kernel;
use crate::log::{Level, Line, Name};
use crate::mem::atomics::Ordering::{Acquire, Release};
use crate::text::text;

impl<K: Kernel> Watch<K> {
    /// Writes the lines that wait, if the caller may sleep and no other thread does so.
    pub(super) fn write_lines(&'static self) {
        let kernel = self.kernel;
        // After the last line another one may have come, whose caller saw that lines are being written.
        while kernel.can_sleep()
            && self.state.lock(kernel).reports.are_waiting()
            && !self.is_writing.swap(true, Acquire)
        {
            while let Some(report) = self.next_report() {
                self.write(&report);
            }
            let dropped = self.state.lock(kernel).reports.take_dropped();
            if dropped != 0 {
                let text = text!("%lu lines of the debug mode were lost: list_dma_debug has the counts", dropped);
                kernel.log(Level::Warning, &Line::about(Name::NONE, text));
            }
            self.is_writing.store(false, Release);
        }
    }

    /// Takes out the oldest line that waits. The lock is released before the line is written.
    fn next_report(&self) -> Option<Report> {
        self.state.lock(self.kernel).reports.next()
    }

    /// Writes a line; and if the caller made the mistake often, how often.
    fn write(&'static self, report: &Report) {
        let (kernel, name) = (self.kernel, self.names.get(report.name_index));
        let level = if report.finding.is_mistake() { Level::Error } else { Level::Warning };
        let log = |text| kernel.log(level, &Line { device: report.device.address(), ..Line::about(name, text) });
        log(report.finding.text(&report.values));
        if report.times > ALWAYS_WRITTEN {
            log(text!("%lu times: %s; caller 0x%lx", report.times, report.finding.label(), report.values.caller));
        }
    }
}
