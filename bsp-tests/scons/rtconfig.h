/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in BSP's configuration, as menuconfig writes it. bsp-tests/include/rtconfig.h has the rest. */
#define PKG_USING_RT_DMA_POOL
#define RT_DMA_POOL_VIEW_LIMIT 64
#define PKG_RT_DMA_POOL_LOG_INFO
#define PKG_RT_DMA_POOL_USING_BLOCK_POOL
#define PKG_RT_DMA_POOL_USING_SAMPLES
#define PKG_RT_DMA_POOL_PREBUILT ""
#include_next <rtconfig.h>
