/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The shell commands. Their records in FSymTab are made here and not in the library, because a record's layout follows
 * the shell's configuration. In the library a record could also be missing from the image: nothing refers to it, and a
 * linker skips the members of an archive to which nothing refers. It does not skip this file, which is an object of
 * its own. With --gc-sections, the BSP's linker script keeps the section FSymTab.
 */

#include <rtthread.h>

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

/* drivers/dma.h does not declare it. */
int list_dma_pool(int argc, char **argv);

MSH_CMD_EXPORT(list_dma_pool, dump all dma memory pool);

/* The record links the code of block pools, so the command is an option. */
#ifdef PKG_RT_DMA_POOL_USING_BLOCK_POOL

#include <rt_dma/block_pool.h>

MSH_CMD_EXPORT(list_dma_block_pool, dump all pools of small dma blocks);

#endif /* PKG_RT_DMA_POOL_USING_BLOCK_POOL */

#endif /* RT_USING_CONSOLE && RT_USING_MSH */
