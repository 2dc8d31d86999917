//! [`Threads::core_hint`](crate::kernel::Threads::core_hint): a number that differs, as a rule, between the cores that
//! run at the same time. Block pools use its two lowest bits, because they have places for four cores.
//!
//! RT-Thread's `rt_hw_cpu_id` is a function of C: a call of it would need a stack frame. Without it, an allocation of a
//! block has none, and takes 36 instructions on aarch64.

#[cfg(any(target_os = "none", target_arch = "x86_64"))]
use core::arch::asm;

/// Returns the sum of the two lowest levels of the core's number in `MPIDR_EL1`. Only its lowest eight bits have a
/// meaning.
///
/// On most processors, these levels are the number of the core in its cluster, and the number of the cluster. On
/// processors whose cores can run several threads, they are the number of the thread, which is 0 on RT-Thread, and the
/// number of the core (Arm Architecture Reference Manual, `MPIDR_EL1`). In both cases, the cores of a small system have
/// different sums as a rule.
#[cfg(all(any(target_arch = "aarch64", target_arch = "arm"), target_os = "none"))]
pub fn core_hint() -> usize {
    let number: usize;
    // SAFETY: a kernel may read the register, and the instruction changes nothing.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("mrs {}, mpidr_el1", out(reg) number, options(nomem, nostack, preserves_flags));
    }
    // SAFETY: a kernel may read the register, and the instruction changes nothing.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!("mrc p15, 0, {}, c0, c0, 5", out(reg) number, options(nomem, nostack, preserves_flags));
    }
    number.wrapping_add(number >> 8)
}

/// Returns two bits that depend on the page of the stack. Different cores run different threads, whose stacks lie in
/// different pages.
///
/// The number of the page is multiplied by 2^32 divided by the golden ratio, and the two highest bits are taken (Knuth,
/// The Art of Computer Programming, volume 3, section 6.4). More than four places would need more bits. The register
/// with the core's own number can be read in machine mode only, and a kernel runs in supervisor mode.
#[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none"))]
pub fn core_hint() -> usize {
    let stack: usize;
    // SAFETY: the instruction changes nothing.
    unsafe {
        asm!("mv {}, sp", out(reg) stack, options(nomem, nostack, preserves_flags));
    }
    (((stack >> 12) as u32).wrapping_mul(0x9e37_79b1) >> 30) as usize
}

/// Returns the number of the stack's page. A host usually places the stack of a thread an odd number of pages from that
/// of the thread before: 2 MiB or 8 MiB, and one page that guards it.
#[cfg(not(target_os = "none"))]
pub fn core_hint() -> usize {
    stack_address() >> 12
}

/// Returns an address on the stack.
// With the code for other hosts (below), a pair of block calls takes 1 to 2 instructions more (`ci/bench`, blocks).
#[cfg(all(not(target_os = "none"), target_arch = "x86_64"))]
fn stack_address() -> usize {
    let stack: usize;
    // SAFETY: the instruction changes nothing.
    unsafe {
        asm!("mov {}, rsp", out(reg) stack, options(nomem, nostack, preserves_flags));
    }
    stack
}

/// Returns an address on the stack.
#[cfg(all(not(target_os = "none"), not(target_arch = "x86_64")))]
fn stack_address() -> usize {
    let on_stack = 0_u8;
    core::ptr::from_ref(&on_stack).addr()
}
