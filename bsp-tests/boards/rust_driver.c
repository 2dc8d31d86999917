/* SPDX-License-Identifier: Apache-2.0 */
/* A board with a driver in Rust, rust_driver.rs, which is linked in place of the library and contains it. */
#include <rtdevice.h>
#include "expect.h"
#include "kernel.h"

/* Returns a text that states what went wrong, or null. */
const char *rust_driver(struct rt_device *dev);

int main(void)
{
    static struct rt_device device = { .parent.name = "rust" };
    rt_region_t region = { HOST_RAM + 16 * MIB, HOST_RAM + 17 * MIB, "dma" };
    const char *wrong;

    host_start();
    EXPECT(rt_dma_pool_install(&region));
    wrong = rust_driver(&device);
    printf("rust_driver: %s\n", wrong ? wrong : "all is well");

    return wrong != RT_NULL;
}
