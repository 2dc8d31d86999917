/*
 * SPDX-License-Identifier: Apache-2.0
 */

/*
 * The shell command. Its record in FSymTab is made here and not in the library, because the record's layout follows
 * the shell's configuration. In the library it could also be missing from the image: nothing refers to the record, and
 * a linker skips the members of an archive to which nothing refers. It does not skip this file, which is an object of
 * its own. With --gc-sections, the BSP's linker script keeps the section FSymTab.
 */

#include <rtthread.h>

#if defined(RT_USING_CONSOLE) && defined(RT_USING_MSH)

int list_dma_pool(int argc, char **argv);

MSH_CMD_EXPORT(list_dma_pool, dump all dma memory pool);

#endif /* RT_USING_CONSOLE && RT_USING_MSH */
