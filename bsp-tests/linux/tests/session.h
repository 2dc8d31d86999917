/* SPDX-License-Identifier: Apache-2.0 */
/* What every test of a driver does before and after. */
#ifndef LEAST_SESSION_H
#define LEAST_SESSION_H

#include <linux/least.h>

/* A driver and its device. */
struct subject
{
    const char *name;
    u16 vendor, device;
    /* The driver's receive buffers end within a cache line: for a device that is not coherent they are bounced. */
    bool has_odd_ends;
    /* Requests that the driver can do without: it works on when they fail. */
    unsigned int optional;
    /* The driver loses memory when it is refused an interrupt, on Linux, too. So it is not refused one. */
    bool needs_interrupts;
    int (*init)(void);
    void (*exit)(void);
};

/* How it runs: the words of a command. */
struct mode
{
    /* The device snoops the cache. */
    bool is_coherent;
    /* The driver's buffers lie above 4 GiB, where the device does not reach. */
    bool is_high;
    /* Received packets begin 2 bytes after a cache line. */
    bool is_odd;
};

/* Reads words such as "coherent" and "high". Returns false after a line if there is another word. */
bool read_mode(struct mode *mode, int argc, char **argv);

/* Gives the drivers a heap and clears the counts. Returns NULL, or what is missing. */
const char *session_begin(const struct mode *mode);
/* Takes the heap back. Returns NULL, or what the driver has left. */
const char *session_end(void);
/*
 * Runs a driver once: binds it to its device, calls use() with the context, removes the driver, and writes the counts. Returns
 * NULL, or what was wrong.
 */
const char *session_run(const struct subject *subject, const struct mode *mode,
        const char *(*use)(struct least_device *device, const struct mode *mode, void *context), void *context);
/* Writes the result of a command. */
void print_result(const char *command, const char *error);

/* Formats a reason. The text is valid until the next call but one. */
const char *reason(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
