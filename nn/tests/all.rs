//! The tests in one program: in one of its own, each would compile once more what they share, which is most of it.
#![allow(missing_docs)]

mod data_parallel;
mod derive;
mod dropout;
mod init;
mod judging;
mod layers;
mod losses;
mod mode;
mod norm;
mod parity;
mod recurrent;
mod save;
mod summary;
mod training;
mod trajectories;
