/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a driver again and again: each time the next of its requests fails. */
#ifndef LEAST_FAULTS_H
#define LEAST_FAULTS_H

#include "session.h"

/*
 * Probes, calls use(), and removes, until a run has no request that fails. The driver must notice each failure, by an error
 * from probe or from use(), unless it can do without what it asked for, and give everything back. Returns NULL, or what was wrong.
 */
const char *fail_each_request(const struct subject *subject, const struct mode *mode, int (*use)(void),
        unsigned int *runs);
/* Writes the result of fail_each_request(). */
void print_faults(const char *command, const char *error, unsigned int runs);

#endif
