#![doc = "Tape-based automatic differentiation."]

mod array;
mod backward;
pub mod check;
mod error;
mod float;
mod kernel;
mod op;
mod ops;
mod parameter;
mod random;
mod shape;
mod tape;
mod tensor;

pub use array::Array;
pub use backward::{grad, pull_back};
pub use error::{Error, ErrorKind, Result, Site};
pub use float::{Float, Real};
pub use kernel::buffer::{Element, Memory, memory, trim};
pub use kernel::parallel::with_threads;
pub use op::{Op, Point, Reads};
pub use ops::binary::{Add, Div, Mul, Sub};
pub use ops::conv::ConvOptions;
pub use ops::pool::PoolOptions;
pub use parameter::{Module, Parameter, Path, Place, PlaceMut, Running};
pub use random::Rng;
pub use shape::{Axes, MAX_RANK, Shape};
pub use tape::{is_recording, no_grad};
pub use tensor::Tensor;
