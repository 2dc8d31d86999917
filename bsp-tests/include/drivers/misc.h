/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MISC_H__
#define MISC_H__
#include <rtdef.h>
#endif
