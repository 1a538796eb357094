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
//! | optimiser    | state   | `w` moves by                                                               |
//! |--------------|---------|----------------------------------------------------------------------------|
//! | [`Sgd`]      |         | `-η g`                                                                     |
//! | [`Momentum`] | `v`     | `v`, a sum of past steps that fades                                        |
//! | [`AdaGrad`]  | `h`     | `-η g / √h`, with `h` the sum of all `g²`                                  |
//! | [`RmsProp`]  | `h`     | `-η g / √h`, with `h` a mean of `g²` that forgets                          |
//! | [`AdaDelta`] | `h`, `s`| `-η g √s / √h`, with `s` such a mean of past moves, squared                |
//! | [`Adam`]     | `m`, `v`| `-η m / √v`, with `m` and `v` such means of `g` and `g²`                   |
//! | [`AdamW`]    | `m`, `v`| the same, and decays `w` apart from that                                   |
//! | [`Adamax`]   | `m`, `u`| `-η m / u`, with `u` the largest of past `\|g\|`, which fade               |
//! | [`NAdam`]    | `m`, `v`| as Adam, with `m` a step ahead                                             |
//! | [`RAdam`]    | `m`, `v`| as Adam, but `-η m` until `v` can be trusted                               |
//! | [`Lamb`]     | `m`, `v`| as `AdamW`, and as long as `w`: for large batches                          |
//! | [`Lion`]     | `m`     | `-η sign(m)`                                                               |
//! | [`Rprop`]    | `p`, `s`| `-s sign(g)`, with `s` growing while `g` keeps its sign: for all data at once |
//!
//! Some options need a slot of state more, which is made only if they are on: [`Adam::amsgrad`], [`RmsProp::centered`],
//! [`RmsProp::momentum`].
//!
//! # Groups
//!
//! Parameters whose name matches a pattern can have a learning rate and a weight decay of their own, or be frozen; see
//! [`Group`]. A pattern that matches nothing is an error.
//!
//! ```
//! use optim::Adam;
//! let optimizer: Adam = Adam::new(1e-3)
//!     .weight_decay(1e-4)
//!     .group("*.bias", |group| group.weight_decay(0.0))
//!     .group("head.*", |group| group.rate_factor(10.0));
//! ```
//!
//! # Around a step
//!
//! | | |
//! |---|---|
//! | [`Schedule`], [`Plateau`] | the learning rate over time: `optimizer.set_learning_rate(base * schedule.at(step))` |
//! | [`clip_norm`], [`clip_values`] | gradients cut down before the step |
//! | [`Average`] | the weights averaged over steps, exponentially or alike |
//! | [`Lbfgs`] | not a step along a gradient, but several evaluations of the loss |
//!
//! Gradients of several `backward` calls add up until a step takes them: a batch too large for the memory can come in parts.
//! Where the loss is a mean, each of `k` equal parts counts `1 / k`:
//!
//! ```
//! use autodiff::{Parameter, Tensor};
//! use optim::{Optimizer, Sgd};
//! let x = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?;
//! let loss = |w: &Tensor<f64>, x: &Tensor<f64>| (w * x - 1.0).square().mean();
//!
//! let mut at_once = Parameter::new(Tensor::scalar(1.0));
//! loss(&at_once, &x).backward()?;
//! Sgd::new(0.1).step(&mut at_once)?;
//!
//! let mut in_parts = Parameter::new(Tensor::scalar(1.0));
//! for part in 0..2 {
//!     let rows = x.index_select(0, &[part])?;
//!     (loss(&in_parts, &rows) / 2.0).backward()?;
//! }
//! Sgd::new(0.1).step(&mut in_parts)?;
//! assert_eq!(in_parts.item(), at_once.item());
//! # Ok::<(), autodiff::Error>(())
//! ```
//!
//! # State
//!
//! State belongs to a parameter's name, as `"blocks.2.conv.weight"`. It is made, with zeros, when the parameter is
//! first stepped, and counts the steps of this parameter alone: one that joins later, or was frozen for a while, has
//! its bias corrected rightly. A parameter without gradient keeps values and state.
//!
//! All that has a state, [`Average`], [`Plateau`] and [`Lbfgs`] too, gives it as a [`StateDict`](autodiff::StateDict) by
//! `state_dict` and takes it up by `load_state_dict`: training, saving, loading and going on gives the bits of training straight
//! through. A [`Schedule`] has none.
//!
//! One optimiser serves one model, as the names of two may coincide. To train two models at once, hold them in a tuple.
//!
//! # Weight decay
//!
//! `weight_decay(λ)` pulls weights towards zero, in one of two ways:
//!
//! - **Coupled**, in most: `g ← g + λ w`, the gradient of a penalty `λ/2 |w|²` in the loss. What the
//!   optimiser does to `g` it does to the penalty too.
//! - **Decoupled**, in [`AdamW`] and [`Lion`], and in [`NAdam`] and [`RAdam`] by an option: `w ← w - η λ w`, besides the step that `g` makes.
//!
//! For [`Sgd`] both are the same. An optimiser that divides by `√h` divides a coupled penalty as well, so that weights
//! with large gradients decay *less*; decoupled, all decay alike (Loshchilov and Hutter, arXiv:1711.05101).
//!
//! # Search
//!
//! Which learning rate, which decay: [`search`] tries many at random, side by side, and narrows the ranges around the
//! best.
//!
//! # Coming from PyTorch
//!
//! Twenty steps of each, with every option, equal those of `PyTorch` 2.15 to 1e-10 (`tests/parity`); [`Lion`] and [`Lamb`],
//! which it lacks, equal the formulas of their papers. What differs, on purpose:
//!
//! | | `PyTorch` | here |
//! |---|---|---|
//! | [`Momentum`] and the momentum of [`RmsProp`] | `v ← μ v + g; w ← w - η v` | `v ← μ v - η g; w ← w + v`: the same while `η` is constant; when it changes, past steps keep theirs |
//! | [`Momentum`] | `SGD(momentum=..)`, 0 by default | an optimiser of its own, 0.9 by default |
//! | Nesterov's momentum with dampening | an error | follows the formula |
//! | [`RmsProp::centered`] | NaN where rounding makes `h - m²` negative | counts as 0 |
//! | [`RmsProp::decay`], [`Rprop::shrink`], [`Rprop::grow`], [`Rprop::smallest`], [`Rprop::largest`] | `alpha`, `etas`, `step_sizes` | names of their own |
//! | [`AdaGrad::rate_decay`], [`AdaGrad::initial`] | `lr_decay`, `initial_accumulator_value` | names of their own |
//! | `beta1`, `beta2`, `epsilon` | `betas`, `eps` | names of their own |
//! | decay of [`Adam`] | `decoupled_weight_decay` | [`AdamW`] |
//! | learning rate | has a default | is always given |
//! | hyperparameters | `μ`, `ρ`, `α` of 1 and more, `ε` of 0 pass | are refused |
//! | group | own values of every hyperparameter, own learning rate | by pattern; a factor of the learning rate, weight decay, frozen |
//! | a parameter without gradient | is skipped silently | is skipped, and named by the step |
//! | [`clip_norm`] | divides by the norm plus 1e-6; passes a norm that is not finite | divides by the norm; an error |
//! | [`Schedule::cosine`], [`OneCycle`] | climb again, or fail, after their end | stay |
//! | [`Plateau`], floors of schedules | learning rates | factors of the base learning rate |
//! | [`Lbfgs`] | a closure that calls `backward`, a loss of NaN goes on | a function of the model, an error, from which a line search turns back |
//! | gradients | stay until `zero_grad` | are taken by the step |
//! | `maximize` | an option | change the sign of the loss |
//!
//! # Numbers
//!
//! Hyperparameters are `f64`. What does not change within a step, as `η / (1 - β₁ᵗ)`, is computed in `f64` and rounded
//! to the element type once.

#[macro_use]
mod engine;
mod adam;
mod adaptive;
mod average;
mod clip;
mod group;
mod lbfgs;
mod optimizer;
mod schedule;
pub mod search;
mod sgd;
mod sign;

pub use adam::{Adam, AdamW, Adamax, Lamb, NAdam, RAdam};
pub use adaptive::{AdaDelta, AdaGrad, RmsProp};
pub use average::Average;
pub use clip::{clip_norm, clip_values};
pub use group::Group;
pub use lbfgs::{Lbfgs, LbfgsStep};
pub use optimizer::{Optimizer, Step};
pub use schedule::{OneCycle, Plateau, Schedule};
pub use sgd::{Momentum, Sgd};
pub use sign::{Lion, Rprop};
