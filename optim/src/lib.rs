//! Optimisers: they take the gradients that `backward` has left with the parameters of a model, and move its values.
//!
//! ```
//! use autodiff::{Parameter, Tensor};
//! use optim::{Adam, Optimizer};
//!
//! // Five points on the line y = 2x + 1, and a line that is to find them.
//! let x = Tensor::<f32>::from_vec([-2.0, -1.0, 0.0, 1.0, 2.0], [5])?;
//! let y = &x * 2.0 + 1.0;
//! let mut line = (Parameter::new(Tensor::scalar(0.0)), Parameter::new(Tensor::scalar(0.0)));
//!
//! let mut optimizer = Adam::new(0.1);
//! for epoch in 0..200 {
//!     let (slope, intercept) = &line;
//!     let loss = (&x * slope + intercept - &y).square().mean();
//!     loss.backward()?;
//!     optimizer.step(&mut line)?;
//!     if epoch == 100 {
//!         optimizer.set_learning_rate(0.01);
//!     }
//! }
//! assert!((line.0.item() - 2.0).abs() < 1e-2);
//! assert!((line.1.item() - 1.0).abs() < 1e-2);
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! A step *takes* the gradients, so there is no `zero_grad` to forget: each step uses what was added up since the last
//! one. It says which parameters got no gradient, by name ([`Step`]). `w`, the values of a parameter, `g`, its
//! gradient, and the state of the optimiser are read and written in a single pass, in place; the bits of the result do
//! not depend on the number of threads.
//!
//! | optimiser    | state   | `w` moves by                                               |
//! |--------------|---------|------------------------------------------------------------|
//! | [`Sgd`]      |         | `-η g`                                                     |
//! | [`Momentum`] | `v`     | `v`, a sum of past steps that fades                        |
//! | [`AdaGrad`]  | `h`     | `-η g / √h`, with `h` the sum of all `g²`                  |
//! | [`RmsProp`]  | `h`     | `-η g / √h`, with `h` a mean of `g²` that forgets          |
//! | [`Adam`]     | `m`, `v`| `-η m / √v`, with `m` and `v` such means of `g` and `g²`   |
//! | [`AdamW`]    | `m`, `v`| the same, and decays `w` apart from that                   |
//!
//! # State
//!
//! State belongs to a parameter's name, as `"blocks.2.conv.weight"`. It is made, with zeros, when the parameter is
//! first stepped, and counts the steps of this parameter alone: one that joins later, or was frozen for a while, has
//! its bias corrected rightly. A parameter without gradient keeps values and state.
//!
//! One optimiser serves one model, as the names of two may coincide. To train two models at once, hold them in a tuple.
//!
//! # Weight decay
//!
//! `weight_decay(λ)` pulls weights towards zero, in one of two ways:
//!
//! - **Coupled**, in all but [`AdamW`]: `g ← g + λ w`, the gradient of a penalty `λ/2 |w|²` in the loss. What the
//!   optimiser does to `g` it does to the penalty too.
//! - **Decoupled**, in [`AdamW`]: `w ← w - η λ w`, besides the step that `g` makes.
//!
//! For [`Sgd`] both are the same. An optimiser that divides by `√h` divides a coupled penalty as well, so that weights
//! with large gradients decay *less*; decoupled, all decay alike (Loshchilov and Hutter, arXiv:1711.05101).
//!
//! # Search
//!
//! Which learning rate, which decay: [`search`] tries many at random, side by side, and narrows the ranges around the
//! best.
//!
//! # Numbers
//!
//! Hyperparameters are `f64`. What does not change within a step, as `η / (1 - β₁ᵗ)`, is computed in `f64` and rounded
//! to the element type once.

#[macro_use]
mod engine;
mod adam;
mod adaptive;
mod optimizer;
pub mod search;
mod sgd;

pub use adam::{Adam, AdamW};
pub use adaptive::{AdaGrad, RmsProp};
pub use optimizer::{Optimizer, Step};
pub use sgd::{Momentum, Sgd};
