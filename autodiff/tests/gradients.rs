//! Every op of the crate, held to the laws of [`autodiff::check`]: numerical differentiation at first and second order, in
//! `f64` at a relative tolerance of 10⁻⁷, and all others, over random shapes, layouts and broadcasting.
//!
//! `PROPTEST_CASES` sets how many cases an op is tried on, `PROPTEST_RNG_SEED` which.

#[path = "gradients/compositions.rs"]
mod compositions;
#[path = "gradients/faults.rs"]
mod faults;
#[path = "gradients/graphs.rs"]
mod graphs;
#[path = "gradients/laws.rs"]
mod laws;
#[path = "gradients/mutants.rs"]
mod mutants;
#[path = "gradients/page.rs"]
mod page;
#[path = "gradients/parity/mod.rs"]
mod parity;
mod registry;
#[path = "gradients/source.rs"]
mod source;
#[path = "gradients/subgradients.rs"]
mod subgradients;
