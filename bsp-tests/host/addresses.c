/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that reach a part of memory: through a bus's ranges, or a bridge's windows. */
#include <string.h>

#include <rtdevice.h>
#include <mm_aspace.h>
#include <rt_dma.h>
#include "addresses.h"
#include "subjects.h"

struct rt_device *device_below_bus(struct branch *branch, fdt32_t *ranges, rt_size_t size)
{
    memset(branch, 0, sizeof(*branch));
    branch->props[0] = (struct rt_ofw_prop) { "dma-ranges", (int)size, ranges, RT_NULL };
    branch->upper.full_name = "/";
    branch->bus = (struct rt_ofw_node) { .full_name = "bus", .parent = &branch->upper, .props = &branch->props[0] };
    branch->node = (struct rt_ofw_node) { .full_name = "device", .parent = &branch->bus };
    strcpy(branch->dev.parent.name, "device");
    branch->dev.ofw_node = &branch->node;
    host_forget_ranges();
    return &branch->dev;
}

struct rt_device *device_below_bus_with_cells(struct branch *branch, fdt32_t *ranges, rt_size_t size,
        fdt32_t *address_cells, fdt32_t *size_cells)
{
    struct rt_device *dev = device_below_bus(branch, ranges, size);

    branch->props[1] = (struct rt_ofw_prop) { "#address-cells", 4, address_cells, &branch->props[0] };
    branch->props[2] = (struct rt_ofw_prop) { "#size-cells", 4, size_cells, &branch->props[1] };
    branch->bus.props = &branch->props[2];
    return dev;
}

int is_served(struct rt_device *dev, rt_size_t size, rt_ubase_t pa, rt_ubase_t expected)
{
    rt_ubase_t handle = 1, synced = 1;
    void *buffer = rt_dma_alloc(dev, size, &handle, 0);
    int is_right = buffer && (rt_ubase_t)rt_kmem_v2p(buffer) == pa && handle == expected
        && rt_dma_sync_out_data(dev, buffer, size, &synced, 0) == RT_EOK && synced == expected;

    if (buffer)
    {
        rt_dma_free(dev, size, buffer, handle, 0);
    }
    return is_right;
}

static int is_refused_with(struct rt_device *dev, rt_err_t error)
{
    static struct rt_device plain = { .parent.name = "plain" };
    rt_ubase_t handle, mapped, synced = 7;
    void *buffer = rt_dma_alloc(&plain, PAGE, &handle, 0);
    int is_right = !rt_dma_alloc(dev, PAGE, &mapped, 0)
        && rt_dma_sync_out_data(dev, buffer, PAGE, &synced, 0) == -RT_ERROR && synced != handle
        && rt_dma_map_single(dev, buffer, PAGE, RT_DMA_TO_DEVICE) == RT_DMA_MAPPING_ERROR
        && rt_dma_set_mask(dev, ALL_ADDRESSES) == error;

    rt_dma_free(&plain, PAGE, buffer, handle, 0);
    return is_right;
}

int is_refused(struct rt_device *dev)
{
    return is_refused_with(dev, -RT_EIO);
}

static void ranges_as_the_translator_reads_them(void)
{
    static struct branch branch;
    static fdt32_t one = CELL(1), two = CELL(2), three = CELL(3);
    /* Entries have the order in which RT-Thread's translator reads them: the processor's address is the first. */
    static fdt32_t elsewhere[] = { CELLS(HOST_RAM), CELLS(0), CELLS(8 * MIB) };
    static fdt32_t itself[] = { CELLS(HOST_RAM), CELLS(HOST_RAM), CELLS(HOST_RAM_SIZE) };
    static fdt32_t part[] = { CELLS(POOLS_START + MIB), CELLS(POOLS_START + MIB), CELLS(MIB) };
    static fdt32_t by_the_binding[] = { CELLS(0), CELLS(POOLS_START), CELLS(MIB) };
    static fdt32_t empty[] = { CELLS(HOST_RAM), CELLS(HOST_RAM), CELLS(0) };
    static fdt32_t empty_at_zero[] = { CELLS(0), CELLS(0), CELLS(0) };
    static fdt32_t none[] = { CELLS(HOST_RAM), CELLS(HOST_RAM), CELL(0) };
    static fdt32_t top[] =
    {
        CELLS(~0UL - 0xfff), CELLS(~0UL - 0xfff), CELLS(0x2000),
        CELLS(POOLS_START), CELLS(0x800), CELLS(MIB),
    };
    static fdt32_t several[] =
    {
        CELLS(POOLS_START + 3 * PAGE), CELLS(POOLS_START + 3 * PAGE), CELLS(PAGE),
        CELLS(POOLS_START + 2 * PAGE), CELLS(0x10000), CELLS(4 * PAGE),
        CELLS(POOLS_START + 6 * PAGE), CELLS(0x14000), CELLS(PAGE),
    };
    /* One cell for the bus's addresses and sizes, and two for its parent's; then three cells, of which the last two count. */
    static fdt32_t short_ones[] = { CELL(POOLS_START + MIB), CELLS(0x1234000), CELL(MIB) };
    static fdt32_t long_ones[] = { CELL(0x2000000), CELLS(POOLS_START + MIB), CELLS(0x1234000), CELLS(MIB) };
    struct rt_device *dev;

    EXPECT(is_refused(device_below_bus(&branch, elsewhere, sizeof(elsewhere))));
    EXPECT(is_served(device_below_bus(&branch, itself, sizeof(itself)), PAGE, POOLS_START, POOLS_START));
    EXPECT(is_served(device_below_bus(&branch, part, sizeof(part)), 3 * PAGE, POOLS_START + MIB, POOLS_START + MIB));
    EXPECT(!is_served(device_below_bus(&branch, part, sizeof(part)), MIB + 1, POOLS_START + MIB, POOLS_START + MIB));
    EXPECT(is_refused(device_below_bus(&branch, by_the_binding, sizeof(by_the_binding))));
    EXPECT(is_refused(device_below_bus(&branch, empty, sizeof(empty))));
    EXPECT(is_refused(device_below_bus(&branch, empty_at_zero, sizeof(empty_at_zero))));
    EXPECT(is_served(device_below_bus(&branch, none, sizeof(none)), PAGE, POOLS_START, POOLS_START));
    EXPECT(is_served(device_below_bus(&branch, none, 0), PAGE, POOLS_START, POOLS_START));
    EXPECT(is_served(device_below_bus(&branch, top, sizeof(top)), PAGE, POOLS_START, 0x800));
    EXPECT(is_served(device_below_bus(&branch, several, sizeof(several)), PAGE, POOLS_START + 2 * PAGE, 0x10000));
    EXPECT(is_served(device_below_bus(&branch, several, sizeof(several)), 2 * PAGE, POOLS_START + 4 * PAGE, 0x12000));
    EXPECT(is_served(device_below_bus(&branch, several, sizeof(several)), 3 * PAGE, POOLS_START + 4 * PAGE, 0x12000));
    dev = device_below_bus_with_cells(&branch, short_ones, sizeof(short_ones), &one, &one);
    EXPECT(is_served(dev, PAGE, POOLS_START + MIB, 0x1234000));
    dev = device_below_bus_with_cells(&branch, long_ones, sizeof(long_ones), &three, &two);
    EXPECT(is_served(dev, PAGE, POOLS_START + MIB, 0x1234000));
}

/* Only the nearest bus above with ranges translates. An empty dma-ranges does not count as ranges. */
static void nested_buses(void)
{
    static struct branch branch;
    static fdt32_t lower[] = { CELLS(POOLS_START), CELLS(0x1000), CELLS(MIB) };
    static fdt32_t upper[] = { CELLS(POOLS_START + MIB), CELLS(0x2000), CELLS(MIB) };
    struct rt_device *dev = device_below_bus(&branch, lower, sizeof(lower));

    branch.upper_props[0] = (struct rt_ofw_prop) { "dma-ranges", sizeof(upper), upper, RT_NULL };
    branch.upper.props = branch.upper_props;
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x1000));
    dev = device_below_bus(&branch, lower, 0);
    branch.upper_props[0] = (struct rt_ofw_prop) { "dma-ranges", sizeof(upper), upper, RT_NULL };
    branch.upper.props = branch.upper_props;
    EXPECT(is_served(dev, PAGE, POOLS_START + MIB, 0x2000));
}

/* If a bus has the same ranges and dma-ranges, the two translations cancel each other. */
static void ranges_and_dma_ranges(void)
{
    static struct branch branch;
    static fdt32_t same[] = { CELLS(0x1000), CELLS(POOLS_START + MIB), CELLS(MIB) };
    static fdt32_t binding[] = { CELLS(0), CELLS(HOST_RAM - MIB), CELLS(MIB) };
    static fdt32_t registers[] = { CELLS(0x7e000000), CELLS(0xfe000000), CELLS(MIB) };
    struct rt_device *dev = device_below_bus(&branch, same, sizeof(same));

    branch.props[3] = (struct rt_ofw_prop) { "ranges", sizeof(same), same, RT_NULL };
    branch.props[0].next = &branch.props[3];
    EXPECT(is_served(dev, PAGE, POOLS_START + MIB, POOLS_START + MIB));
    /* The kernel read the ranges first, to find the registers of a device. So it never reads the dma-ranges. */
    dev = device_below_bus(&branch, binding, sizeof(binding));
    branch.props[3] = (struct rt_ofw_prop) { "ranges", sizeof(registers), registers, RT_NULL };
    branch.props[0].next = &branch.props[3];
    EXPECT(rt_ofw_translate_address(dev->ofw_node, "ranges", 0x7e000004) == 0xfe000004);
    EXPECT(is_served(dev, PAGE, POOLS_START, POOLS_START));
    /* If it read the dma-ranges first, they decide what is covered, although the bus has ranges. */
    host_forget_ranges();
    dev->dma_ops = RT_NULL;
    EXPECT(rt_ofw_translate_address(dev->ofw_node, "dma-ranges", 0x4000) == HOST_RAM - MIB + 0x4000);
    EXPECT(is_refused(dev));
    /* Here only the ranges of the parent bus move the address. */
    dev = device_below_bus(&branch, same, 24);
    branch.upper_props[0] = (struct rt_ofw_prop) { "ranges", sizeof(same), same, RT_NULL };
    branch.upper.props = branch.upper_props;
    branch.props[0].value = (fdt32_t[]) { CELLS(HOST_RAM - MIB), CELLS(0), CELLS(MIB) };
    EXPECT(is_refused(dev));
}

/* If the heap has no memory for a bus's ranges, the translator returns the address unchanged. */
static void ranges_that_cannot_be_read(void)
{
    static struct branch branch;
    static fdt32_t lower[] = { CELLS(POOLS_START), CELLS(0x1000), CELLS(MIB) };
    struct rt_device *dev = device_below_bus(&branch, lower, sizeof(lower));

    host_fail_ranges(1);
    EXPECT(is_refused_with(dev, -RT_ENOMEM));
    host_fail_ranges(0);
    /* The tables are still missing, and an interrupt cannot read them. */
    host_enter_interrupt();
    EXPECT(!rt_dma_alloc(dev, PAGE, RT_NULL, 0));
    host_leave_interrupt();
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x1000));
}

/* Without dma-ranges that can be read, the ranges of the parent bus still move a part of memory. */
static void ranges_without_dma_ranges(void)
{
    static struct branch branch;
    static fdt32_t none[] = { CELLS(HOST_RAM), CELLS(HOST_RAM), CELL(0) };
    static fdt32_t moved[] = { CELLS(0x1000), CELLS(POOLS_START + PAGE), CELLS(PAGE) };
    struct rt_device *dev = device_below_bus(&branch, none, sizeof(none));

    branch.upper_props[0] = (struct rt_ofw_prop) { "ranges", sizeof(moved), moved, RT_NULL };
    branch.upper.props = branch.upper_props;
    EXPECT(is_served(dev, PAGE, POOLS_START, POOLS_START));
    /* Of the first two pages, the device has the second at another place. */
    EXPECT(is_served(dev, 2 * PAGE, POOLS_START + 2 * PAGE, POOLS_START + 2 * PAGE));
}

/* The kernel keeps one table for each bus: that of the dma-ranges has the ranges here, which were read first. */
static void ranges_read_in_place_of_dma_ranges(void)
{
    static struct branch branch;
    static fdt32_t registers[] = { CELLS(0x7e000000), CELLS(0xfe000000), CELLS(MIB) };
    static fdt32_t binding[] = { CELLS(0), CELLS(HOST_RAM - MIB), CELLS(MIB) };
    static fdt32_t moved[] = { CELLS(POOLS_START + PAGE), CELLS(0x90000000), CELLS(PAGE) };
    static fdt32_t overlapping[] =
    {
        CELLS(0x1000), CELLS(0x90000000), CELLS(PAGE),
        CELLS(0x1000), CELLS(POOLS_START), CELLS(MIB),
    };
    static struct rt_ofw_prop own = { "ranges", sizeof(registers), registers, RT_NULL }, upper;
    struct rt_device *dev = device_below_bus(&branch, RT_NULL, 0);

    branch.bus.props = &own;
    upper = (struct rt_ofw_prop) { "dma-ranges", sizeof(binding), binding, RT_NULL };
    branch.upper_props[0] = (struct rt_ofw_prop) { "ranges", sizeof(moved), moved, &upper };
    branch.upper.props = branch.upper_props;
    EXPECT(rt_ofw_translate_address(&branch.bus, "ranges", POOLS_START + PAGE) == 0x90000000);
    EXPECT(is_served(dev, PAGE, POOLS_START, POOLS_START));
    EXPECT(is_served(dev, 2 * PAGE, POOLS_START + 2 * PAGE, POOLS_START + 2 * PAGE));

    /* One bus has both, and its ranges overlap: the way to the bus is not the way back for the first page. */
    dev = device_below_bus(&branch, binding, sizeof(binding));
    branch.props[3] = (struct rt_ofw_prop) { "ranges", sizeof(overlapping), overlapping, RT_NULL };
    branch.props[0].next = &branch.props[3];
    EXPECT(rt_ofw_translate_address(dev->ofw_node, "ranges", 0x1000) == 0x90000000);
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x90000000));
    EXPECT(is_served(dev, 2 * PAGE, POOLS_START + PAGE, POOLS_START + PAGE));
}

/* The heap has no room for one of the two tables: first that of the dma-ranges, then that of the ranges. */
static void dma_ranges_that_cannot_be_read(void)
{
    static struct branch branch;
    static fdt32_t moved[] = { CELLS(0x80000000), CELLS(POOLS_START), CELLS(MIB) };
    static fdt32_t lower[] = { CELLS(0x80000000), CELLS(0x1000), CELLS(MIB) };
    struct rt_device *dev = device_below_bus(&branch, lower, sizeof(lower));

    branch.upper_props[0] = (struct rt_ofw_prop) { "ranges", sizeof(moved), moved, RT_NULL };
    branch.upper.props = branch.upper_props;
    EXPECT(rt_ofw_reverse_address(dev->ofw_node, "ranges", POOLS_START) == 0x80000000);
    host_fail_ranges(1);
    EXPECT(is_refused_with(dev, -RT_ENOMEM));
    host_fail_ranges(0);
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x1000));
    dev = device_below_bus(&branch, lower, sizeof(lower));
    branch.upper_props[0] = (struct rt_ofw_prop) { "ranges", sizeof(moved), moved, RT_NULL };
    branch.upper.props = branch.upper_props;
    EXPECT(rt_ofw_translate_address(dev->ofw_node, "dma-ranges", 0x80000000) == 0x1000);
    host_fail_ranges(1);
    EXPECT(is_refused_with(dev, -RT_ENOMEM));
    host_fail_ranges(0);
    EXPECT(is_served(dev, PAGE, POOLS_START, 0x1000));
}

#if STAND_IN_REVISION >= 2
struct card
{
    struct rt_pci_host_bridge bridge;
    struct rt_pci_bus pci_bus;
    struct rt_pci_device pci;
};

static struct rt_device *device_below_bridge(struct card *card, struct rt_pci_bus_region *windows, rt_size_t count)
{
    static struct rt_bus bus = { .name = "pci" };

    memset(card, 0, sizeof(*card));
    card->bridge.dma_regions = windows;
    card->bridge.dma_regions_nr = count;
    card->pci_bus.host_bridge = &card->bridge;
    card->pci.bus = &card->pci_bus;
    strcpy(card->pci.parent.parent.name, "card");
    card->pci.parent.bus = &bus;
    return &card->pci.parent;
}

static void windows_of_a_bridge(void)
{
    static struct card card;
    static struct rt_pci_bus_region elsewhere[] = { { 0, HOST_RAM, 8 * MIB, 0, 0 } };
    static struct rt_pci_bus_region itself[] = { { 0, 0, 1ULL << 32, 0, 0 } };
    static struct rt_pci_bus_region empty[] = { { 0, 0, 0, 0, 0 } };
    /* The lower memory has the higher handles. */
    static struct rt_pci_bus_region swapped[] =
    {
        { 4 * PAGE, POOLS_START, 4 * PAGE, 0, 0 },
        { 0, POOLS_START + 4 * PAGE, 4 * PAGE, 0, 0 },
    };
    struct rt_device *dev;
    rt_ubase_t handle, other, synced;
    void *buffer, *second;

    EXPECT(is_refused(device_below_bridge(&card, elsewhere, 1)));
    EXPECT(is_refused(device_below_bridge(&card, empty, 1)));
    EXPECT(is_served(device_below_bridge(&card, itself, 1), PAGE, POOLS_START, POOLS_START));
    EXPECT(is_served(device_below_bridge(&card, RT_NULL, 0), PAGE, POOLS_START, POOLS_START));

    /* A buffer that would lie across both windows is placed in the second one. */
    dev = device_below_bridge(&card, swapped, 2);
    buffer = rt_dma_alloc(dev, 3 * PAGE, &handle, 0);
    EXPECT(buffer && handle == 4 * PAGE);
    second = rt_dma_alloc(dev, 3 * PAGE, &other, 0);
    EXPECT(second && other == 0 && (rt_ubase_t)rt_kmem_v2p(second) == POOLS_START + 4 * PAGE);
    EXPECT(!rt_dma_alloc(dev, 2 * PAGE, &synced, 0));
    EXPECT(rt_dma_sync_out_data(dev, (char *)buffer + 2 * PAGE, 2 * PAGE + 1, &synced, 0) == -RT_ERROR);
    EXPECT(rt_dma_sync_out_data(dev, (char *)buffer + 2 * PAGE, 2 * PAGE, &synced, 0) == RT_EOK);
    rt_dma_free(dev, 3 * PAGE, second, other, 0);
    rt_dma_free(dev, 3 * PAGE, buffer, handle, 0);

    /* Only the second window's handles fit in this mask. */
    EXPECT(rt_dma_set_mask_and_coherent(dev, PAGE - 2) == -RT_EIO);
    EXPECT(rt_dma_set_mask_and_coherent(dev, 2 * PAGE - 1) == RT_EOK);
    EXPECT(is_served(dev, 2 * PAGE, POOLS_START + 4 * PAGE, 0));
    EXPECT(!rt_dma_alloc(dev, 3 * PAGE, &handle, 0));
    EXPECT(rt_dma_set_mask_and_coherent(dev, ALL_ADDRESSES) == RT_EOK);
}
#endif

void memory_that_no_range_covers(void)
{
    ranges_as_the_translator_reads_them();
    nested_buses();
    ranges_and_dma_ranges();
    ranges_that_cannot_be_read();
    dma_ranges_that_cannot_be_read();
    ranges_without_dma_ranges();
    ranges_read_in_place_of_dma_ranges();
#if STAND_IN_REVISION >= 2
    windows_of_a_bridge();
#endif
    host_forget_ranges();
}
