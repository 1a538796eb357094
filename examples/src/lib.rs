//! What the chapters share: their figures.

pub mod figure;

/// The code blocks of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
