//! The configuration of the BSP, as the port measured it.

/// @brief The BSP's error numbers, negated as RT-Thread returns them (`-RT_EINVAL`). Their values depend on the BSP's
/// configuration.
#[repr(C)]
pub struct rt_dma_port_errors {
    /// `RT_EOK`
    pub ok: isize,
    /// `-RT_EINVAL`
    pub inval: isize,
    /// `-RT_ENOSYS`
    pub nosys: isize,
    /// `-RT_EEMPTY`
    pub empty: isize,
    /// `-RT_ENOMEM`
    pub nomem: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EIO`
    pub io: isize,
}

/// @brief Constants of the BSP's configuration. The port defines the only one, as `rt_dma_port_configuration`.
#[repr(C)]
pub struct rt_dma_port_configuration {
    /// The BSP's error numbers.
    pub errors: rt_dma_port_errors,
    /// `RT_DMA_POOL_VIEW_LIMIT`: the largest size, in MiB, of a pool that is mapped as a whole for its uncached or
    /// write-through buffers.
    pub view_limit_mib: u16,
    /// 1 if `rt_dma_pool_extract` takes a region list and two sizes (RT-Thread 5.2.0 to 5.2.2), 2 if it takes only the
    /// two sizes (master since December 2025).
    pub revision: u16,
    /// Offset of `dma_ops` in a `struct rt_device`, in bytes.
    pub ops_offset: u16,
    /// 1 if a pool up to the view limit is mapped for uncached buffers when it is installed
    /// (`PKG_RT_DMA_POOL_MAP_AT_INSTALL`), 0 if at its first uncached buffer.
    pub maps_at_install: u16,
}

unsafe extern "C" {
    /// The constants of the BSP's configuration. cbindgen leaves this out: `rtthread-port/rt_dma_port.h` declares it.
    pub static rt_dma_port_configuration: rt_dma_port_configuration;
}

/// Returns the BSP's configuration.
pub fn configuration() -> &'static rt_dma_port_configuration {
    // SAFETY: the port defines it as a constant.
    unsafe { &rt_dma_port_configuration }
}

/// Returns the revision of the interface that the BSP's headers declare: 1 or 2.
pub fn revision() -> u16 {
    configuration().revision
}
