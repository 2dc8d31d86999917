/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers and the cache line of the stand-in's processor; a host build gets compiler-independent full barriers. */
#ifndef CPUPORT_H__
#define CPUPORT_H__

#define RT_CPU_CACHE_LINE_SZ 64

#if defined(__aarch64__)
#define rt_hw_dsb() __asm__ volatile("dsb sy" ::: "memory")
#define rt_hw_dmb() __asm__ volatile("dmb sy" ::: "memory")
#define rt_hw_isb() __asm__ volatile("isb" ::: "memory")
#else
#define rt_hw_dsb() __sync_synchronize()
#define rt_hw_dmb() __sync_synchronize()
#define rt_hw_isb() __sync_synchronize()
#endif

#endif
