//! What the chapters share: their options and claims, and their figures.

pub mod chapter;
pub mod classifier;
pub mod figure;

/// The code blocks of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
