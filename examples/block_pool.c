/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block pools: a controller reads its commands from memory. A command has 64 bytes and must not cross a 4 KiB boundary.
 * From rt_dma_alloc(), each command would take a whole page; from a block pool, 64 commands share a page.
 */
#include <rtthread.h>
#include <rtdevice.h>
#include <rt_dma.h>

#define COMMAND_ALIGN       64
#define COMMAND_BOUNDARY    4096

struct command
{
    rt_uint32_t operation;
    rt_uint32_t length;
    rt_uint64_t data;       /* the handle of the data */
    rt_uint32_t reserved[12];
};

struct controller
{
    struct rt_dma_block_pool *commands;
};

rt_err_t controller_probe(struct controller *controller, struct rt_device *dev)
{
    controller->commands = rt_dma_block_pool_create("commands", dev, sizeof(struct command), COMMAND_ALIGN,
            COMMAND_BOUNDARY);

    return controller->commands ? RT_EOK : -RT_ENOMEM;
}

/*
 * Makes a command and stores its handle, which the driver writes to the controller's queue. The memory is coherent, so
 * no sync call is needed; but before the driver writes the handle, it calls rt_hw_dsb(), so that the controller sees
 * the command first. In an interrupt, the call returns RT_NULL if no block is free.
 */
volatile struct command *controller_alloc_command(struct controller *controller, rt_uint32_t operation,
        rt_ubase_t data, rt_uint32_t length, rt_ubase_t *handle)
{
    volatile struct command *command = rt_dma_block_pool_zalloc(controller->commands, handle);

    if (command)
    {
        command->operation = operation;
        command->length = length;
        command->data = data;
    }

    return command;
}

/* Frees a command that the controller has executed. An interrupt handler may call this function. */
void controller_free_command(struct controller *controller, volatile struct command *command, rt_ubase_t handle)
{
    rt_dma_block_pool_free(controller->commands, (void *)command, handle);
}

/* Returns -RT_EBUSY if a command was not freed. The log then lists such commands. */
rt_err_t controller_remove(struct controller *controller)
{
    return rt_dma_block_pool_destroy(controller->commands);
}
