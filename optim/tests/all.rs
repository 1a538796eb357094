//! The tests in one program: in one of its own, each would compile once more what they share, which is most of it.
#![allow(missing_docs)]

mod formulas;
mod groups;
mod parity;
mod resume;
mod search;
mod steps;
mod training;
