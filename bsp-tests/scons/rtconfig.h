/* SPDX-License-Identifier: Apache-2.0 */
/* scons --menuconfig and scons --pyconfig-silent write this file anew. bsp-tests/include/rtconfig.h has the rest. */
#define RT_USING_DM
#define RT_USING_DMA
#define RT_USING_MSH
#include_next <rtconfig.h>
