/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for the other files of the group, which must be compiled. */
#include <rtdevice.h>

const char stand_in_dma_engine[] = "dma engine";
