/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowers of a reusable region, whose owner asks for it on another core. */
#include <string.h>

#include "threads.h"

#define REGION_START    (HOST_RAM + 48 * MIB)
#define REGION_SIZE     (64 * 1024UL)

static struct rt_device owner = { .parent.name = "encoder" };

/* The call that takes the address gives the memory back. */
static void give_back(void *memory, rt_size_t size, void *place)
{
    RT_UNUSED(size);
    if (__atomic_exchange_n((void **)place, RT_NULL, __ATOMIC_ACQ_REL) == memory)
    {
        rt_dma_give_back(memory);
    }
}

static void on_one_core(int core)
{
    static void *places[CORES];

    for (int step = 0; step < 40; step++)
    {
        if (core == 0)
        {
            rt_ubase_t handle;
            char *buffer = rt_dma_alloc(&owner, REGION_SIZE, &handle, 0);

            EXPECT(buffer);
            memset(buffer, core, REGION_SIZE);
            rt_dma_free(&owner, REGION_SIZE, buffer, handle, 0);
        }
        else
        {
            char *memory = rt_dma_borrow(4096, give_back, &places[core]), *mine;

            if (memory)
            {
                memset(memory, core, 4096);
                __atomic_store_n(&places[core], memory, __ATOMIC_RELEASE);
                rt_thread_mdelay(1);
                mine = __atomic_exchange_n(&places[core], RT_NULL, __ATOMIC_ACQ_REL);
                if (mine)
                {
                    rt_dma_give_back(mine);
                }
            }
        }
    }
}

void borrowers(void)
{
    static fdt32_t reg[] = { CELLS(REGION_START), CELLS(REGION_SIZE) };
    static fdt32_t names[] = { CELL(7) };
    static struct rt_ofw_prop place = { "reg", sizeof(reg), reg, RT_NULL };
    static struct rt_ofw_prop reusable = { "reusable", 0, RT_NULL, &place };
    static struct rt_ofw_node memory = { .full_name = "lent", .phandle = 7, .props = &reusable };
    static struct rt_ofw_prop name_props = { "memory-region", sizeof(names), names, RT_NULL };
    static struct rt_ofw_node node = { .full_name = "encoder", .props = &name_props };

    host_add_node(&memory);
    owner.ofw_node = &node;
    on_every_core(on_one_core);
}
