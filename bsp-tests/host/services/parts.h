/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the stand-in kernel share. The stand-in has the services that rtthread-port/ calls. */
#ifndef HOST_KERNEL_PARTS_H__
#define HOST_KERNEL_PARTS_H__

#include "../kernel.h"

/* Ends the program with a message that contains the service's name if the caller may not sleep. */
void host_need_thread(const char *service);

/* Protect the stand-in's own tables, where several threads play cores. */
void host_lock(void);
void host_unlock(void);

/* Whether the console's driver runs. */
extern int host_in_console;

#endif
