/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file rt_dma_version.h
 * @brief The version of the C interface, by the rules of https://semver.org.
 *
 * A part of the version rises in these cases:
 * - Major: a driver that compiled and worked may no longer do so.
 * - Minor: something is added.
 * - Patch: only the implementation changes.
 *
 * docs/abi/ has the interface of each released version; current.txt there is that of this tree.
 */

#ifndef RT_DMA_VERSION_H
#define RT_DMA_VERSION_H

/** @brief The major version. */
#define RT_DMA_POOL_VERSION_MAJOR 1
/** @brief The minor version, below 100. */
#define RT_DMA_POOL_VERSION_MINOR 0
/** @brief The patch version, below 100. */
#define RT_DMA_POOL_VERSION_PATCH 0

/**
 * @brief The version as one number that grows with it: 10203 is 1.2.3. `#if RT_DMA_POOL_VERSION >= 10100` is true from
 * 1.1.0 on.
 */
#define RT_DMA_POOL_VERSION \
    (RT_DMA_POOL_VERSION_MAJOR * 10000 + RT_DMA_POOL_VERSION_MINOR * 100 + RT_DMA_POOL_VERSION_PATCH)

#endif /* RT_DMA_VERSION_H */
