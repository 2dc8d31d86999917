/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DT_BINDINGS_SIZE_H__
#define DT_BINDINGS_SIZE_H__

#define SIZE_KB 1024
#define SIZE_MB (1024 * SIZE_KB)
#define SIZE_GB (1024 * SIZE_MB)

#endif
