//! The stand-in kernel as an image. The library of this package describes it.

#![no_std]
#![no_main]

use stand_in as _;
