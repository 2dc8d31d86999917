/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The shell command. Its record in FSymTab is made here and not in the library, because the record's layout follows
 * the shell's configuration, and because a BSP links this file as a plain object, which the linker does not skip.
 */

#include <rtthread.h>

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

int list_dma_pool(int argc, char **argv);

MSH_CMD_EXPORT(list_dma_pool, dump all dma memory pool);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */
