//! Laws that need no differences: two ways to one value.

use super::numeric::filled;
use super::report::{Fault, Law, Place, Variable};
use super::{Function, pull};
use crate::error::Result;
use crate::random::Rng;
use crate::tape::no_grad;
use crate::tensor::Tensor;

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

/// How much of the largest element two ways may differ by where the order of operations may: some 10⁵ roundings.
const SLACK: f64 = 1e-11;

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
    fn gradients(&self, inputs: &[Tensor<f64>], seeds: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>> {
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

    fn gradient_names(&self) -> Vec<Variable> {
        self.names.inputs.iter().map(|name| name.gradient()).collect()
    }
}

/// Seeds for the outputs: numbers without a pattern, the same in each run.
pub(super) fn seeds(outputs: &[Tensor<f64>], order: usize) -> Vec<Tensor<f64>> {
    let mut rng = Rng::seed(order as u64);
    outputs.iter().map(|output| rng.uniform(output.shape(), -1.5, 1.5)).collect()
}

/// Reports the first element in which the tensors differ by more than `slack` times the largest.
fn same(
    law: Law,
    names: &[Variable],
    left: &[Tensor<f64>],
    right: &[Tensor<f64>],
    slack: f64,
) -> Result<(), Fault> {
    for ((left, right), &name) in left.iter().zip(right).zip(names) {
        let shape = left.shape();
        let (left, right) = (left.to_vec(), right.to_vec());
        let largest =
            left.iter().chain(&right).filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()));
        let near = |a: f64, b: f64| (a - b).abs() <= slack * largest;
        let differ = |a: f64, b: f64| !(a == b || a.is_nan() && b.is_nan() || near(a, b));
        if let Some(position) = (0..left.len()).find(|&i| differ(left[i], right[i])) {
            let place = Place::new(name, shape, position);
            return Err(Fault::Law { law, place, left: left[position], right: right[position] });
        }
    }
    Ok(())
}
