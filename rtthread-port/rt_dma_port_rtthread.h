/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * Includes RT-Thread's headers and the port's own, and finds out which of the two interface revisions the BSP has and
 * which processor it is. Every file of the port that uses devices, DMA or memory includes this first.
 */

#ifndef RT_DMA_PORT_RTTHREAD_H__
#define RT_DMA_PORT_RTTHREAD_H__

#include <rtconfig.h>

/* Without it drivers/dma.h does not compile, and no driver can call the library. */
#if !defined(RT_USING_DM) || !defined(RT_USING_DMA)
#error "rt-dma-pool needs RT_USING_DM and RT_USING_DMA: enable them in menuconfig, or leave the package out"
#endif

/* Bytes in the largest cache line that the BSP states; 0 if it states none: rthw.h, included below, then defines 32. */
#ifdef RT_CPU_CACHE_LINE_SZ
#define RT_DMA_PORT_STATED_CACHE_LINE RT_CPU_CACHE_LINE_SZ
#else
#define RT_DMA_PORT_STATED_CACHE_LINE 0
#endif

#include <rthw.h>
#include <rtthread.h>
#include <rtdevice.h>

#include <mmu.h>
#include <mm_aspace.h>

#include "rt_dma_port_interface.h"

#include "rt_dma_port.h"

/* A 32-bit Arm processor that has the system registers of coprocessor 15: every one but the Cortex-M. */
#if defined(__arm__) && !(defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M')
#define RT_DMA_PORT_HAS_CP15
#endif

/*
 * Puts a function into a section of its own. A BSP compiles all functions of a file into one section, and a linker with
 * --gc-sections drops only whole sections, so a function that few images call needs one.
 */
#define RT_DMA_PORT_OWN_SECTION(name) __attribute__((section(".text.rt_dma_port_" #name)))

/*
 * 1: RT-Thread 5.2.0 to 5.2.2. 2: master since December 2025, which brought the write-through flag and let
 * rt_dma_pool_extract find its regions by itself. rt_dma_port_check.c compares the rest of drivers/dma.h with it.
 */
#ifdef RT_DMA_F_WT
#define RT_DMA_PORT_REVISION 2
#else
#define RT_DMA_PORT_REVISION 1
#endif

#endif /* RT_DMA_PORT_RTTHREAD_H__ */
