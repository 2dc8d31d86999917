/* SPDX-License-Identifier: Apache-2.0 */
/* The C library's header by Linux's names, for compiling the porting headers among Linux's own. */
#include <linux/stddef.h>
#include <linux/types.h>
