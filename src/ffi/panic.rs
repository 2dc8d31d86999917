//! A static library without the standard library must name a panic handler. Nothing in the archive calls it (CI looks).

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
