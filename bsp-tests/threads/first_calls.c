/* SPDX-License-Identifier: Apache-2.0 */
/* The first calls of devices: the operations are chosen, and regions of the device tree installed, on all cores at once. */
#include <string.h>

#include "threads.h"

#define ROUNDS 4

static struct rt_device devices[ROUNDS];
static int round_number;

static void on_one_core(int core)
{
    rt_ubase_t handle;
    char *buffer = rt_dma_alloc(&devices[round_number], 4096, &handle, 0);

    EXPECT(buffer);
    memset(buffer, core, 4096);
    EXPECT(buffer[0] == core && buffer[4095] == core);
    rt_dma_free(&devices[round_number], 4096, buffer, handle, 0);
}

void first_calls(void)
{
    static fdt32_t range[] = HOST_DMA_RANGE;
    static struct rt_ofw_prop bus_props = { "dma-ranges", sizeof(range), range, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "soc", .props = &bus_props };
    static fdt32_t regs[ROUNDS][4], names[ROUNDS];
    static struct rt_ofw_prop memory_props[ROUNDS], device_props[ROUNDS];
    static struct rt_ofw_node memories[ROUNDS], nodes[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
    {
        fdt32_t reg[] = { CELLS(HOST_RAM + (20 + i) * MIB), CELLS(64 * 1024UL) };

        memcpy(regs[i], reg, sizeof(reg));
        names[i] = CELL(1 + i);
        memory_props[i] = (struct rt_ofw_prop) { "reg", sizeof(reg), regs[i], RT_NULL };
        memories[i] = (struct rt_ofw_node) { .full_name = "memory", .phandle = 1 + i, .props = &memory_props[i] };
        device_props[i] = (struct rt_ofw_prop) { "memory-region", sizeof(names[i]), &names[i], RT_NULL };
        nodes[i] = (struct rt_ofw_node) { .full_name = "device", .parent = &bus, .props = &device_props[i] };
        devices[i] = (struct rt_device) { .parent.name = "device", .ofw_node = &nodes[i] };
        host_add_node(&memories[i]);
        round_number = i;
        on_every_core(on_one_core);
    }
}
