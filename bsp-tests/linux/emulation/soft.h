/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the least of Linux. */
#ifndef LEAST_SOFT_H
#define LEAST_SOFT_H

/* Soft interrupts run from begin to end. At the end no timer runs, and no work is queued. */
void least_soft_begin(void);
void least_soft_end(void);
/* Polls for packets. */
void least_run_polls(void);

#endif
