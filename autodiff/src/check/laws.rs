//! Laws that need no differences: two ways to one value. Those that belong to every check are here; the others have
//! functions of their own, in `cotangent` and `machine`.

use super::numeric::filled;
use super::report::{Fault, Law, Place, Variable};
use super::{Function, pull};
use crate::error::Result;
use crate::random::Rng;
use crate::tape::no_grad;
use crate::tensor::Tensor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A function at a point.
pub(super) struct Subject<'a> {
    pub(super) function: &'a Function<'a>,
    pub(super) point: &'a [Tensor<f64>],
    pub(super) names: &'a Names,
}

/// How inputs and outputs are called in reports.
pub(super) struct Names {
    pub(super) inputs: Vec<Variable>,
    pub(super) outputs: Vec<Variable>,
}

impl Names {
    /// Those of a function of `count` tensors.
    pub(super) fn new(count: usize) -> Self {
        Self { inputs: (0..count).map(Variable::Input).collect(), outputs: vec![Variable::Output] }
    }

    /// How the gradients of the inputs are called.
    pub(super) fn gradients(&self) -> Vec<Variable> {
        self.inputs.iter().map(|name| name.gradient()).collect()
    }
}

/// How much of the largest element two ways may differ by where the order of operations may: some 10⁵ roundings.
pub(super) const SLACK: f64 = 1e-11;

impl Subject<'_> {
    /// The outputs at `inputs`.
    pub(super) fn run(&self, inputs: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>> {
        (self.function)(inputs)
    }

    /// The point, every input tracked.
    pub(super) fn tracked(&self) -> Vec<Tensor<f64>> {
        self.point.iter().map(|x| x.clone().variable()).collect()
    }

    /// The point as constants in memory of their own.
    pub(super) fn copies(&self) -> Vec<Tensor<f64>> {
        self.point.iter().map(|x| filled(&x.to_vec(), x)).collect()
    }

    /// The gradients without recording, as `backward` computes them.
    pub(super) fn gradients(
        &self,
        inputs: &[Tensor<f64>],
        seeds: &[Tensor<f64>],
    ) -> Result<Vec<Tensor<f64>>> {
        let outputs = self.run(inputs)?;
        no_grad(|| pull(&outputs, seeds, inputs))
    }

    /// Holds the function to the laws that can be told apart from wrong rules before these are looked at.
    pub(super) fn before(&self, seeds: &[Tensor<f64>]) -> Result<(), Fault> {
        let inputs = self.tracked();
        let outputs = self.run(&inputs)?;
        let again = self.run(&self.tracked())?;
        same(Law::Repeat, &self.names.outputs, &outputs, &again, 0.0)?;
        same(Law::Layout, &self.names.outputs, &outputs, &self.run(&self.copies())?, SLACK)?;

        let names = self.gradient_names();
        let first = no_grad(|| pull(&outputs, seeds, &inputs))?;
        let second = no_grad(|| pull(&outputs, seeds, &inputs))?;
        same(Law::Repeat, &names, &first, &second, 0.0)?;
        same(Law::Repeat, &names, &first, &self.gradients(&self.tracked(), seeds)?, 0.0)
    }

    /// Holds it to the laws that follow for right rules, unless the tape or an op's state come in the way.
    pub(super) fn after(&self, seeds: &[Tensor<f64>]) -> Result<(), Fault> {
        let names = self.gradient_names();
        let inputs = self.tracked();
        let outputs = self.run(&inputs)?;
        let all = no_grad(|| pull(&outputs, seeds, &inputs))?;
        same(Law::Recording, &names, &all, &pull(&outputs, seeds, &inputs)?, SLACK)?;

        let zeros: Vec<_> = outputs.iter().map(|output| Tensor::zeros(output.shape())).collect();
        let nothing = no_grad(|| pull(&outputs, &zeros, &inputs))?;
        // Where a derivative is infinite, zero times it is NaN.
        let finite = |x: &Tensor<f64>| {
            filled(&x.to_vec().iter().map(|&x| if x.is_nan() { 0.0 } else { x }).collect::<Vec<_>>(), x)
        };
        let nothing: Vec<_> = nothing.iter().map(finite).collect();
        let expected: Vec<_> = nothing.iter().map(|x| Tensor::zeros(x.shape())).collect();
        same(Law::ZeroSeed, &names, &nothing, &expected, 0.0)?;

        for (index, full) in all.iter().enumerate() {
            let mut inputs = self.point.to_vec();
            inputs[index] = inputs[index].clone().variable();
            let alone = &self.gradients(&inputs, seeds)?[index];
            same(
                Law::Subset,
                &names[index..],
                std::slice::from_ref(full),
                std::slice::from_ref(alone),
                SLACK,
            )?;
        }
        Ok(())
    }

    pub(super) fn gradient_names(&self) -> Vec<Variable> {
        self.names.gradients()
    }
}

/// Seeds for the outputs: numbers without a pattern, the same in each run.
pub(super) fn seeds(outputs: &[Tensor<f64>], number: usize) -> Vec<Tensor<f64>> {
    let mut rng = Rng::seed(number as u64);
    outputs.iter().map(|output| rng.uniform(output.shape(), -1.5, 1.5)).collect()
}

/// Reports the first element in which the tensors differ by more than `slack` times the largest, which counts as at least
/// 1: what is nothing but the rounding of numbers near one has no digits to compare.
pub(super) fn same(
    law: Law,
    names: &[Variable],
    left: &[Tensor<f64>],
    right: &[Tensor<f64>],
    slack: f64,
) -> Result<(), Fault> {
    same_by(law, names, left, right, |a, b, largest| a == b || (a - b).abs() <= slack * largest.max(1.0))
}

/// Reports the first element for which `alike`, shown both values and the largest finite magnitude in their tensors,
/// says no; what is NaN on both sides is alike.
pub(super) fn same_by(
    law: Law,
    names: &[Variable],
    left: &[Tensor<f64>],
    right: &[Tensor<f64>],
    alike: impl Fn(f64, f64, f64) -> bool,
) -> Result<(), Fault> {
    for ((left, right), &name) in left.iter().zip(right).zip(names) {
        let shape = left.shape();
        let (left, right) = (left.to_vec(), right.to_vec());
        let largest =
            left.iter().chain(&right).filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()));
        let differ = |a: f64, b: f64| !(a.is_nan() && b.is_nan() || alike(a, b, largest));
        if let Some(position) = (0..left.len()).find(|&i| differ(left[i], right[i])) {
            let place = Place::new(name, shape, position);
            return Err(Fault::Law { law, place, left: left[position], right: right[position] });
        }
    }
    Ok(())
}

/// Runs a check; a panic in the function or in a rule is what it has found.
pub(super) fn guarded<R>(check: impl FnOnce() -> Result<R, Fault>) -> Result<R, Fault> {
    // What a panic leaves half done is the check's own, and is dropped here.
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        Err(Fault::Panic { message: text.unwrap_or("without a message").to_owned() })
    })
}
