/*
 * SPDX-License-Identifier: Apache-2.0
 */

/* The shell command of the block pools. A file by itself, because its record in FSymTab links their code. */

#include <rtthread.h>

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH) && defined(PKG_RT_DMA_POOL_USING_BLOCK_POOL)

int list_dma_block_pool(int argc, char **argv);

MSH_CMD_EXPORT(list_dma_block_pool, dump all pools of small dma blocks);

#endif /* RT_USING_CONSOLE && RT_USING_MSH && PKG_RT_DMA_POOL_USING_BLOCK_POOL */
