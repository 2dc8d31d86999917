/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a driver again and again: each time the next of its requests fails. */
#include "faults.h"

static struct least_device device;

/* Returns the first error of probe and use(). */
static int run(const struct subject *subject, const struct mode *mode, int (*use)(void))
{
    int result = least_probe(&device, subject->name, subject->vendor, subject->device, subject->init,
            mode->is_coherent);

    if (result)
    {
        least_forget(&device, subject->exit);
        return result;
    }
    result = use();
    /* A remove that fails is no part of the test. */
    least_fail_at = least_counts.failed ? least_fail_at : 0;
    least_remove(&device, subject->exit);
    return result;
}

const char *fail_each_request(const struct subject *subject, const struct mode *mode, int (*use)(void),
        unsigned int *runs)
{
    unsigned int unnoticed = 0;

    for (*runs = 0;; ++*runs)
    {
        const char *error = session_begin(mode);
        int result;

        if (error)
        {
            return error;
        }
        least_fail_at = (long)*runs + 1;
        least_interrupts_fail = !subject->needs_interrupts;
        result = run(subject, mode, use);
        least_fail_at = 0;
        error = session_end();
        if (error)
        {
            return reason("request %u failed, result %d: %s", *runs + 1, result, error);
        }
        if (!least_counts.failed)
        {
            return result ? reason("no request failed, result %d", result) : NULL;
        }
        unnoticed += !result;
        if (unnoticed > subject->optional)
        {
            return reason("request %u failed, and the driver did not notice", *runs + 1);
        }
    }
}

void print_faults(const char *command, const char *error, unsigned int runs)
{
    rt_kprintf("  each of %u requests failed once\n", runs);
    print_result(command, error);
}
