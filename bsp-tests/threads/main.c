/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C drivers on several cores, for ThreadSanitizer: ci/thread-sanitizer. The library and its port are compiled with it. The stand-in
 * kernel is not, and its own locks are none that ThreadSanitizer knows, so that they hide no missing order.
 */
#include <pthread.h>
#include <string.h>
#include <sys/types.h>

#include "threads.h"

static pthread_barrier_t barrier;
static void (*work_of_all)(int core);

static void *core_main(void *core)
{
    pthread_barrier_wait(&barrier);
    work_of_all((int)(rt_ubase_t)core);
    return NULL;
}

void on_every_core(void (*work)(int core))
{
    pthread_t threads[CORES];

    pthread_barrier_init(&barrier, NULL, CORES);
    work_of_all = work;
    for (rt_ubase_t core = 0; core < CORES; core++)
    {
        EXPECT(!pthread_create(&threads[core], NULL, core_main, (void *)core));
    }
    for (int core = 0; core < CORES; core++)
    {
        pthread_join(threads[core], NULL);
    }
    pthread_barrier_destroy(&barrier);
}

struct memory exchange(int core, struct memory memory)
{
    static struct memory *places[CORES];
    struct memory *given = malloc(sizeof(*given)), *taken;
    struct memory result = { RT_NULL, 0 };

    *given = memory;
    taken = __atomic_exchange_n(&places[(core + 1) % CORES], given, __ATOMIC_ACQ_REL);
    if (taken)
    {
        result = *taken;
        free(taken);
    }
    return result;
}

char *kernel_memory(int core)
{
    static void *memory;
    struct rt_mm_va_hint hint = { .map_size = MIB, .prefer = (void *)(HOST_RAM + 44 * MIB - rt_kmem_pvoff()) };

    if (!memory)
    {
        EXPECT(!rt_aspace_map_phy(&rt_kernel_space, &hint, 0, (HOST_RAM + 44 * MIB) >> MM_PAGE_SHIFT, &memory));
    }
    return (char *)memory + core * MIB / CORES;
}

/* ThreadSanitizer's. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

void *__real_mmap(void *at, size_t size, int access, int flags, int file, off_t offset);

/*
 * ThreadSanitizer takes mmap for a write of all bytes that it maps, so a thread that uses a mapping of another one would need an
 * order after it. The processor reads a kernel's page tables, and rt_ioremap makes them visible to all cores. Writes are ignored
 * here: what was recorded about these addresses is only forgotten.
 */
void *__wrap_mmap(void *at, size_t size, int access, int flags, int file, off_t offset)
{
    void *mapped;

    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    mapped = __real_mmap(at, size, access, flags, file, offset);
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    return mapped;
}

static const struct { const char *name; void (*run)(void); } subjects[] =
{
    { "buffers_of_several_cores", buffers },
    { "blocks_of_several_cores", blocks },
    { "mappings_of_several_cores", mappings },
    { "first_calls_of_several_cores", first_calls },
    { "pools_that_come_and_go_while_cores_allocate", pools },
    { "borrowers_on_several_cores", borrowers },
    { "managed_memory_of_several_cores", managed },
    { "wrong_calls_of_several_cores", wrong_calls },
};

/* The argument is the name of one subject; without it all run. */
int main(int argc, char **argv)
{
    rt_region_t region = { HOST_RAM + 16 * MIB, HOST_RAM + 17 * MIB, "pool" };
    int runs = 0;

    host_start();
    EXPECT(rt_dma_pool_install(&region));
    kernel_memory(0);
    for (rt_size_t i = 0; i < RT_ARRAY_SIZE(subjects); i++)
    {
        if (argc == 1 || !strcmp(argv[1], subjects[i].name))
        {
            subjects[i].run();
            runs++;
            fprintf(stderr, "test thread_sanitizer::%s ... ok\n", subjects[i].name);
        }
    }
    EXPECT(runs);
    return 0;
}
