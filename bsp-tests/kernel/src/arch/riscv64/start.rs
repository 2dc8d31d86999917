//! Boot code, and the entry of traps.

use core::arch::global_asm;

use super::cores::{BOOT_HART, second_main, trap};

global_asm!(
    r#"
.section .text.boot, "ax"
.global _start
_start:
    csrw sie, zero
    li t0, 1 << 13              // FP registers on, clean
    csrs sstatus, t0
    la t0, trap_entry
    csrw stvec, t0
    la sp, __stack_top
    li tp, 0                    // the core's number
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  la t0, {boot_hart}
    sd a0, 0(t0)
    mv a0, a1
    call {main}
3:  wfi
    j 3b

// The second core, with the address of the page tables in a1.
.global second_start
second_start:
    csrw sie, zero
    li t0, 1 << 13
    csrs sstatus, t0
    la t0, trap_entry
    csrw stvec, t0
    la sp, __second_stack_top
    li tp, 1
    mv a0, a1
    call {second}
4:  wfi
    j 4b

// Code may use FP registers anywhere: those that a call may change are saved too.
.option arch, +d
.balign 4
trap_entry:
    addi sp, sp, -320
    sd ra, 0(sp)
    sd t0, 8(sp)
    sd t1, 16(sp)
    sd t2, 24(sp)
    sd t3, 32(sp)
    sd t4, 40(sp)
    sd t5, 48(sp)
    sd t6, 56(sp)
    sd a0, 64(sp)
    sd a1, 72(sp)
    sd a2, 80(sp)
    sd a3, 88(sp)
    sd a4, 96(sp)
    sd a5, 104(sp)
    sd a6, 112(sp)
    sd a7, 120(sp)
    fsd ft0, 128(sp)
    fsd ft1, 136(sp)
    fsd ft2, 144(sp)
    fsd ft3, 152(sp)
    fsd ft4, 160(sp)
    fsd ft5, 168(sp)
    fsd ft6, 176(sp)
    fsd ft7, 184(sp)
    fsd ft8, 192(sp)
    fsd ft9, 200(sp)
    fsd ft10, 208(sp)
    fsd ft11, 216(sp)
    fsd fa0, 224(sp)
    fsd fa1, 232(sp)
    fsd fa2, 240(sp)
    fsd fa3, 248(sp)
    fsd fa4, 256(sp)
    fsd fa5, 264(sp)
    fsd fa6, 272(sp)
    fsd fa7, 280(sp)
    frcsr t0
    csrr t1, sepc
    csrr t2, sstatus
    sd t0, 288(sp)
    sd t1, 296(sp)
    sd t2, 304(sp)
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call {trap}
    ld t0, 288(sp)
    ld t1, 296(sp)
    ld t2, 304(sp)
    fscsr t0
    csrw sepc, t1
    csrw sstatus, t2
    fld ft0, 128(sp)
    fld ft1, 136(sp)
    fld ft2, 144(sp)
    fld ft3, 152(sp)
    fld ft4, 160(sp)
    fld ft5, 168(sp)
    fld ft6, 176(sp)
    fld ft7, 184(sp)
    fld ft8, 192(sp)
    fld ft9, 200(sp)
    fld ft10, 208(sp)
    fld ft11, 216(sp)
    fld fa0, 224(sp)
    fld fa1, 232(sp)
    fld fa2, 240(sp)
    fld fa3, 248(sp)
    fld fa4, 256(sp)
    fld fa5, 264(sp)
    fld fa6, 272(sp)
    fld fa7, 280(sp)
    ld ra, 0(sp)
    ld t0, 8(sp)
    ld t1, 16(sp)
    ld t2, 24(sp)
    ld t3, 32(sp)
    ld t4, 40(sp)
    ld t5, 48(sp)
    ld t6, 56(sp)
    ld a0, 64(sp)
    ld a1, 72(sp)
    ld a2, 80(sp)
    ld a3, 88(sp)
    ld a4, 96(sp)
    ld a5, 104(sp)
    ld a6, 112(sp)
    ld a7, 120(sp)
    addi sp, sp, 320
    sret
"#,
    boot_hart = sym BOOT_HART,
    main = sym crate::main,
    second = sym second_main,
    trap = sym trap,
);
