//! The panic handler that a static library without the standard library must define. No function of the archive calls
//! it, which `ci/test` checks.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
