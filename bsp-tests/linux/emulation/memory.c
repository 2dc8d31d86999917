/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of drivers, and strings. */
#include <linux/least.h>

/* Blocks have a power of two of bytes, at least a cache line, and are aligned to it. A map has a byte for each line. */
#define SMALLEST        6
#define CLASSES         15
#define LIVE            0x80

#define POISON_NEW      0xa5
#define POISON_FREE     0x6b

static struct
{
    spinlock_t lock;
    u8 *map, *start, *next, *end;
    struct free_block { struct free_block *next; } *free[CLASSES];
    size_t used;
} heap;

void least_heap_begin(void *area, size_t size)
{
    size_t lines = size >> SMALLEST;

    memset(&heap, 0, sizeof(heap));
    spin_lock_init(&heap.lock);
    heap.map = area;
    memset(heap.map, 0, lines);
    heap.start = heap.next = PTR_ALIGN((u8 *)area + lines, PAGE_SIZE);
    heap.end = (u8 *)area + size;
}

size_t least_heap_end(void)
{
    size_t used = heap.used;

    memset(&heap, 0, sizeof(heap));
    return used;
}

static u8 *map_of(const void *memory)
{
    return &heap.map[((u8 *)memory - heap.start) >> SMALLEST];
}

static void *take(size_t size)
{
    unsigned int class = max(order_base_2(size), SMALLEST) - SMALLEST;
    void *memory = NULL;
    unsigned long flags;

    BUG_ON(class >= CLASSES);
    spin_lock_irqsave(&heap.lock, flags);
    if (heap.free[class])
    {
        memory = heap.free[class];
        heap.free[class] = heap.free[class]->next;
    }
    else
    {
        u8 *at = PTR_ALIGN(heap.next, 1UL << (class + SMALLEST));

        if (at + (1UL << (class + SMALLEST)) <= heap.end)
        {
            heap.next = at + (1UL << (class + SMALLEST));
            memory = at;
        }
    }
    if (memory)
    {
        *map_of(memory) = LIVE | class;
        heap.used += 1UL << (class + SMALLEST);
    }
    spin_unlock_irqrestore(&heap.lock, flags);
    return memory;
}

void *least_kmalloc(size_t size, gfp_t gfp, bool zero)
{
    void *memory;

    /* A request that may wait is not for interrupts. */
    BUG_ON(gfp == GFP_KERNEL && in_interrupt());
    if (!size || least_fails())
    {
        return NULL;
    }
    memory = take(size);
    if (memory)
    {
        memset(memory, zero || gfp & __GFP_ZERO ? 0 : POISON_NEW, size);
    }
    return memory;
}

void kfree(const void *memory)
{
    struct free_block *block = (void *)memory;
    unsigned int class;
    unsigned long flags;

    if (!memory)
    {
        return;
    }
    BUG_ON((u8 *)memory < heap.start || (u8 *)memory >= heap.end || !(*map_of(memory) & LIVE));
    spin_lock_irqsave(&heap.lock, flags);
    class = *map_of(memory) & ~LIVE;
    *map_of(memory) = 0;
    memset(block, POISON_FREE, 1UL << (class + SMALLEST));
    block->next = heap.free[class];
    heap.free[class] = block;
    heap.used -= 1UL << (class + SMALLEST);
    spin_unlock_irqrestore(&heap.lock, flags);
}

/* memset(), memcpy(), memmove() and memcmp() come with the image. */

size_t strlen(const char *s)
{
    return rt_strlen(s);
}

int strcmp(const char *a, const char *b)
{
    return rt_strcmp(a, b);
}

char *strcpy(char *dst, const char *src)
{
    return memcpy(dst, src, strlen(src) + 1);
}

char *strcat(char *dst, const char *src)
{
    strcpy(dst + strlen(dst), src);
    return dst;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
    size_t length = strlen(src), fits = min(length, size - 1);

    if (!size)
    {
        return -E2BIG;
    }
    memcpy(dst, src, fits);
    dst[fits] = '\0';
    return length < size ? (ssize_t)length : -E2BIG;
}

int kstrtoint(const char *text, unsigned int base, int *value)
{
    int result = 0;

    WARN_ON(base != 10 && base != 0);
    if (!*text)
    {
        return -EINVAL;
    }
    for (; *text >= '0' && *text <= '9'; text++)
    {
        result = result * 10 + *text - '0';
    }
    *value = result;
    return *text ? -EINVAL : 0;
}
