//! The operations: a file a family. Each op is a struct with its [`Op`](crate::Op) and the method of
//! [`Tensor`](crate::Tensor) that applies it.
//!
//! # Conventions
//!
//! Where a function has no derivative, the gradient is the following choice, and tests hold it:
//!
//! | function | at | gradient |
//! |---|---|---|
//! | `relu`, `abs`, `sign`, `step` | 0 | 0 |
//! | `sqrt` | 0 | infinite |
//! | `maximum`, `minimum` | equal elements | half to each |
//! | `max`, `max_axes`, `max_keep`, `min`, `min_axes`, `min_keep` | several extremes | equal shares |
//! | `max_pool2d` | several maxima in a window | all to the first in row order |
//!
//! NaN survives `relu`, `maximum`, `minimum`, `max_axes`, `min_axes` and pooling. Sizes of zero work; the sum of nothing
//! is 0, the mean of nothing NaN, the maximum of nothing -∞.

pub(crate) mod binary;
pub(crate) mod conv;
pub(crate) mod index;
pub(crate) mod matmul;
pub(crate) mod movement;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod reduce;
pub(crate) mod select;
pub(crate) mod softmax;
pub(crate) mod unary;
