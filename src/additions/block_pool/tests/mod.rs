//! The tests of block pools that need parts which only the library sees.

mod interleaved;
pub mod preemption;
pub mod trim;
