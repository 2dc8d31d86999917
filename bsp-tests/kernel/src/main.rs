//! The stand-in kernel as an image; see the library of this package.

#![no_std]
#![no_main]

use stand_in as _;
