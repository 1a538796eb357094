//! Loops over slices: the only place with threads and with `unsafe`. Knows shapes and strides, but no gradient.
#![allow(unsafe_code)]

pub(crate) mod blend;
pub(crate) mod buffer;
pub(crate) mod channel;
pub(crate) mod compiled;
pub(crate) mod conv;
pub(crate) mod dispatch;
pub(crate) mod extreme;
pub(crate) mod gemm;
pub(crate) mod groups;
pub(crate) mod index;
pub(crate) mod map;
pub(crate) mod math;
pub(crate) mod memory;
pub(crate) mod parallel;
pub(crate) mod peak;
pub(crate) mod pool;
pub(crate) mod products;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod softmax;
pub(crate) mod sort;
pub(crate) mod strided;
mod sums;
pub(crate) mod tally;
mod team;
pub(crate) mod triangle;
mod vector;
