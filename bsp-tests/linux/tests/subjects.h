/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers under test. */
#ifndef LEAST_SUBJECTS_H
#define LEAST_SUBJECTS_H

#include "session.h"

extern const struct subject network_subjects[];
extern const unsigned int subject_count;
/* The host controller: QEMU's usb-ehci. */
extern const struct subject usb_subject;
/* QEMU's nvme. */
extern const struct subject nvme_subject;

#endif
