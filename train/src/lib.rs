//! What surrounds a training: its figures.

pub mod figure;
