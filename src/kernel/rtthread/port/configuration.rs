//! The constants of the BSP's configuration.

/// The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
/// configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: i16,
    /// `-RT_EINVAL`
    pub inval: i16,
    /// `-RT_ENOSYS`
    pub nosys: i16,
    /// `-RT_EEMPTY`
    pub empty: i16,
    /// `-RT_ENOMEM`
    pub nomem: i16,
    /// `-RT_EBUSY`
    pub busy: i16,
    /// `-RT_ERROR`
    pub error: i16,
    /// `-RT_EIO`
    pub io: i16,
}

/// Constants of the BSP's configuration.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// Largest size, in MiB, of a pool that is mapped as a whole for its uncached or write-through buffers; 0 to
    /// 32,767.
    pub view_limit: i16,
    /// 1 if `drivers/dma.h` declares `rt_dma_pool_extract` with a region list (RT-Thread 5.2.0 to 5.2.2), 2 if with two
    /// sizes.
    pub revision: i16,
    /// Offset of `dma_ops` in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// 1 if the configuration has `PKG_RT_DMA_POOL_MAP_AT_INSTALL`, else 0.
    pub maps_at_install: i16,
    /// Size of the largest cache line that the BSP states (`RT_CPU_CACHE_LINE_SZ`), in bytes; 0 if it states none.
    pub stated_cache_line: u16,
}

unsafe extern "C" {
    /// The constants of the BSP's configuration. cbindgen leaves this out: `rtthread-port/rt_dma_port.h` declares it.
    pub static rt_dma_port_configuration: rt_dma_port_configuration;
}
