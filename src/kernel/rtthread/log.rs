//! Text: [`Log`] over `LOG_E`, `LOG_W`, `LOG_I` and `rt_kprintf`, and the options of the command `list_dma_pool`.

use core::ffi::{c_char, c_int};

use super::RtThread;
use crate::kernel::Log;
use crate::log::{Level, Line};
use crate::text::Text;

/// Severity of a log line: an error (`LOG_E`).
pub const RT_DMA_PORT_LOG_ERROR: c_int = 0;
/// Severity of a log line: a warning (`LOG_W`).
pub const RT_DMA_PORT_LOG_WARNING: c_int = 1;
/// Severity of a log line: information (`LOG_I`).
pub const RT_DMA_PORT_LOG_INFO: c_int = 2;

// cbindgen accepts only literals. These are the values of the enum.
const _: () = assert!(
    RT_DMA_PORT_LOG_ERROR == Level::Error as c_int
        && RT_DMA_PORT_LOG_WARNING == Level::Warning as c_int
        && RT_DMA_PORT_LOG_INFO == Level::Info as c_int
);

unsafe extern "C" {
    /// @brief Writes a line to the log under the tag "dma.pool": `name`, a colon, and the formatted text. Where the
    /// caller may not sleep, it writes nothing.
    ///
    /// @param[in] level RT_DMA_PORT_LOG_ERROR, RT_DMA_PORT_LOG_WARNING or RT_DMA_PORT_LOG_INFO.
    /// @param[in] dev The address of the device that the line is about, or 0.
    /// @param[in] name The name. If it is null, the line begins with "device" and the address `dev`, or with "unnamed"
    ///        if `dev` is 0.
    /// @param[in] format A `printf` format with at most six conversions, each `%s`, `%lu` or `%lx`, perhaps with flags
    ///        and a width.
    /// @param[in] values Six words: the arguments of the format, and zeros after the last.
    ///
    /// @note Context: any.
    pub fn rt_dma_port_log(level: c_int, dev: usize, name: *const c_char, format: *const c_char, values: *const usize);

    /// @brief The shell command `list_dma_pool` with options: calls `rt_dma_list_pools` if the configuration has the
    /// options.
    ///
    /// @param[in] argc Number of arguments, the command included.
    /// @param[in] argv The arguments.
    /// @return The command's result.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_list_options(argc: c_int, argv: *mut *mut c_char) -> c_int;

    /// @brief Prints text to the shell (`rt_kprintf`).
    ///
    /// @param[in] format A `printf` format with at most six conversions, each `%s`, `%lu` or `%lx`, perhaps with flags
    ///        and a width.
    /// @param[in] values Six words: the arguments of the format, and zeros after the last.
    ///
    /// @note Context: thread.
    pub fn rt_dma_port_print(format: *const c_char, values: *const usize);
}

impl Log for RtThread {
    fn log(&self, level: Level, line: &Line) {
        let Line { name, device, text } = line;
        // SAFETY: the name is a null pointer or a C string, and the words are the arguments of the format (`Text`).
        unsafe {
            rt_dma_port_log(level as c_int, *device, name.as_ptr(), text.format().as_ptr(), text.words().as_ptr())
        }
    }

    fn print(&self, text: Text) {
        // SAFETY: the words are the arguments of the format (`Text`).
        unsafe { rt_dma_port_print(text.format().as_ptr(), text.words().as_ptr()) }
    }
}
