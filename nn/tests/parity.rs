//! Values and gradients held to those of PyTorch, which `tests/parity/make.py` has written down.
//!
//! A family has one line a layer or loss: how a case of its file is called. What is meant to differ has no case.
#![allow(missing_docs)]

#[path = "../../autodiff/tests/parity/reader.rs"]
mod reader;

use autodiff::{Module, Result, Tensor};
use reader::Options;

/// Writes the calls of a family, `name: |inputs, options| what comes out;`, with a test for each, and one that no case is
/// left over.
macro_rules! calls {
    ($family:literal; $($name:ident: |$x:pat_param, $o:pat_param| $call:expr;)*) => {
        const FILE: &str = include_str!(concat!($family, ".json"));

        $(
            #[test]
            fn $name() {
                crate::parity::hold(FILE, stringify!($name), |$x, $o| $call);
            }
        )*

        #[test]
        fn every_case_is_called() {
            for case in crate::parity::reader::read(FILE) {
                assert!([$(stringify!($name)),*].contains(&case.op.as_str()), "{} has no line", case.op);
            }
        }
    };
}

mod attention;
mod conv;
mod layers;
mod loss;
mod norm;
mod recurrent;

/// The fewest cases of a layer or loss.
const FEWEST: usize = 5;

/// What a call has made, and the tensors whose gradients are compared: the inputs, and the parameters in their places.
struct Outcome {
    outputs: Vec<Tensor<f64>>,
    variables: Vec<Tensor<f64>>,
}

/// Puts values into the parameters of a model, in the order of its walk; returns the parameters.
fn load(model: &mut impl Module<f64>, values: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let mut places = Vec::new();
    model.parameters_mut(&mut |name, parameter| {
        let value = &values[places.len()];
        assert_eq!(parameter.shape(), value.shape(), "{name}");
        parameter.set(value);
        places.push((**parameter).clone());
    });
    assert_eq!(places.len(), values.len(), "how many parameters there are");
    places
}

/// Calls a layer with the first input; the others are its parameters.
fn layer<M: Module<f64>>(
    mut model: M,
    x: &[Tensor<f64>],
    call: impl Fn(&M, &Tensor<f64>) -> Result<Tensor<f64>>,
) -> Result<Outcome> {
    let places = load(&mut model, &x[1..]);
    Ok(Outcome { outputs: vec![call(&model, &x[0])?], variables: [&x[..1], &places].concat() })
}

/// What a call may make.
trait Outcomes: Sized {
    fn of(self, inputs: &[Tensor<f64>]) -> Outcome;
}

impl Outcomes for Outcome {
    fn of(self, _: &[Tensor<f64>]) -> Outcome {
        self
    }
}

impl Outcomes for Tensor<f64> {
    fn of(self, inputs: &[Tensor<f64>]) -> Outcome {
        Outcome { outputs: vec![self], variables: inputs.to_vec() }
    }
}

/// Holds a function to all its cases.
fn hold<O: Outcomes>(file: &str, op: &str, call: impl Fn(&[Tensor<f64>], &Options) -> Result<O>) {
    let cases: Vec<_> = reader::read(file).into_iter().filter(|case| case.op == op).collect();
    assert!(cases.len() >= FEWEST, "{op}: {} cases", cases.len());
    let call = |x: &[Tensor<f64>], o: &Options| {
        let Outcome { outputs, variables } = call(x, o)?.of(x);
        Ok((outputs, variables))
    };
    let wrong: Vec<_> = cases.iter().flat_map(|case| case.compare_at(call)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
