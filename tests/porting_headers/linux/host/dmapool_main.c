/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the init function of Linux's mm/dmapool_test.c over this library's pools, on the host's stand-in for a kernel. */
#include "kernel.h"
#include "bench.h"

int linux_module_init(void);

int main(void)
{
    rt_region_t region = { HOST_RAM, HOST_RAM + (64UL << 20), "test" };
    int error;

    host_start();
    MUST(rt_dma_pool_install(&region));
    error = linux_module_init();
    printf("test linux_dmapool_test_runs_unmodified ... %s\n", error ? "FAILED" : "ok");
    return error != 0;
}
