# SPDX-License-Identifier: Apache-2.0
"""The stand-in BSP's toolchain and flags, under the names that RT-Thread's BSPs use."""
import os

PLATFORM = 'gcc'
EXEC_PATH = os.environ.get('RTT_EXEC_PATH', '')
PREFIX = 'aarch64-linux-gnu-'
DEVICE = ' -march=armv8-a -mno-outline-atomics'
CFLAGS = DEVICE + ' -O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector'
LFLAGS = DEVICE + ' -nostdlib -static -no-pie -Wl,--gc-sections -T kernel/aarch64.ld'
