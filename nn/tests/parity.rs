//! Values and gradients held to those of PyTorch, which `tests/parity/make.py` has written down.
//!
//! A family has one line a layer or loss: how a case of its file is called. What is meant to differ has no case.
#![allow(missing_docs)]

#[path = "../../autodiff/tests/parity/reader.rs"]
mod reader;

use autodiff::{Result, Tensor};
use reader::Options;

/// Writes the calls of a family, `name: |inputs, options| what comes out;`, with a test for each, and one that no case is
/// left over.
macro_rules! calls {
    ($family:literal; $($name:ident: |$x:pat_param, $o:pat_param| $call:expr;)*) => {
        const FILE: &str = include_str!(concat!($family, ".json"));

        $(
            #[test]
            fn $name() {
                crate::hold(FILE, stringify!($name), |$x, $o| $call);
            }
        )*

        #[test]
        fn every_case_is_called() {
            for case in crate::reader::read(FILE) {
                assert!([$(stringify!($name)),*].contains(&case.op.as_str()), "{} has no line", case.op);
            }
        }
    };
}

#[path = "parity/loss.rs"]
mod loss;

/// The fewest cases of a layer or loss.
const FEWEST: usize = 5;

/// Holds a function to all its cases.
fn hold(file: &str, op: &str, call: impl Fn(&[Tensor<f64>], &Options) -> Result<Vec<Tensor<f64>>>) {
    let cases: Vec<_> = reader::read(file).into_iter().filter(|case| case.op == op).collect();
    assert!(cases.len() >= FEWEST, "{op}: {} cases", cases.len());
    let wrong: Vec<_> = cases.iter().flat_map(|case| case.compare(&call)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
