/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and strings. */
#ifndef LEAST_STRING_H
#define LEAST_STRING_H

#include <linux/types.h>

void *memset(void *s, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
char *strcpy(char *dst, const char *src);
char *strcat(char *dst, const char *src);

/* Copies what fits of src and ends it. Returns the length, or -E2BIG if src was cut. */
ssize_t strscpy(char *dst, const char *src, size_t size);
#define strlcpy(dst, src, size) strscpy(dst, src, size)

static inline void memzero_explicit(void *s, size_t n)
{
    memset(s, 0, n);
}

/* Fills what follows the member in a structure. */
#define memset_after(ptr, c, member) memset((char *)(ptr) + offsetofend(__typeof__(*(ptr)), member), (c), \
        sizeof(*(ptr)) - offsetofend(__typeof__(*(ptr)), member))

#endif
