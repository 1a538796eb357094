//! Guesses the slip behind a wrong block of the Jacobian from its pattern.

use super::compare::Block;
use super::report::{Slip, Variable, ravel, unravel};
use crate::shape::Shape;

/// The slip that explains a block with at least one wrong entry.
pub(super) fn slip(block: &Block, order: usize) -> Slip {
    if block.wrong().any(|at| !block.analytic[at].is_finite()) {
        return Slip::NotFinite;
    }
    let found = if block.analytic.iter().all(|&a| a == 0.0) {
        Slip::Severed
    } else if let Some(slip) = multiple(block).or_else(|| along_axis(block)).or_else(|| exchanged(block)) {
        return slip;
    } else if block.wrong().all(|at| block.analytic[at] == 0.0) {
        Slip::PartlySevered
    } else {
        Slip::Unknown
    };
    // The check of the order below has passed before this one began: the gradient is right, and linear in the cotangent.
    if order > 1 && matches!(block.input.0, Variable::Input(_)) { Slip::Hidden } else { found }
}

/// Whether the analytic entries are what `expected` makes of the numeric ones at each row and column, with so much
/// error.
fn explains(block: &Block, expected: impl Fn(usize, usize) -> (f64, f64)) -> bool {
    let columns = block.columns();
    block.analytic.iter().enumerate().all(|(at, &analytic)| {
        let (value, error) = expected(at / columns, at % columns);
        let scale = analytic.abs().max(value.abs());
        // An entry that is not known explains nothing and contradicts nothing.
        !error.is_finite() || (analytic - value).abs() <= 1e-8 + 1e-6 * scale + 20.0 * error
    })
}

/// A constant multiple.
fn multiple(block: &Block) -> Option<Slip> {
    let largest = block
        .wrong()
        .filter(|&at| block.numeric[at].error.is_finite())
        .max_by(|&a, &b| block.numeric[a].value.abs().total_cmp(&block.numeric[b].value.abs()))?;
    let factor = block.analytic[largest] / block.numeric[largest].value;
    // A multiple of nothing is no multiple.
    let known = block.numeric[largest].value.abs() > 1e-9 + 10.0 * block.numeric[largest].error;
    if !known || !factor.is_finite() || !explains(block, |row, column| block.at(row, column, factor)) {
        return None;
    }
    let near = |value: f64| (factor - value).abs() < 1e-5 * value.abs();
    Some(match factor {
        _ if near(-1.0) => Slip::Sign,
        _ if near(2.0) => Slip::Twice,
        _ if near(0.5) => Slip::Half,
        _ => Slip::Factor(factor),
    })
}

/// Summed, averaged or reversed along an axis of the input.
fn along_axis(block: &Block) -> Option<Slip> {
    let shape = block.input.1;
    let moved = |column: usize, axis: usize, to: usize| {
        let mut at = unravel(shape, column);
        at[axis] = to;
        ravel(shape, &at)
    };
    (0..shape.rank()).filter(|&axis| shape.dim(axis) > 1).find_map(|axis| {
        let n = shape.dim(axis);
        let total = |row: usize, column: usize, factor: f64| {
            (0..n)
                .map(|to| block.at(row, moved(column, axis, to), factor))
                .fold((0.0, 0.0), |(sum, error), (value, more)| (sum + value, error + more))
        };
        let mirrored = |column: usize| moved(column, axis, n - 1 - unravel(shape, column)[axis]);
        if explains(block, |row, column| total(row, column, 1.0)) {
            Some(Slip::Summed(axis))
        } else if explains(block, |row, column| total(row, column, 1.0 / n as f64)) {
            Some(Slip::Averaged(axis))
        } else if explains(block, |row, column| block.at(row, mirrored(column), 1.0)) {
            Some(Slip::Reversed(axis))
        } else {
            None
        }
    })
}

/// Two axes of the input or of the output exchanged, or rows and columns.
fn exchanged(block: &Block) -> Option<Slip> {
    let (input, output) = (block.input.1, block.output.1);
    for (p, q) in pairs(output).filter(|&(p, q)| output.dim(p) == output.dim(q)) {
        let (lost, kept) = if repeated(input, output, p) { (p, q) } else { (q, p) };
        if repeated(input, output, lost)
            && !repeated(input, output, kept)
            && explains(block, |row, column| block.at(read_exchanged(output, p, q, row), column, 1.0))
        {
            return Some(Slip::WrongAxis(kept, lost));
        }
    }
    for (p, q) in pairs(input) {
        // If the sizes differ, the gradient is the right numbers in the order of the transpose: reading that order, or
        // writing it, are two different slips.
        let there = |column| read_exchanged(input, p, q, column);
        let back: Vec<usize> = {
            let mut back = vec![0; input.size()];
            (0..back.len()).for_each(|column| back[there(column)] = column);
            back
        };
        if explains(block, |row, column| block.at(row, there(column), 1.0))
            || explains(block, |row, column| block.at(row, back[column], 1.0))
        {
            return Some(Slip::Transposed(p, q));
        }
    }
    let square = input.size() == output.size();
    (square && explains(block, |row, column| block.at(column, row, 1.0))).then_some(Slip::Adjoint)
}

/// The pairs of axes with more than one entry.
fn pairs(shape: Shape) -> impl Iterator<Item = (usize, usize)> {
    let rank = shape.rank();
    let long = move |axis: usize| shape.dim(axis) > 1;
    (0..rank).flat_map(move |p| (p + 1..rank).map(move |q| (p, q))).filter(move |&(p, q)| long(p) && long(q))
}

/// Whether an input would be repeated along an axis of the output if it were broadcast.
fn repeated(input: Shape, output: Shape, axis: usize) -> bool {
    match (axis + input.rank()).checked_sub(output.rank()) {
        None => true,
        Some(own) => input.dim(own) == 1 && output.dim(axis) > 1,
    }
}

/// The position of the element that comes at `position` when the shape is read with two axes exchanged.
fn read_exchanged(shape: Shape, p: usize, q: usize, position: usize) -> usize {
    let exchanged = shape.with(p, shape.dim(q)).with(q, shape.dim(p));
    let mut at = unravel(exchanged, position);
    at.swap(p, q);
    ravel(shape, &at)
}
