//! Writes the lines that wait.

use super::Watch;
use super::reports::{FIRST, Report};
use crate::kernel::Kernel;
use crate::log::{Level, Line, Name};
use crate::mem::atomics::Ordering::{Acquire, Release};
use crate::text::apart;

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
                let text = apart!("%lu lines of the debug mode were lost: list_dma_debug has the counts");
                kernel.log(Level::Warning, &Line::about(Name::NONE, text, &[dropped]));
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
        let (arguments, count) = report.finding.arguments(&report.values);
        let line = |format, values| Line { device: report.device.address(), ..Line::about(name, format, values) };
        kernel.log(level, &line(report.finding.format(), arguments.get(..count).unwrap_or_default()));
        if report.times > FIRST {
            let values = [report.times, Name::of(report.finding.label()).argument(), report.values.caller];
            kernel.log(level, &line(apart!("%lu times: %s; caller 0x%lx"), &values));
        }
    }
}
