//! Values and gradients held to those of PyTorch, which `tests/parity/make.py` has written down.
//!
//! A family here has one line an op: how a case of its file is called. What is meant to differ stands in the file of the
//! family, and has no case.

#[path = "../../parity/reader.rs"]
mod reader;

use crate::registry;
use autodiff::{Array, Result, Tensor};
use reader::Options;

/// Writes the calls of a family, `name: |inputs, options| what comes out;`, with a test for each.
macro_rules! calls {
    ($family:literal; $($name:ident: |$x:pat_param, $o:pat_param| $call:expr;)*) => {
        pub(super) const FAMILY: super::Family = super::Family {
            name: $family,
            file: include_str!(concat!("../../parity/", $family, ".json")),
            ops: &[$(stringify!($name)),*],
        };

        $(
            #[test]
            fn $name() {
                super::hold(&FAMILY, stringify!($name), |$x, $o| Ok(super::Outputs::list($call)));
            }
        )*
    };
}

mod activation;
mod attention;
mod binary;
mod conv;
mod distance;
mod einsum;
mod index;
mod joining;
mod matmul;
mod movement;
mod norm;
mod pad;
mod pair;
mod pool;
mod recurrent;
mod reduce;
mod resize;
mod scan;
mod select;
mod slicing;
mod softmax;
mod sort;
mod spread;
mod strided;
mod unary;

/// Each op of the registry's family of the same name has a line here, or is in [`ALONE`].
const FAMILIES: &[Family] = &[
    unary::FAMILY,
    activation::FAMILY,
    binary::FAMILY,
    pair::FAMILY,
    select::FAMILY,
    reduce::FAMILY,
    spread::FAMILY,
    scan::FAMILY,
    sort::FAMILY,
    matmul::FAMILY,
    einsum::FAMILY,
    movement::FAMILY,
    slicing::FAMILY,
    joining::FAMILY,
    strided::FAMILY,
    pad::FAMILY,
    index::FAMILY,
    recurrent::FAMILY,
    softmax::FAMILY,
    pool::FAMILY,
    resize::FAMILY,
    conv::FAMILY,
    attention::FAMILY,
    distance::FAMILY,
    norm::FAMILY,
];

/// Ops that PyTorch does not have, and what holds their values instead.
const ALONE: &[(&str, &str)] = &[];

/// The fewest cases of an op.
const FEWEST: usize = 5;

/// A file of cases, and the ops that are held to it.
struct Family {
    name: &'static str,
    file: &'static str,
    ops: &'static [&'static str],
}

/// Holds an op to all its cases.
fn hold(family: &Family, op: &str, call: impl Fn(&[Tensor<f64>], &Options) -> Result<Vec<Tensor<f64>>>) {
    let cases: Vec<_> = reader::read(family.file).into_iter().filter(|case| case.op == op).collect();
    assert!(cases.len() >= FEWEST, "{op}: {} cases", cases.len());
    let wrong: Vec<_> = cases.iter().flat_map(|case| case.compare(&call)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a call may make.
trait Outputs {
    fn list(self) -> Vec<Tensor<f64>>;
}

impl Outputs for Tensor<f64> {
    fn list(self) -> Vec<Tensor<f64>> {
        vec![self]
    }
}

impl Outputs for Array<usize> {
    fn list(self) -> Vec<Tensor<f64>> {
        let values: Vec<_> = self.to_vec().into_iter().map(|n| n as f64).collect();
        vec![Tensor::from_vec(values, self.shape()).expect("as many values")]
    }
}

impl<O: Outputs> Outputs for Vec<O> {
    fn list(self) -> Vec<Tensor<f64>> {
        self.into_iter().flat_map(Outputs::list).collect()
    }
}

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    fn list(self) -> Vec<Tensor<f64>> {
        [self.0.list(), self.1.list()].concat()
    }
}

impl<A: Outputs, B: Outputs, C: Outputs> Outputs for (A, B, C) {
    fn list(self) -> Vec<Tensor<f64>> {
        [self.0.list(), self.1.list(), self.2.list()].concat()
    }
}

#[test]
fn every_op_of_a_family_has_its_cases() {
    let mut missing = Vec::new();
    for family in FAMILIES {
        let known = registry::FAMILIES.iter().find(|(name, _)| *name == family.name);
        let (_, entries) = known.expect("a family of the registry");
        let here = |name: &str| family.ops.contains(&name) || ALONE.iter().any(|(alone, _)| *alone == name);
        missing.extend(entries.iter().map(|entry| entry.name).filter(|name| !here(name)));
    }
    assert!(missing.is_empty(), "no cases for {missing:?}");
}

#[test]
fn every_case_belongs_to_an_op() {
    for family in FAMILIES {
        for case in reader::read(family.file) {
            assert!(family.ops.contains(&case.op.as_str()), "{}: {} has no line", family.name, case.op);
        }
    }
}
