/* SPDX-License-Identifier: Apache-2.0 */
/* Trace points of the driver for NVMe, which are off. */
#define trace_nvme_sq(rq, head, tail) ((void)(rq), (void)(head), (void)(tail))
