//! Reads reference values that `make.py` has written, and compares with them.

use autodiff::{Array, Result, Tensor};
use serde_json::Value;

/// How far a value or a gradient may lie from the reference, as a part of it.
const RELATIVE: f64 = 1e-10;
/// The same as a part of the largest number of the tensor, for what cancels to rounding.
const OF_LARGEST: f64 = 1e-14;

/// A call and what PyTorch makes of it.
pub(crate) struct Case {
    pub(crate) op: String,
    pub(crate) options: Options,
    pub(crate) inputs: Vec<Tensor<f64>>,
    pub(crate) outputs: Vec<Tensor<f64>>,
    /// Of each input; nothing where no gradient arrives.
    pub(crate) gradients: Vec<Option<Vec<f64>>>,
}

/// What a call is told besides its inputs.
pub(crate) struct Options(Value);

#[allow(dead_code, reason = "each crate has options of its own")]
impl Options {
    fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no option {name} in {}", self.0))
    }

    /// Whether the case says anything of `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// A number.
    pub(crate) fn float(&self, name: &str) -> f64 {
        self.get(name).as_f64().expect("a number")
    }

    /// A whole number, of the type that is asked for.
    pub(crate) fn int<N: TryFrom<i64>>(&self, name: &str) -> N {
        whole(self.get(name))
    }

    /// Whole numbers.
    pub(crate) fn ints<N: TryFrom<i64>>(&self, name: &str) -> Vec<N> {
        self.get(name).as_array().expect("a list").iter().map(whole).collect()
    }

    /// Numbers.
    pub(crate) fn floats(&self, name: &str) -> Vec<f64> {
        numbers(self.get(name))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).as_bool().expect("true or false")
    }

    /// A word.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).as_str().expect("a text")
    }

    /// Nested lists of indices.
    pub(crate) fn index(&self, name: &str) -> Array<usize> {
        let (mut shape, mut values) = (Vec::new(), Vec::new());
        flatten(self.get(name), 0, &mut shape, &mut values);
        Array::from_vec(values, shape.as_slice()).expect("lists of equal lengths")
    }
}

fn whole<N: TryFrom<i64>>(value: &Value) -> N {
    value.as_i64().and_then(|n| N::try_from(n).ok()).expect("a whole number")
}

fn flatten(value: &Value, depth: usize, shape: &mut Vec<usize>, values: &mut Vec<usize>) {
    match value.as_array() {
        None => values.push(whole(value)),
        Some(list) => {
            if shape.len() == depth {
                shape.push(list.len());
            }
            for value in list {
                flatten(value, depth + 1, shape, values);
            }
        }
    }
}

/// The cases of a file.
pub(crate) fn read(file: &str) -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_str(file).expect("a file of cases");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    cases
        .into_iter()
        .map(|case| Case {
            op: case["op"].as_str().expect("a name").to_owned(),
            inputs: list(&case["inputs"]).iter().map(tensor).collect(),
            outputs: list(&case["outputs"]).iter().map(tensor).collect(),
            gradients: list(&case["gradients"]).iter().map(|g| (!g.is_null()).then(|| numbers(g))).collect(),
            options: Options(case["options"].clone()),
        })
        .collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    let number = |value: &Value| match value.as_str() {
        Some(text) => text.parse().expect("nan, inf or -inf"),
        None => value.as_f64().expect("a number"),
    };
    list.as_array().expect("a list").iter().map(number).collect()
}

fn tensor(value: &Value) -> Tensor<f64> {
    let shape: Vec<usize> = value["shape"].as_array().expect("a shape").iter().map(whole).collect();
    let plain = Tensor::from_vec(numbers(&value["values"]), shape.as_slice()).expect("as many values");
    if value["strided"].as_bool() != Some(true) {
        return plain;
    }
    // The same tensor, with its axes in the opposite order in memory.
    let back: Vec<isize> = (0..shape.len() as isize).rev().collect();
    let turned = plain.permute(back.as_slice()).expect("each axis once");
    Tensor::from_vec(turned.to_vec(), turned.shape()).and_then(|x| x.permute(back)).expect("each axis once")
}

impl Case {
    /// Calls `function` and says in what it differs from the reference.
    #[allow(dead_code, reason = "of functions and of layers, a crate may have one kind")]
    pub(crate) fn compare(
        &self,
        function: impl Fn(&[Tensor<f64>], &Options) -> Result<Vec<Tensor<f64>>>,
    ) -> Vec<String> {
        self.compare_at(|inputs, options| Ok((function(inputs, options)?, inputs.to_vec())))
    }

    /// The same for a function that also says which variables have the gradients of its inputs: those that it has put into
    /// places of their own.
    pub(crate) fn compare_at(
        &self,
        function: impl Fn(&[Tensor<f64>], &Options) -> Result<(Vec<Tensor<f64>>, Vec<Tensor<f64>>)>,
    ) -> Vec<String> {
        let inputs: Vec<_> = self.inputs.iter().map(|x| x.clone().variable()).collect();
        let (outputs, variables) =
            function(&inputs, &self.options).unwrap_or_else(|error| panic!("{}: {error}", self.op));
        let mut wrong = Vec::new();
        let mut check = |what: String, found: &[f64], expected: &[f64]| {
            if let Some(difference) = difference(found, expected) {
                wrong.push(format!("{} {:?}, {what}: {difference}", self.op, self.options.0));
            }
        };
        assert_eq!(outputs.len(), self.outputs.len(), "{}: how many outputs", self.op);
        for (number, (found, expected)) in outputs.iter().zip(&self.outputs).enumerate() {
            assert_eq!(
                found.shape(),
                expected.shape(),
                "{} {:?}: shape of output {number}",
                self.op,
                self.options.0
            );
            check(format!("output {number}"), &found.to_vec(), &expected.to_vec());
        }
        let tracked = outputs.iter().filter(|output| output.is_tracked());
        if let Some(loss) = tracked.map(|output| (output * seed(output)).sum()).reduce(|sum, loss| sum + loss)
        {
            loss.backward().expect("gradients");
        }
        let gradients = variables.iter().map(Tensor::grad);
        for (number, (found, expected)) in gradients.zip(&self.gradients).enumerate() {
            // What PyTorch calls unused, or a function without a gradient, is zero here.
            let found = found.map_or_else(|| vec![0.0; inputs[number].size()], |g| g.to_vec());
            let expected = expected.clone().unwrap_or_else(|| vec![0.0; found.len()]);
            check(format!("gradient of input {number}"), &found, &expected);
        }
        wrong
    }
}

/// The cotangent of an output, by the formula of `cases.py`.
fn seed(output: &Tensor<f64>) -> Tensor<f64> {
    let values: Vec<_> = (0..output.size()).map(|i| ((i * 7 % 11) as f64 - 5.0) / 4.0).collect();
    Tensor::from_vec(values, output.shape()).expect("as many values")
}

/// The first element that differs.
pub(crate) fn difference(found: &[f64], expected: &[f64]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} numbers, not {}", found.len(), expected.len()));
    }
    let largest = expected.iter().filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()));
    let near = |a: f64, b: f64| {
        a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= RELATIVE * b.abs() + OF_LARGEST * largest
    };
    let place = (0..found.len()).find(|&i| !near(found[i], expected[i]))?;
    Some(format!("element {place} is {} where PyTorch has {}", found[place], expected[place]))
}
