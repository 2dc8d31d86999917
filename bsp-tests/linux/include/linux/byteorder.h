/* SPDX-License-Identifier: Apache-2.0 */
/* Byte order. The processor is little-endian. */
#ifndef LEAST_BYTEORDER_H
#define LEAST_BYTEORDER_H

#include <linux/types.h>

#define __LITTLE_ENDIAN         1234
#define __LITTLE_ENDIAN_BITFIELD
#define swab16(x)               __builtin_bswap16(x)
#define swab32(x)               __builtin_bswap32(x)
#define swab64(x)               __builtin_bswap64(x)
#define cpu_to_le16(x)          ((__le16)(x))
#define cpu_to_le32(x)          ((__le32)(x))
#define cpu_to_le64(x)          ((__le64)(x))
#define le16_to_cpu(x)          ((u16)(x))
#define le32_to_cpu(x)          ((u32)(x))
#define le64_to_cpu(x)          ((u64)(x))
#define cpu_to_be16(x)          swab16(x)
#define cpu_to_be32(x)          swab32(x)
#define cpu_to_be64(x)          swab64(x)
#define be16_to_cpu(x)          swab16(x)
#define be32_to_cpu(x)          swab32(x)
#define be64_to_cpu(x)          swab64(x)
#define le16_to_cpup(p)         le16_to_cpu(*(p))
#define le32_to_cpup(p)         le32_to_cpu(*(p))
#define le64_to_cpup(p)         le64_to_cpu(*(p))
#define be16_to_cpup(p)         be16_to_cpu(*(p))
#define be32_to_cpup(p)         be32_to_cpu(*(p))
#define le16_to_cpus(p)         ((void)(p))
#define le32_to_cpus(p)         ((void)(p))
#define cpu_to_le16s(p)         ((void)(p))
#define cpu_to_le32s(p)         ((void)(p))
#define le16_add_cpu(p, value)  (*(p) += (value))
#define le32_add_cpu(p, value)  (*(p) += (value))
#define __constant_cpu_to_le16  cpu_to_le16
#define __constant_cpu_to_le32  cpu_to_le32
#define __cpu_to_le16           cpu_to_le16
#define __le16_to_cpu           le16_to_cpu
#define __le32_to_cpu           le32_to_cpu
#define htons                   cpu_to_be16
#define htonl                   cpu_to_be32
#define ntohs                   be16_to_cpu
#define ntohl                   be32_to_cpu

/* The device's memory may have any alignment: the bytes are copied. */
#define LEAST_UNALIGNED(width, type, order)                                 \
    static inline type get_unaligned_##order##width(const void *p)         \
    {                                                                       \
        type value;                                                         \
        __builtin_memcpy(&value, p, sizeof(value));                         \
        return order##width##_to_cpu(value);                                \
    }                                                                       \
    static inline void put_unaligned_##order##width(type value, void *p)   \
    {                                                                       \
        value = cpu_to_##order##width(value);                               \
        __builtin_memcpy(p, &value, sizeof(value));                         \
    }
LEAST_UNALIGNED(16, u16, le)
LEAST_UNALIGNED(32, u32, le)
LEAST_UNALIGNED(64, u64, le)
LEAST_UNALIGNED(16, u16, be)
LEAST_UNALIGNED(32, u32, be)
LEAST_UNALIGNED(64, u64, be)
#undef LEAST_UNALIGNED

#define get_unaligned(p) ({ struct { __typeof__(*(p)) value __packed; } __packed *unaligned = (void *)(p); unaligned->value; })
#define put_unaligned(v, p) \
    do { struct { __typeof__(*(p)) value __packed; } __packed *unaligned = (void *)(p); unaligned->value = (v); } while (0)

#endif
