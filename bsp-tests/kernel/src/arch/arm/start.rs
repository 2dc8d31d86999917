//! Boot code, and the entries of exceptions.

use core::arch::global_asm;

use super::cores::fault;
use super::{irq, second_main};

global_asm!(
    r#"
.arch_extension virt
.section .text.boot, "ax"
.arm

// Lets code use the floating-point registers. Changes r0.
.macro fpu_on
.if {fpu}
    mrc p15, 0, r0, c1, c0, 2   // CPACR
    orr r0, r0, #(0xf << 20)
    mcr p15, 0, r0, c1, c0, 2
    isb
    mov r0, #(1 << 30)
    vmsr fpexc, r0              // EN
.endif
.endm

.global _start
_start:
    cpsid if
    mov r4, r2                  // the device tree, where a boot loader hands one over
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0  // VBAR
    fpu_on
    ldr sp, =__stack_top
    ldr r0, =__bss_start
    ldr r1, =__bss_end
    mov r2, #0
1:  cmp r0, r1
    strlo r2, [r0], #4
    blo 1b
    mov r0, r4
    bl {main}
2:  wfe
    b 2b

// The second core, with the address of the page tables in r0.
.global second_start
second_start:
    cpsid if
    ldr r1, =vectors
    mcr p15, 0, r1, c12, c0, 0
    mov r4, r0
    fpu_on
    mov r0, r4
    ldr sp, =__second_stack_top
    bl {second}
3:  wfe
    b 3b

.balign 32
vectors:
    b 4f                        // reset
    b 5f                        // undefined instruction
    b 4f                        // supervisor call
    b 6f                        // prefetch abort
    b 7f                        // data abort
    b 4f
    b irq_entry
    b 4f                        // FIQ

4:  mov r0, #0
    b fault_entry
5:  mov r0, #1
    b fault_entry
6:  mov r0, #3
    mrc p15, 0, r2, c5, c0, 1   // IFSR
    mrc p15, 0, r3, c6, c0, 2   // IFAR
    b fault_entry
7:  mov r0, #4
    mrc p15, 0, r2, c5, c0, 0   // DFSR
    mrc p15, 0, r3, c6, c0, 0   // DFAR
fault_entry:
    mov r1, lr
    cps #0x13                   // SVC mode, whose stack is there
    bic sp, sp, #7
    b {fault}

irq_entry:
    sub lr, lr, #4
    srsdb sp!, #0x13            // return address and status, on the stack of SVC mode
    cps #0x13
    push {{r0-r4, r12, lr}}
    and r4, sp, #4              // the procedure call standard wants a multiple of 8
    sub sp, sp, r4
.if {fpu}
    vpush {{d0-d7}}             // the registers that a function may change; the ABI has no d16 to d31 here
    vmrs r0, fpscr
    push {{r0, r1}}
.endif
    bl {irq}
.if {fpu}
    pop {{r0, r1}}
    vmsr fpscr, r0
    vpop {{d0-d7}}
.endif
    add sp, sp, r4
    clrex                       // an exclusive access that was interrupted starts anew
    pop {{r0-r4, r12, lr}}
    rfeia sp!

.ltorg
"#,
    main = sym crate::main,
    second = sym second_main,
    fault = sym fault,
    irq = sym irq,
    fpu = const cfg!(target_abi = "eabihf") as usize,
);
