//! Every op of the crate, held to numerical differentiation: first and second order, over random shapes, layouts and
//! broadcasting, in `f64` at a relative tolerance of 10⁻⁷.
//!
//! `PROPTEST_CASES` sets how many cases a line of the table runs, `PROPTEST_RNG_SEED` which.

#[path = "gradients/faults.rs"]
mod faults;
#[path = "gradients/harness.rs"]
mod harness;
#[path = "gradients/subgradients.rs"]
mod subgradients;
#[path = "gradients/table.rs"]
mod table;
