/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dma-direction.h
 * @brief For porting drivers from Linux: the direction of a transfer.
 *
 * A port that declares `enum dma_data_direction` itself defines `RT_DMA_LINUX_HAS_DIRECTION` before it includes any of
 * these headers. The values are those of `RT_DMA_BIDIRECTIONAL`, `RT_DMA_TO_DEVICE`,
 * `RT_DMA_FROM_DEVICE` and `RT_DMA_NONE`.
 */
#ifndef RT_DMA_LINUX_DMA_DIRECTION_H
#define RT_DMA_LINUX_DMA_DIRECTION_H

/* Linux's own header declares the direction, too. */
#if !defined(RT_DMA_LINUX_HAS_DIRECTION) && !defined(_LINUX_DMA_DIRECTION_H)

/** @brief In which direction a transfer moves data. */
enum dma_data_direction
{
    /** The device reads and writes. */
    DMA_BIDIRECTIONAL = 0,
    /** The device reads what the processor wrote. */
    DMA_TO_DEVICE = 1,
    /** The processor reads what the device wrote. */
    DMA_FROM_DEVICE = 2,
    /** No direction: no mapping is made with it. */
    DMA_NONE = 3
};

#endif

/** @brief Returns whether a direction is one with which a mapping can be made. */
static inline int rt_dma_linux_is_direction(enum dma_data_direction direction)
{
    return direction == DMA_BIDIRECTIONAL || direction == DMA_TO_DEVICE || direction == DMA_FROM_DEVICE;
}

/** @brief Linux's name. It is a macro, because the port or Linux's header may have defined such a function before. */
#define valid_dma_direction rt_dma_linux_is_direction

#endif /* RT_DMA_LINUX_DMA_DIRECTION_H */
