/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of the stand-in BSP. A real BSP's menuconfig writes this file.
 *
 * -DSTAND_IN_REVISION=1 gives the interface of RT-Thread 5.2.0 to 5.2.2, 2 (the default) that of master.
 * -DSTAND_IN_BARE leaves every RT_USING_* switch to the command line, to compile the port in other configurations.
 * -DSTAND_IN_WITHOUT_CACHE leaves RT_USING_CACHE out.
 */
#ifndef RT_CONFIG_H__
#define RT_CONFIG_H__

#ifndef STAND_IN_REVISION
#define STAND_IN_REVISION 2
#endif

#define RT_NAME_MAX             16
#define RT_ALIGN_SIZE           8
#define RT_TICK_PER_SECOND      1000
#define RT_CONSOLEBUF_SIZE      256

#define RT_USING_HEAP
#define RT_USING_DEVICE
#define RT_USING_DM
#define RT_USING_DMA
#ifndef STAND_IN_WITHOUT_CACHE
#define RT_USING_CACHE
#endif
#define RT_USING_MEMPOOL
#define RT_USING_MUTEX

#ifndef STAND_IN_BARE
#define RT_USING_SMP
#define RT_CPUS_NR              2
#define RT_USING_PCI
#define RT_USING_CONSOLE
#define RT_USING_FINSH
#define RT_USING_MSH
#define FINSH_USING_SYMTAB
#define FINSH_USING_DESCRIPTION
#define RT_USING_MEMBLOCK
#endif

#ifndef RT_CPUS_NR
#define RT_CPUS_NR              1
#endif

#endif
