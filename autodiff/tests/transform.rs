//! Transforms: exact, composable, and clean. What they return is held to numerical differentiation, to closed forms, and
//! to each other.

#[path = "transform/checkpoint.rs"]
mod checkpoint;
#[path = "transform/composing.rs"]
mod composing;
#[path = "transform/harness.rs"]
mod harness;
#[path = "transform/mistakes.rs"]
mod mistakes;
#[path = "transform/values.rs"]
mod values;
