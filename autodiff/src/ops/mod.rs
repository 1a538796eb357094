//! The operations: a file a family. Each op is a struct with its [`Op`](crate::Op) and the method of
//! [`Tensor`](crate::Tensor) that applies it.
//!
//! # Conventions
//!
//! Where a function has no derivative, the gradient is the following choice, and tests hold it:
//!
//! | function | at | gradient |
//! |---|---|---|
//! | `relu`, `abs`, `sign`, `step`, `rnn_relu` | 0 | 0 |
//! | `floor`, `ceil`, `trunc`, `round` | a step | 0 |
//! | `leaky_relu` | 0 | the slope |
//! | `elu` | 0 | `α` |
//! | `selu` | 0 | `λ α` |
//! | `clamp`, `relu6`, `hard_tanh`, `hard_sigmoid` | either bend | 0 |
//! | `hard_swish` | -3 and 3 | 0 and 1 |
//! | `soft_shrink`, `hard_shrink` | either threshold | 0 |
//! | `threshold` | the threshold | 0 |
//! | `prelu` | 0 | the slope |
//! | `pow` | base and exponent 0 | 0 to both |
//! | `atan2`, `hypot` | the origin | 0 to both |
//! | `fmod`, `remainder` | a jump | as beside it |
//! | `sqrt`, `rsqrt`, `asin`, `acos`, `acosh`, `atanh` | the end of where they are defined | infinite |
//! | `maximum`, `minimum` | equal elements | half to each |
//! | `max`, `max_axes`, `max_keep`, `min`, `min_axes`, `min_keep` | several extremes | equal shares |
//! | `cummax`, `cummin` | several extremes so far | all to the last |
//! | `sort`, `topk` | equal elements | to each its own, in their order |
//! | `std`, `std_axes`, `std_keep` | equal elements | 0 |
//! | `norm`, `norm_axes`, `norm_keep` | an element that is 0 | 0 |
//! | `max_pool1d`, `max_pool2d` | several maxima in a window | all to the first in row order |
//! | `adaptive_max_pool1d`, `adaptive_max_pool2d` | several maxima in a bin | all to the first in row order |
//! | `normalize`, `cosine_similarity` | a vector of zeros | that with the length `ε`, a constant |
//! | `pairwise_distance` | equal vectors, if `ε` is 0 | 0 |
//!
//! NaN survives `relu`, `maximum`, `minimum`, `max_axes`, `min_axes` and pooling. Sizes of zero work; the sum of nothing
//! is 0, the mean of nothing NaN, the maximum of nothing -∞.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod binary;
pub(crate) mod conv;
pub(crate) mod distance;
pub(crate) mod dropout;
pub(crate) mod einsum;
pub(crate) mod index;
pub(crate) mod joining;
pub(crate) mod matmul;
pub(crate) mod movement;
pub(crate) mod norm;
pub(crate) mod pad;
pub(crate) mod pair;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod resize;
pub(crate) mod scan;
pub(crate) mod select;
pub(crate) mod slicing;
pub(crate) mod softmax;
pub(crate) mod sort;
pub(crate) mod spread;
pub(crate) mod strided;
pub(crate) mod unary;
