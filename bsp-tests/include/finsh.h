/* SPDX-License-Identifier: Apache-2.0 */
/* The shell's command table: MSH_CMD_EXPORT puts one record into section FSymTab; the shell walks the section. */
#ifndef FINSH_H__
#define FINSH_H__

#include <rtdef.h>

typedef long (*syscall_func)(void);

/* A BSP may leave the description out: the size of a record belongs to its configuration. */
struct finsh_syscall
{
    const char *name;
#if defined(FINSH_USING_DESCRIPTION) && defined(FINSH_USING_SYMTAB)
    const char *desc;
#endif
    syscall_func func;
};

#ifdef FINSH_USING_SYMTAB
#ifdef FINSH_USING_DESCRIPTION
#define STAND_IN_DESC(desc) #desc,
#else
#define STAND_IN_DESC(desc)
#endif
/* GCC for x86-64 would align a record to 16 bytes, and leave a gap before the next one. */
#define MSH_CMD_EXPORT_ALIAS(function, command, desc)                               \
    rt_used static const struct finsh_syscall stand_in_fsym_##command               \
        rt_align(sizeof(void *)) rt_section("FSymTab") = { #command, STAND_IN_DESC(desc) (syscall_func)(void (*)(void))&function };
#else
#define MSH_CMD_EXPORT_ALIAS(function, command, desc)
#endif
#define MSH_CMD_EXPORT(command, desc) MSH_CMD_EXPORT_ALIAS(command, command, desc)

#endif
