# SPDX-License-Identifier: Apache-2.0
"""The stand-in BSP's toolchain and flags, under the names that RT-Thread's BSPs use."""
import os

# bsp-tests/make-bsp writes the target here.
TARGET = 'aarch64-unknown-none'

ARM = ' -march=armv7-a -marm'
RISCV = ' -mcmodel=medany -fno-builtin'
AARCH64 = ' -march=armv8-a -mno-outline-atomics'
# For each target: the toolchain's prefix, the linker script, and the flags.
TARGETS = {
    'aarch64-unknown-none': ('aarch64-linux-gnu-', 'aarch64', AARCH64),
    'aarch64-unknown-none-softfloat': ('aarch64-linux-gnu-', 'aarch64', AARCH64 + ' -mgeneral-regs-only'),
    'armv7a-none-eabi': ('arm-none-eabi-', 'arm', ARM + ' -mfloat-abi=soft'),
    'armv7a-none-eabihf': ('arm-none-eabi-', 'arm', ARM + ' -mfloat-abi=hard -mfpu=vfpv3-d16'),
    'riscv64gc-unknown-none-elf': ('riscv64-linux-gnu-', 'riscv64', RISCV + ' -march=rv64gc -mabi=lp64d'),
    'riscv64imac-unknown-none-elf': ('riscv64-linux-gnu-', 'riscv64', RISCV + ' -march=rv64imac_zicsr_zifencei -mabi=lp64'),
}

PLATFORM = 'gcc'
EXEC_PATH = os.environ.get('RTT_EXEC_PATH', '')
PREFIX, SCRIPT, DEVICE = TARGETS[TARGET]
CFLAGS = DEVICE + ' -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector'
LFLAGS = DEVICE + ' -nostdlib -static -no-pie -Wl,--gc-sections -T kernel/%s.ld' % SCRIPT
