//! Every op of the crate, held to the laws of [`autodiff::check`]: numerical differentiation at first and second order, in
//! `f64` at a relative tolerance of 10⁻⁷, and all others, over random shapes, layouts and broadcasting.
//!
//! `PROPTEST_CASES` sets how many cases a line of the table runs, `PROPTEST_RNG_SEED` which.

#[path = "gradients/faults.rs"]
mod faults;
#[path = "gradients/harness.rs"]
mod harness;
#[path = "gradients/mutants.rs"]
mod mutants;
#[path = "gradients/subgradients.rs"]
mod subgradients;
#[path = "gradients/table.rs"]
mod table;
