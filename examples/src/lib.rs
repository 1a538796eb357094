//! What the chapters share: their options and claims; the models that speed is measured on; the page to draw on.

pub mod chapter;
pub mod classifier;
pub mod cnn;
pub mod digits_server;
pub mod drawing;
pub mod workloads;

/// The code blocks of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So are those of the pages on the tape, on saving, and for people who know `PyTorch`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tape-from-inside.md")]
struct TapeFromInside;

#[cfg(doctest)]
#[doc = include_str!("../../docs/saving.md")]
struct Saving;

#[cfg(doctest)]
#[doc = include_str!("../../docs/coming-from-pytorch.md")]
struct ComingFromPyTorch;
