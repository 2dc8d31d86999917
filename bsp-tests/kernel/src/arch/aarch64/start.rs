//! Boot code, and the entries of exceptions.

use core::arch::global_asm;

use super::cores::fault;
use super::{irq, second_main};

global_asm!(
    r#"
.section .text.boot, "ax"
.global _start
_start:
    msr daifset, #0xf
    mov x19, x0
    mov x0, #(3 << 20)          // FP and SIMD registers at EL1
    msr cpacr_el1, x0
    adrp x0, vectors
    add x0, x0, :lo12:vectors
    msr vbar_el1, x0
    isb
    adrp x0, __stack_top
    add x0, x0, :lo12:__stack_top
    mov sp, x0
    adrp x0, __bss_start
    add x0, x0, :lo12:__bss_start
    adrp x1, __bss_end
    add x1, x1, :lo12:__bss_end
1:  cmp x0, x1
    b.hs 2f
    stp xzr, xzr, [x0], #16
    b 1b
2:  mov x0, x19
    bl {main}
3:  wfe
    b 3b

// The second core, with the address of the page tables in x0.
.global second_start
second_start:
    msr daifset, #0xf
    mov x1, #(3 << 20)
    msr cpacr_el1, x1
    adrp x1, vectors
    add x1, x1, :lo12:vectors
    msr vbar_el1, x1
    isb
    adrp x1, __second_stack_top
    add x1, x1, :lo12:__second_stack_top
    mov sp, x1
    bl {second}
4:  wfe
    b 4b

.macro fault kind
    .balign 0x80
    mov x0, #\kind
    mrs x1, esr_el1
    mrs x2, elr_el1
    mrs x3, far_el1
    b {fault}
.endm

.balign 0x800
vectors:
    fault 0
    fault 1
    fault 2
    fault 3
    fault 4
    .balign 0x80
    b irq_entry
    fault 6
    fault 7
    fault 8
    fault 9
    fault 10
    fault 11
    fault 12
    fault 13
    fault 14
    fault 15

// Code may use FP and SIMD registers anywhere: all of them are saved.
irq_entry:
    sub sp, sp, #(176 + 512 + 16)
    stp x0, x1, [sp, #0]
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x30, [sp, #144]
    mrs x0, elr_el1
    mrs x1, spsr_el1
    stp x0, x1, [sp, #160]
    add x2, sp, #176
    stp q0, q1, [x2], #32
    stp q2, q3, [x2], #32
    stp q4, q5, [x2], #32
    stp q6, q7, [x2], #32
    stp q8, q9, [x2], #32
    stp q10, q11, [x2], #32
    stp q12, q13, [x2], #32
    stp q14, q15, [x2], #32
    stp q16, q17, [x2], #32
    stp q18, q19, [x2], #32
    stp q20, q21, [x2], #32
    stp q22, q23, [x2], #32
    stp q24, q25, [x2], #32
    stp q26, q27, [x2], #32
    stp q28, q29, [x2], #32
    stp q30, q31, [x2], #32
    mrs x0, fpsr
    mrs x1, fpcr
    stp x0, x1, [x2]
    bl {irq}
    add x2, sp, #176
    ldp q0, q1, [x2], #32
    ldp q2, q3, [x2], #32
    ldp q4, q5, [x2], #32
    ldp q6, q7, [x2], #32
    ldp q8, q9, [x2], #32
    ldp q10, q11, [x2], #32
    ldp q12, q13, [x2], #32
    ldp q14, q15, [x2], #32
    ldp q16, q17, [x2], #32
    ldp q18, q19, [x2], #32
    ldp q20, q21, [x2], #32
    ldp q22, q23, [x2], #32
    ldp q24, q25, [x2], #32
    ldp q26, q27, [x2], #32
    ldp q28, q29, [x2], #32
    ldp q30, q31, [x2], #32
    ldp x0, x1, [x2]
    msr fpsr, x0
    msr fpcr, x1
    ldp x0, x1, [sp, #160]
    msr elr_el1, x0
    msr spsr_el1, x1
    ldp x0, x1, [sp, #0]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x30, [sp, #144]
    add sp, sp, #(176 + 512 + 16)
    eret
"#,
    main = sym crate::main,
    second = sym second_main,
    fault = sym fault,
    irq = sym irq,
);
