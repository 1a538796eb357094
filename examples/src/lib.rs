//! What the chapters share: their figures.

pub mod figure;
