//! What the benchmark programs share: how they frame HTTP/1.1 and what they say to each other.
//! Never part of the product.

pub mod content;
pub mod http1;
