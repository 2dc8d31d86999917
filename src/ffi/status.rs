//! The error numbers of C, and the one of each [`Error`]. A call whose errors are of another type, such as
//! `rt_dma_pool_uninstall`, converts them itself.

use crate::error::Error;
use crate::kernel::rtthread::{configuration, rt_dma_port_errors};

/// Returns the BSP's error numbers.
pub fn errors() -> &'static rt_dma_port_errors {
    &configuration().errors
}

/// Returns the error number of a call's result.
pub fn status(result: Result<(), Error>) -> isize {
    let errors = errors();
    match result {
        Ok(()) => errors.ok,
        Err(Error::NoMemblock) => errors.nosys,
        Err(Error::NoRegion) => errors.empty,
        Err(Error::NoMemory) => errors.nomem,
        Err(Error::Context | Error::Leaving) => errors.busy,
        Err(Error::NotReachable | Error::Overlap) => errors.error,
        Err(
            Error::BadSize
            | Error::NotMapped
            | Error::NoBuffer
            | Error::NotAllocated
            | Error::WrongSize
            | Error::WrongHandle
            | Error::NoNode
            | Error::Disabled
            | Error::NoReg
            | Error::BadReg
            | Error::NoMapAndReusable
            | Error::NotReserved
            | Error::NoPageTables,
        ) => errors.inval,
    }
}
