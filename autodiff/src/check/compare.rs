//! The whole Jacobian, by the rules and by differences, entry against entry.

use super::laws::Subject;
use super::numeric::{self, Estimate};
use super::report::{Entry, Fault, Place, Variable};
use super::{Gradients, Report, guess};
use crate::error::Result;
use crate::shape::Shape;
use crate::tape::no_grad;
use crate::tensor::Tensor;
use std::collections::BTreeSet;

/// The Jacobian of one output with respect to one input: a row for each element of the output.
pub(super) struct Block {
    pub(super) output: (Variable, Shape),
    pub(super) input: (Variable, Shape),
    pub(super) analytic: Vec<f64>,
    pub(super) numeric: Vec<Estimate>,
    verdicts: Vec<Verdict>,
}

/// How an entry fares.
#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Right,
    /// The differences are too inexact to tell.
    Undecided,
    /// Wrong, by so many times the tolerance.
    Wrong(f64),
}

impl Block {
    pub(super) fn columns(&self) -> usize {
        self.input.1.size()
    }

    /// The numeric entry at a row and a column times a factor, and its error.
    pub(super) fn at(&self, row: usize, column: usize, factor: f64) -> (f64, f64) {
        let Estimate { value, error } = self.numeric[row * self.columns() + column];
        (factor * value, factor.abs() * error)
    }

    /// The positions of the wrong entries.
    pub(super) fn wrong(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.verdicts.len()).filter(|&at| matches!(self.verdicts[at], Verdict::Wrong(_)))
    }

    fn undecided(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.verdicts.len()).filter(|&at| self.verdicts[at] == Verdict::Undecided)
    }

    /// The output and the input element of an entry.
    fn places(&self, at: usize) -> (Place, Place) {
        let columns = self.columns();
        let place = |(variable, shape), position| Place::new(variable, shape, position);
        (place(self.output, at / columns), place(self.input, at % columns))
    }

    /// The worst entry, if any is wrong.
    fn worst(&self, order: usize) -> Option<Entry> {
        let excess = |at: usize| if let Verdict::Wrong(excess) = self.verdicts[at] { excess } else { 0.0 };
        let at = self.wrong().max_by(|&a, &b| excess(a).total_cmp(&excess(b)))?;
        let (output, input) = self.places(at);
        let Estimate { value, error } = self.numeric[at];
        Some(Entry {
            output,
            input,
            analytic: self.analytic[at],
            numeric: value,
            error,
            wrong: self.wrong().count(),
            entries: self.verdicts.len(),
            slip: guess::slip(self, order),
        })
    }
}

impl Gradients {
    /// Judges one entry.
    fn judge(&self, analytic: f64, numeric: Estimate) -> Verdict {
        let Estimate { value, error } = numeric;
        let off = (analytic - value).abs();
        let tolerance = self.atol + self.rtol * analytic.abs().max(value.abs());
        // Written so that NaN is on the side of doubt.
        let sure = error <= tolerance && value.is_finite();
        if off <= tolerance + 10.0 * error {
            if sure { Verdict::Right } else { Verdict::Undecided }
        } else if !(sure || analytic.is_finite() && off > 100.0 * error) {
            Verdict::Undecided
        } else {
            Verdict::Wrong(if off.is_finite() { off / (tolerance + error) } else { f64::INFINITY })
        }
    }

    /// Compares all blocks of the Jacobian; the report counts what could not be decided.
    pub(super) fn compare(&self, subject: &Subject<'_>, order: usize) -> Result<Report, Fault> {
        let mut blocks = analytic(subject)?;
        numeric(subject, &mut blocks)?;
        let mut entries = 0;
        // The elements of the inputs for which some entry could not be decided.
        let mut doubtful = BTreeSet::new();
        for (index, block) in blocks.iter_mut().enumerate() {
            let both = block.analytic.iter().zip(&block.numeric);
            block.verdicts = both.map(|(&analytic, &numeric)| self.judge(analytic, numeric)).collect();
            entries += block.verdicts.len();
            doubtful.extend(block.undecided().map(|at| (index % subject.point.len(), at % block.columns())));
        }
        if let Some(entry) = blocks.iter().find_map(|block| block.worst(order)) {
            return Err(Fault::Entry(Box::new(entry)));
        }
        let elements = subject.point.iter().map(Tensor::size).sum();
        let undecided = doubtful.len();
        let first = blocks.iter().find_map(|block| Some((block, block.undecided().next()?)));
        if let Some((block, at)) = first
            && undecided as f64 > self.undecided * elements as f64
        {
            let (output, input) = block.places(at);
            let Estimate { value, error } = block.numeric[at];
            return Err(Fault::Inconclusive { undecided, elements, output, input, numeric: value, error });
        }
        Ok(Report { entries, elements, undecided })
    }
}

/// The blocks by the rules, a row at a time; for each output, those of all inputs.
fn analytic(subject: &Subject<'_>) -> Result<Vec<Block>> {
    let inputs = subject.tracked();
    let outputs = subject.run(&inputs)?;
    let mut blocks = Vec::new();
    for (output, &name) in outputs.iter().zip(&subject.names.outputs) {
        let mut own: Vec<Block> = inputs
            .iter()
            .zip(&subject.names.inputs)
            .map(|(input, &variable)| Block {
                output: (name, output.shape()),
                input: (variable, input.shape()),
                analytic: Vec::with_capacity(output.size() * input.size()),
                numeric: vec![Estimate { value: 0.0, error: 0.0 }; output.size() * input.size()],
                verdicts: Vec::new(),
            })
            .collect();
        let mut unit = vec![0.0; output.size()];
        for row in 0..unit.len() {
            unit[row] = 1.0;
            let seed = numeric::filled(&unit, output);
            unit[row] = 0.0;
            // As `backward` does it: without recording.
            let gradients = no_grad(|| super::pull(std::slice::from_ref(output), &[seed], &inputs))?;
            own.iter_mut().zip(gradients).for_each(|(block, row)| block.analytic.extend(row.to_vec()));
        }
        blocks.append(&mut own);
    }
    Ok(blocks)
}

/// Fills in the same blocks by differences, a column at a time.
fn numeric(subject: &Subject<'_>, blocks: &mut [Block]) -> Result<()> {
    let flat = |inputs: &[Tensor<f64>]| -> Result<Vec<f64>> {
        Ok(subject.run(inputs)?.iter().flat_map(Tensor::to_vec).collect())
    };
    let copies = subject.copies();
    let middle = flat(&copies)?;
    for index in 0..copies.len() {
        numeric::columns(flat, &copies, index, &middle, |column, entries| {
            let mut entries = entries.iter();
            for block in blocks.iter_mut().skip(index).step_by(copies.len()) {
                let columns = block.columns();
                let slots = block.numeric.iter_mut().skip(column).step_by(columns);
                slots.zip(&mut entries).for_each(|(slot, &entry)| *slot = entry);
            }
        })?;
    }
    Ok(())
}
