//! error: E0603 module `additions`
//! `Streaming::map` and `unmap` copy to and from any address.
#![forbid(unsafe_code)]
use rt_dma_pool::additions::streaming::Streaming;

pub fn use_streaming<K>(_: Streaming<'_, K>) {}
