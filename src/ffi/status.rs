//! The one place in which results become the error numbers of C.

use crate::error::Error;
use crate::kernel::rtthread::configuration;

/// The BSP's error numbers, as C calls return them. Their values depend on the BSP's configuration.
pub struct Errors {
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
    /// `-RT_ERROR`
    pub error: isize,
    /// `-RT_EBUSY`
    pub busy: isize,
    /// `-RT_EIO`
    pub io: isize,
}

/// Returns the BSP's error numbers.
pub fn errors() -> Errors {
    let errors = &configuration().errors;
    Errors {
        ok: errors.ok.into(),
        inval: errors.inval.into(),
        nosys: errors.nosys.into(),
        empty: errors.empty.into(),
        nomem: errors.nomem.into(),
        error: errors.error.into(),
        busy: errors.busy.into(),
        io: errors.io.into(),
    }
}

/// Returns the error number of a call's result.
pub fn status(result: Result<(), Error>) -> isize {
    let errors = errors();
    match result {
        // The memory is above 4 GiB, but the call succeeded.
        Ok(()) | Err(Error::High) => errors.ok,
        Err(Error::NoList) => errors.nosys,
        Err(Error::NoRegion) => errors.empty,
        Err(Error::NoMemory) => errors.nomem,
        Err(Error::Context | Error::Leaving) => errors.busy,
        Err(Error::NotReachable | Error::Overlap) => errors.error,
        Err(_) => errors.inval,
    }
}
