/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers of 16 bytes. */
#ifndef LEAST_UUID_H
#define LEAST_UUID_H

#include <linux/types.h>

typedef struct { u8 b[16]; } uuid_t, guid_t;

#endif
