//! Tape-based automatic differentiation: write a computation in plain Rust, call [`backward`](Tensor::backward), and
//! read the gradients.
//!
//! ```
//! use autodiff::{Parameter, Rng, Tensor};
//!
//! // A line through noisy points, fitted by gradient descent.
//! let mut rng = Rng::seed(1);
//! let x: Tensor = rng.uniform([100, 1], -1.0, 1.0);
//! let noise: Tensor = rng.normal([100, 1], 0.0, 0.01);
//! let y = &x * 3.0 + 0.5 + noise;
//!
//! let mut weight = Parameter::new(Tensor::zeros([1, 1]));
//! let mut bias = Parameter::new(Tensor::zeros([1]));
//! for _ in 0..200 {
//!     let prediction = x.matmul(&weight)? + &bias; // recorded on the tape, with broadcasting
//!     let loss = (prediction - &y).square().mean();
//!     loss.backward()?; // reads the tape backwards, leaves gradients with the parameters
//!     for parameter in [&mut weight, &mut bias] {
//!         parameter.step(|value, grad| *value = value.zip(grad, |w, g| w - 0.5 * g).unwrap());
//!     }
//! }
//! assert!((weight.item() - 3.0).abs() < 0.01 && (bias.item() - 0.5).abs() < 0.01);
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! # Values in and out
//!
//! ```
//! use autodiff::{Tensor, tensor};
//! let x: Tensor = tensor![[1.0, 2.0], [3.0, 4.0]]; // of f32; `Tensor<f64>` asks for the other
//! let rows = Tensor::try_from(vec![vec![0.5, 0.25], vec![-1.0, 0.0]])?; // fails if one row is longer
//! let halves: Tensor = (0..2).map(|i| i as f32 / 2.0).collect();
//! let steps = Tensor::linspace(0.0, 1.0, 2);
//! let y = (x + rows + halves) * steps;
//! assert_eq!(y.to_string(), "[[0.   2.75]\n [0.   4.5 ]]"); // printed as NumPy prints
//! assert_eq!(y.to_vec(), [0.0, 2.75, 0.0, 4.5]);
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! # The map
//!
//! | | |
//! |---|---|
//! | Values | [`Tensor`], tracked or not; [`Array`], its numbers; [`Shape`]; [`Float`] is `f32` or `f64` |
//! | Literals | [`tensor!`], [`array!`] |
//! | Gradients | [`Tensor::backward`]; [`grad`] and [`pull_back`], which can be differentiated again; [`no_grad`] |
//! | Transforms | [`vjp`], [`jvp`], [`value_and_grad`], [`jacobian`], [`hessian`], [`hvp`], [`per_sample_grads`]; [`checkpoint`]; [`backward_in_parts`]; [`Tensor::map_grad`] |
//! | Places | [`Parameter`], [`Running`]; [`Module`] walks over them by name |
//! | A look at the tape | [`Graph`], its steps and what each keeps; [`Graph::sweep`], the backward pass step by step |
//! | Your own ops | [`Op`], one forward and one rule per input |
//! | Trust | [`check`] holds gradients to numerical differentiation |
//! | Randomness, threads, memory | [`Rng`], [`with_threads`], [`memory`], [`peak_memory`] |
//!
//! A method returns a [`Result`] if and only if a caller can get it wrong; errors name the op, the shapes and the
//! caller's line. Operators (`+ - * /`) panic with the same text; `Add.apply(&[&a, &b])?` does not.
//!
//! The bits of a result depend on neither the number of threads nor their timing. They may differ between processors
//! with and without fused multiply-add (matrix products and convolutions).

mod array;
mod backward;
pub mod check;
mod convert;
mod create;
mod error;
mod float;
pub mod graph;
mod kernel;
mod macros;
mod op;
mod ops;
mod parameter;
mod parts;
mod print;
mod random;
mod scoped;
mod shape;
mod state;
mod tape;
mod tensor;
mod transform;

pub use array::Array;
pub use backward::{grad, pull_back};
pub use error::{Error, ErrorKind, Result, Site};
pub use float::{Elementary, Float, Real};
pub use graph::Graph;
pub use kernel::buffer::Element;
pub use kernel::memory::trim;
pub use kernel::parallel::with_threads;
pub use kernel::peak::peak_memory;
pub use kernel::tally::{Memory, memory};
pub use op::{Op, Point, Reads};
pub use ops::attention::{AttentionMask, AttentionOptions};
pub use ops::binary::{Add, Div, Mul, Sub};
pub use ops::conv::{ConvOptions, ConvTransposeOptions};
pub use ops::pad::PadMode;
pub use ops::pool::PoolOptions;
pub use ops::resize::Interpolation;
pub use ops::slicing::{Index, Indices};
pub use parameter::{Counter, Module, Parameter, Path, Place, PlaceMut, Running};
pub use parts::backward_in_parts;
pub use random::Rng;
pub use shape::{Axes, MAX_RANK, Shape};
pub use state::{Mismatch, Misshapen, StateDict};
pub use tape::{is_recording, no_grad};
pub use tensor::Tensor;
pub use transform::{checkpoint, hessian, hvp, jacobian, jvp, per_sample_grads, value_and_grad, vjp};
