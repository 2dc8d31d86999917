/* SPDX-License-Identifier: Apache-2.0 */
/* A board with the debug mode: what it takes for freed, which mappings an uninstall lists, and its shell commands. */
#include <string.h>
#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include <rt_dma_debug.h>
#include "expect.h"
#include "kernel.h"

#define POOL    (HOST_RAM + 16 * MIB)
/* Memory of the kernel itself, and in no pool. */
#define OWN_RAM (HOST_RAM + 32 * MIB)

/* Only a thread can choose the operations of a device with a node, so the first call of `child` in an interrupt frees nothing. */
static void a_free_that_has_no_operations_frees_nothing(void)
{
    static struct rt_ofw_node node = { .full_name = "dma@1000" };
    static struct rt_device parent = { .parent.name = "parent" };
    static struct rt_device child = { .parent.name = "child", .ofw_node = &node };
    char *option = "";
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&parent, 4096, &handle, 0);

    EXPECT(buffer);
    host_enter_interrupt();
    rt_dma_free(&child, 4096, buffer, handle, 0);
    host_leave_interrupt();
    EXPECT(!child.dma_ops);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 0);

    host_forget_text();
    list_dma_pool(1, &option);
    EXPECT(strstr(host_text(), "\n1 calls refused"));

    rt_dma_free(&parent, 4096, buffer, handle, 0);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 0);
    EXPECT(rt_dma_alloc(&child, 4096, &handle, 0) == buffer);

    /* The debug mode is on: it reports a second free. */
    rt_dma_free(&child, 4096, buffer, handle, 0);
    rt_dma_free(&child, 4096, buffer, handle, 0);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 1);
}

/* The board's operations give handles that look like addresses of the pool. */
static rt_err_t to_the_pool(struct rt_device *dev, void *data, rt_size_t size, rt_ubase_t *handle, rt_ubase_t flags)
{
    RT_UNUSED(dev);
    RT_UNUSED(data);
    RT_UNUSED(size);
    RT_UNUSED(flags);
    *handle = POOL + 0x30000;
    return RT_EOK;
}

static rt_ubase_t map(struct rt_device *dev, char *buffer, rt_size_t size)
{
    rt_ubase_t handle = rt_dma_map_single(dev, buffer, size, RT_DMA_TO_DEVICE);

    EXPECT(!rt_dma_mapping_error(dev, handle));
    return handle;
}

/*
 * An uninstall lists the mappings with a bounce buffer in the pool. It lists no mapping of other memory, even if the handle looks
 * like an address of the pool.
 */
static void an_uninstall_lists_the_mappings_of_its_pool(struct rt_dma_pool *pool)
{
    static fdt32_t ranges[] = { CELLS(OWN_RAM), CELLS(POOL + 0x20000), CELLS(ARCH_PAGE_SIZE) };
    static struct rt_ofw_prop range_props = { "dma-ranges", sizeof(ranges), ranges, RT_NULL };
    static struct rt_ofw_node bus = { .full_name = "bus", .props = &range_props };
    static struct rt_ofw_node node = { .full_name = "dma@2000", .parent = &bus };
    static const struct rt_dma_map_ops ops = { .sync_out_data = to_the_pool };
    static struct rt_device plain = { .parent.name = "plain" };
    static struct rt_device moved = { .parent.name = "moved", .ofw_node = &node };
    static struct rt_device board = { .parent.name = "board", .dma_ops = &ops };
    struct rt_mm_va_hint hint = { .map_size = ARCH_PAGE_SIZE, .prefer = (void *)(OWN_RAM - rt_kmem_pvoff()) };
    rt_ubase_t handles[3];
    char line[128];
    void *own;

    EXPECT(!rt_aspace_map_phy(&rt_kernel_space, &hint, 0, OWN_RAM >> MM_PAGE_SHIFT, &own));
    EXPECT(!rt_dma_set_mask(&plain, OWN_RAM - 1));
    handles[0] = map(&plain, own, 64);
    handles[1] = map(&moved, own, 64);
    handles[2] = map(&board, own, 64);
    EXPECT(handles[0] - POOL < MIB && handles[1] == POOL + 0x20000 && handles[2] == POOL + 0x30000);

    host_forget_text();
    EXPECT(rt_dma_pool_uninstall(pool) == -RT_EBUSY);
    snprintf(line, sizeof(line), "plain: holds a single mapping of the pool: 0x%lx, 64 bytes;", handles[0]);
    EXPECT(strstr(host_text(), line));
    EXPECT(!strstr(host_text(), "moved: holds") && !strstr(host_text(), "board: holds"));
    EXPECT(strstr(host_text(), "devices hold 1 buffers, blocks and mappings"));

    rt_dma_unmap_single(&plain, handles[0], 64, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&moved, handles[1], 64, RT_DMA_TO_DEVICE);
    rt_dma_unmap_single(&board, handles[2], 64, RT_DMA_TO_DEVICE);
    EXPECT_EQ(rt_dma_debug_mistakes(RT_NULL), 1);
    EXPECT(rt_dma_pool_uninstall(pool) == RT_EOK);
}

/* Types a line at the shell's prompt, and returns the command's result. */
static int type(const char *line)
{
    extern const struct finsh_syscall __start_FSymTab[], __stop_FSymTab[];
    char text[64], *argv[8];
    int argc = 0;

    snprintf(text, sizeof(text), "%s", line);

    for (char *word = strtok(text, " "); word; word = strtok(RT_NULL, " "))
    {
        argv[argc++] = word;
    }

    host_forget_text();

    for (const struct finsh_syscall *command = __start_FSymTab; command < __stop_FSymTab; command++)
    {
        if (!strcmp(command->name, argv[0]))
        {
            return ((int (*)(int, char **))(void (*)(void))command->func)(argc, argv);
        }
    }

    EXPECT(!"the shell has this command");
    return -1;
}

static void the_option_v_also_lists_what_devices_hold(void)
{
    static struct rt_device holder = { .parent.name = "holder" };
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&holder, 4096, &handle, 0);

    EXPECT(buffer);
    EXPECT(type("list_dma_pool") == 0 && !strstr(host_text(), "holder"));
    EXPECT(type("list_dma_pool -m") == 0 && !strstr(host_text(), "holder"));
    EXPECT(type("list_dma_pool -v") == 0 && strstr(host_text(), "holder"));
    EXPECT(type("list_dma_pool -m -v") == 0 && strstr(host_text(), "holder"));
    EXPECT(type("list_dma_pool -vx") == -1 && !strstr(host_text(), "holder"));
    EXPECT(type("list_dma_debug holder") == 0 && strstr(host_text(), "holder"));

    host_enter_interrupt();
    EXPECT(type("list_dma_pool -v") == -1 && !strstr(host_text(), "holder"));
    host_leave_interrupt();

    rt_dma_free(&holder, 4096, buffer, handle, 0);
}

/* The next allocation must not fail because of a number that does not fit into a word. */
static void dma_fail_takes_a_number_of_nine_digits_at_most(void)
{
    static struct rt_device asked = { .parent.name = "asked" };
    rt_ubase_t handle;
    void *buffer = rt_dma_alloc(&asked, 4096, &handle, 0);

    EXPECT(buffer);
    rt_dma_free(&asked, 4096, buffer, handle, 0);

    EXPECT(type("dma_fail asked 4294967297") == -1 && strstr(host_text(), "4294967297 is not a number of one to nine digits"));
    EXPECT(type("dma_fail asked 18446744073709551617") == -1);
    buffer = rt_dma_alloc(&asked, 4096, &handle, 0);
    EXPECT(buffer);
    rt_dma_free(&asked, 4096, buffer, handle, 0);
    EXPECT(type("dma_fail asked 1x") == -1);
    EXPECT(type("dma_fail other 1") == -1);
    EXPECT(type("dma_fail asked 999999999") == 0);
    buffer = rt_dma_alloc(&asked, 4096, &handle, 0);
    EXPECT(buffer);
    rt_dma_free(&asked, 4096, buffer, handle, 0);

    EXPECT(type("dma_fail asked 1") == 0);
    EXPECT(!rt_dma_alloc(&asked, 4096, &handle, 0));
    EXPECT(type("dma_fail asked 0") == 0);
}

int main(void)
{
    rt_region_t region = { POOL, POOL + MIB, "pool" };
    struct rt_dma_pool *pool;

    host_start();
    pool = rt_dma_pool_install(&region);
    EXPECT(pool);
    a_free_that_has_no_operations_frees_nothing();
    the_option_v_also_lists_what_devices_hold();
    dma_fail_takes_a_number_of_nine_digits_at_most();
    an_uninstall_lists_the_mappings_of_its_pool(pool);
    printf("debug_mode: all is well\n");
    return 0;
}
