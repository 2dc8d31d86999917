//! `rt_dma_list_pools`: the shell command `list_dma_pool` with options.

use core::ffi::{c_char, c_int};

use crate::ffi::DMA;
use crate::kernel::Log;
use crate::text::text;

/// @brief The shell command `list_dma_pool` with options.
///
/// `-v` prints how much of each pool is in use, the requests that failed, and how many buffers of each size there are.
/// `-m` prints a map of each pool with a character for each group of adjacent pages, in lines of 78 characters at most.
/// The options are handled in their order, each with a `-` of its own (not `-vm`). Any other argument prints how the
/// command is used, and ends the command. Without an argument nothing is printed.
///
/// The command calls this function if menuconfig selects `PKG_RT_DMA_POOL_USING_LIST_OPTIONS`.
///
/// @param[in] argc Number of arguments, the command included.
/// @param[in] argv The arguments.
/// @retval 0 All options were handled.
/// @retval -1 An argument is no such option, or the caller may not sleep. The latter is counted.
/// @note Context: thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rt_dma_list_pools(argc: c_int, argv: *mut *mut c_char) -> c_int {
    if !DMA.may_sleep_or_count() {
        return -1;
    }
    for index in 1..argc {
        // SAFETY: the caller guarantees that `argv` has `argc` C strings.
        match unsafe { option(*argv.add(index as usize)) } {
            Some(b'v') => DMA.print_details(),
            Some(b'm') => DMA.print_page_maps(),
            _ => {
                DMA.kernel.print(text!("usage: list_dma_pool [-v] [-m]\n"));
                return -1;
            }
        }
    }
    0
}

/// Returns the letter of an option; `None` if the text is not `-` and one letter.
///
/// # Safety
/// `text` is null or a C string.
unsafe fn option(text: *const c_char) -> Option<u8> {
    if text.is_null() {
        return None;
    }
    let bytes = text.cast::<u8>();
    // SAFETY: the bytes of a C string up to its final zero can be read, and none after it is.
    unsafe {
        if *bytes != b'-' {
            return None;
        }
        let letter = *bytes.add(1);
        // The text may end after the `-`.
        if letter == 0 || *bytes.add(2) != 0 {
            return None;
        }
        Some(letter)
    }
}
