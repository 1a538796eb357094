//! What surrounds a training: its figures, and a page to walk along a tape.

pub mod figure;
mod page;
pub mod viewer;
