//! [`Log`] over `LOG_E`, `LOG_W` and `rt_kprintf`.

use core::ffi::{CStr, c_int};

use super::{RtThread, rt_dma_port_log, rt_dma_port_log_reserved, rt_dma_port_print};
use crate::kernel::{Log, Pa};
use crate::log::{Level, Line, Name};

/// Returns argument `index` of a format; 0 after the last, which the format does not use.
fn argument(values: &[usize], index: usize) -> usize {
    values.get(index).copied().unwrap_or(0)
}

impl Log for RtThread {
    fn log(&self, level: Level, line: &Line) {
        let argument = |index| argument(line.values, index);
        // SAFETY: the arguments are those that the format uses (see `Line`).
        unsafe {
            rt_dma_port_log(
                level as c_int,
                line.name.as_ptr(),
                line.format.as_ptr(),
                argument(0),
                argument(1),
                argument(2),
                argument(3),
                line.device,
            )
        }
    }

    fn log_reserved(&self, start: Pa, name: Name, size: usize) {
        // SAFETY: the name is null or points to a C string, as `Name` guarantees.
        unsafe { rt_dma_port_log_reserved(start, name.as_ptr(), size) }
    }

    fn print(&self, format: &'static CStr, values: &[usize]) {
        let argument = |index| argument(values, index);
        // SAFETY: the arguments are those that the format uses.
        unsafe {
            rt_dma_port_print(
                format.as_ptr(),
                argument(0),
                argument(1),
                argument(2),
                argument(3),
                argument(4),
                argument(5),
            )
        }
    }
}
