/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a BSP's board set-up that concerns DMA memory, and the part of the device framework that the port uses. */
#include <rtthread.h>
#include <rtdevice.h>
#include <mm_memblock.h>
#include <stand_in.h>

#define DBG_TAG "board"
#define DBG_LVL DBG_INFO
#include <rtdbg.h>

int stand_in_fdt_has(const char *compatible, const char *property);

/* The linker sets these two to the ends of the section that INIT_BOARD_EXPORT fills. Without the section they are null. */
extern const init_fn_t __start_stand_in_init[] rt_weak, __stop_stand_in_init[] rt_weak;

#ifndef BSP_WITHOUT_DEVICE_TREE
static rt_err_t extract(rt_size_t cma_size, rt_size_t coherent_size)
{
#if STAND_IN_REVISION >= 2
    return rt_dma_pool_extract(cma_size, coherent_size);
#else
    static rt_region_t regions[8];
    rt_size_t count = 0;
    struct rt_mmblk_reg *reg;

    rt_slist_for_each_entry(reg, &rt_memblock_get_reserved()->reg_list, node)
    {
        if (reg->memreg.name && !rt_strcmp(reg->memreg.name, "dma-pool") && count < RT_ARRAY_SIZE(regions))
        {
            regions[count++] = reg->memreg;
        }
    }
    return rt_dma_pool_extract(regions, count, cma_size, coherent_size);
#endif
}
#endif

/* After the heap and the kernel's address space, before threads run: interrupts are still masked here. */
void stand_in_board_init(void)
{
#ifndef BSP_WITHOUT_DEVICE_TREE
    rt_err_t err = extract(stand_in_cma_size(), stand_in_coherent_size());

    if (err)
    {
        LOG_E("Extract DMA pools: %s (%d)", rt_strerror(err), (int)err);
    }
#endif
    for (const init_fn_t *init = __start_stand_in_init; init < __stop_stand_in_init; ++init)
    {
        (*init)();
    }
}

const char *rt_dm_dev_get_name(rt_device_t dev)
{
    return dev->parent.name;
}

/* A device of the stand-in holds its node's compatible string in user_data. */
rt_bool_t rt_dm_dev_prop_read_bool(rt_device_t dev, const char *propname)
{
    return dev->user_data && stand_in_fdt_has(dev->user_data, propname);
}
