//! Recurrent layers through time: each step is one matrix product and one fused loop over the units.
//!
//! The weight is packed once for all steps, and the batch is cut among the threads, each of which runs its rows through all
//! steps.
//!
//! Everything is time-major, `[time, batch, ..]`, so that what belongs to a step lies together. The gates of a row lie one
//! after the other, `units` numbers each.

use crate::float::{Float, Real};
use crate::kernel::buffer::Fresh;
use crate::kernel::dispatch::{Kernel, prefetch, vectorized};
use crate::kernel::gemm::{Matrix, Packed};
use crate::kernel::parallel;
use std::ops::Range;

/// What one unit does in one step, and how a gradient comes back through it.
///
/// `G` gates are read from the input and from the product of the last output with the weight, to which `B` biases belong;
/// `K` numbers are kept for the way back.
pub(crate) trait Cell<const G: usize, const B: usize, const K: usize>:
    Copy + Send + Sync + 'static
{
    /// Whether the state is another number than the output.
    const STATEFUL: bool;
    /// Whether the gradient of the product is another than that of the input.
    const SPLIT: bool;

    /// The step. The same formula runs over numbers, and over tensors where it is to be differentiated.
    fn forward<R: Real>(self, x: [R; G], product: [R; G], bias: [R; B], state: R) -> Step<R, K>;

    /// The way back through it: from the gradient of the output, that of the state after the step, and the states before
    /// and after it.
    fn backward<T: Float>(self, output: T, state: T, kept: [T; K], states: [T; 2]) -> Pulled<T, G>;
}

/// What a step makes.
pub(crate) struct Step<R, const K: usize> {
    pub(crate) kept: [R; K],
    pub(crate) state: R,
    pub(crate) output: R,
}

/// The gradients of what a step reads; that of the output before it is to come from that of the product.
pub(crate) struct Pulled<T, const G: usize> {
    pub(crate) x: [T; G],
    pub(crate) product: [T; G],
    pub(crate) state: T,
}

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) time: usize,
    pub(crate) batch: usize,
    pub(crate) units: usize,
}

impl Sizes {
    /// Numbers of one step, with so many for each unit.
    fn step(self, numbers: usize) -> usize {
        self.batch * self.units * numbers
    }

    /// About the time that so many rows of a cell with so many gates take, in nanoseconds.
    fn ns(self, rows: usize, gates: usize) -> f64 {
        let products = gates as f64 * (self.units as f64 / 40.0 + 1.5);
        (self.time * rows * self.units) as f64 * products
    }
}

/// Where a run starts: the output and the state before its first step. Without a state of their own, cells have none.
#[derive(Clone, Copy)]
pub(crate) struct Start<'a, T> {
    pub(crate) output: &'a [T],
    pub(crate) state: &'a [T],
}

/// What a run makes: outputs `[time, batch, units]`, states of the same shape or none, and what is kept, `[time, batch, K
/// units]`.
pub(crate) struct Course<'a, T> {
    pub(crate) outputs: &'a mut [T],
    pub(crate) states: &'a mut [T],
    pub(crate) kept: &'a mut [T],
}

/// The rows of a batch that one thread computes, through all steps. Rows have nothing to do with each other, so that the
/// bits do not depend on how many these are.
fn rows_of_part(batch: usize) -> usize {
    // Whole tiles of a product.
    batch.div_ceil(parallel::threads()).next_multiple_of(8).min(batch)
}

/// Cuts steps of `batch` rows of `width` numbers into parts of so many rows: for each part, its piece of each step. Where
/// there are no numbers, the pieces are empty.
fn cut<T>(
    mut data: &mut [T],
    (time, batch, width): (usize, usize, usize),
    rows: usize,
) -> Vec<Vec<&mut [T]>> {
    let mut parts: Vec<Vec<_>> = (0..batch.div_ceil(rows)).map(|_| Vec::with_capacity(time)).collect();
    for _ in 0..time {
        let (step, rest) = data.split_at_mut(data.len().min(batch * width));
        data = rest;
        let mut pieces = step.chunks_mut((rows * width).max(1));
        for part in &mut parts {
            part.push(pieces.next().unwrap_or_default());
        }
    }
    parts
}

/// Runs a cell over `x`, `[time, batch, G units]`, with the weight `[units, G units]` and the bias `[B units]`.
pub(crate) fn forward<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(
    cell: C,
    sizes: Sizes,
    (x, weight, bias): (&[T], &[T], &[T]),
    start: Start<'_, T>,
    Course { outputs, states, kept }: Course<'_, T>,
) {
    let Sizes { time, batch, units } = sizes;
    if sizes.step(1) == 0 {
        return;
    }
    let matrix = Matrix { data: weight, offset: 0, row_stride: (G * units) as isize, column_stride: 1 };
    let weight = Packed::new(matrix, units, G * units);
    let rows = rows_of_part(batch);
    let outputs = cut(outputs, (time, batch, units), rows).into_iter();
    let states = cut(states, (time, batch, units), rows);
    let mut parts: Vec<_> = outputs.zip(states).zip(cut(kept, (time, batch, K * units), rows)).collect();
    parallel::items(&mut parts, 1, sizes.ns(rows, G), |i, part| {
        let ((outputs, states), kept) = std::mem::take(&mut part[0]);
        let part = i * rows..batch.min((i + 1) * rows);
        let mut product = Fresh::take(part.len() * G * units);
        let mut before = piece(start.output, part.clone(), units);
        let mut state = if C::STATEFUL { piece(start.state, part.clone(), units) } else { before };
        let steps = outputs.into_iter().zip(states).zip(kept).zip(x.chunks_exact(sizes.step(G)));
        for (((output, next), kept), x) in steps {
            weight.product(&mut product, before);
            vectorized(Forward {
                cell,
                units,
                x: piece(x, part.clone(), G * units),
                product: &product,
                bias,
                state,
                kept,
                next: &mut *next,
                output: &mut *output,
            });
            before = output;
            state = if C::STATEFUL { next } else { before };
        }
    });
}

/// The gradients that come back, all written anew: of the input, of the products if they are others, and of the start.
pub(crate) struct Returned<'a, T> {
    pub(crate) x: &'a mut [T],
    pub(crate) products: &'a mut [T],
    pub(crate) output: &'a mut [T],
    /// `[batch, units]` for any cell; at first the gradient of the last state.
    pub(crate) state: &'a mut [T],
}

/// The way back of [`forward`], from the gradient of the outputs.
pub(crate) fn backward<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(
    cell: C,
    sizes: Sizes,
    (grad, weight): (&[T], &[T]),
    start: Start<'_, T>,
    (outputs, states, kept): (&[T], &[T], &[T]),
    Returned { x, products, output, state }: Returned<'_, T>,
) {
    let Sizes { time, batch, units } = sizes;
    if sizes.step(1) == 0 {
        return;
    }
    let turned = Matrix { data: weight, offset: 0, row_stride: 1, column_stride: (G * units) as isize };
    let turned = Packed::new(turned, G * units, units);
    let (course, first) = if C::STATEFUL { (states, start.state) } else { (outputs, start.output) };
    let rows = rows_of_part(batch);
    let x = cut(x, (time, batch, G * units), rows).into_iter();
    let products = cut(products, (time, batch, G * units), rows);
    let ends = output.chunks_mut(rows * units).zip(state.chunks_mut(rows * units));
    let mut parts: Vec<_> = x.zip(products).zip(ends).collect();
    parallel::items(&mut parts, 1, sizes.ns(rows, G), |i, part| {
        let ((xs, products), (output, state)) = &mut part[0];
        let part = i * rows..batch.min((i + 1) * rows);
        let at = |t: usize| t * batch + part.start..t * batch + part.end;
        output.fill(T::ZERO);
        for (t, (x, product)) in xs.iter_mut().zip(products).enumerate().rev() {
            vectorized(Backward::<_, _, G, B, K> {
                cell,
                units,
                grad: piece(grad, at(t), units),
                carried: output,
                kept: piece(kept, at(t), K * units),
                before: if t == 0 { piece(first, at(0), units) } else { piece(course, at(t - 1), units) },
                after: piece(course, at(t), units),
                x,
                product,
                state,
            });
            turned.product(output, if C::SPLIT { product } else { x });
        }
        if !C::STATEFUL {
            output.iter_mut().zip(&**state).for_each(|(output, &state)| *output += state);
        }
    });
}

/// Rows of `width` numbers each.
fn piece<T>(data: &[T], rows: Range<usize>, width: usize) -> &[T] {
    &data[rows.start * width..rows.end * width]
}

/// Units that are computed side by side.
const LANES: usize = 16;

/// Calls `block` for the units of each row, in blocks of [`LANES`] and one by one at the end.
macro_rules! each_block {
    ($self:ident, $rows:expr) => {
        for row in 0..$rows {
            let whole = $self.units - $self.units % LANES;
            for unit in (0..whole).step_by(LANES) {
                $self.block::<LANES>(row, unit);
            }
            for unit in whole..$self.units {
                $self.block::<1>(row, unit);
            }
        }
    };
}

/// `N` neighbouring numbers.
#[inline(always)]
#[allow(clippy::inline_always)]
fn read<T: Copy, const N: usize>(from: &[T], at: usize) -> [T; N] {
    from[at..][..N].try_into().expect("as many numbers")
}

/// One step forward.
struct Forward<'a, T, C, const G: usize, const B: usize, const K: usize> {
    cell: C,
    units: usize,
    x: &'a [T],
    product: &'a [T],
    bias: &'a [T],
    state: &'a [T],
    kept: &'a mut [T],
    next: &'a mut [T],
    output: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize> Forward<'_, T, C, G, B, K> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, row: usize, unit: usize) {
        let units = self.units;
        let at = |block: usize, blocks: usize| (row * blocks + block) * units + unit;
        let x: [[T; N]; G] = std::array::from_fn(|g| read(self.x, at(g, G)));
        let product: [[T; N]; G] = std::array::from_fn(|g| read(self.product, at(g, G)));
        let bias: [[T; N]; B] = std::array::from_fn(|b| read(self.bias, b * units + unit));
        let state: [T; N] = read(self.state, at(0, 1));
        // Arrays of their own, which overlap with nothing: the loop is vectorised.
        let mut kept = [[T::ZERO; N]; K];
        let (mut next, mut output) = ([T::ZERO; N], [T::ZERO; N]);
        for i in 0..N {
            let step = self.cell.forward(
                std::array::from_fn(|g| x[g][i]),
                std::array::from_fn(|g| product[g][i]),
                std::array::from_fn(|b| bias[b][i]),
                state[i],
            );
            for (kept, number) in kept.iter_mut().zip(step.kept) {
                kept[i] = number;
            }
            (next[i], output[i]) = (step.state, step.output);
        }
        for (k, numbers) in kept.iter().enumerate() {
            self.kept[at(k, K)..][..N].copy_from_slice(numbers);
        }
        if C::STATEFUL {
            self.next[at(0, 1)..][..N].copy_from_slice(&next);
        }
        self.output[at(0, 1)..][..N].copy_from_slice(&output);
    }
}

#[allow(clippy::inline_always)]
impl<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize> Kernel
    for Forward<'_, T, C, G, B, K>
{
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        each_block!(self, self.output.len() / self.units);
    }
}

/// One step back.
struct Backward<'a, T, C, const G: usize, const B: usize, const K: usize> {
    cell: C,
    units: usize,
    grad: &'a [T],
    carried: &'a [T],
    kept: &'a [T],
    before: &'a [T],
    after: &'a [T],
    x: &'a mut [T],
    product: &'a mut [T],
    state: &'a mut [T],
}

#[allow(clippy::inline_always)]
impl<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize> Backward<'_, T, C, G, B, K> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, row: usize, unit: usize) {
        let units = self.units;
        let at = |block: usize, blocks: usize| (row * blocks + block) * units + unit;
        let (grad, carried): ([T; N], [T; N]) = (read(self.grad, at(0, 1)), read(self.carried, at(0, 1)));
        let (before, after): ([T; N], [T; N]) = (read(self.before, at(0, 1)), read(self.after, at(0, 1)));
        let state: [T; N] = read(self.state, at(0, 1));
        let kept: [[T; N]; K] = std::array::from_fn(|k| read(self.kept, at(k, K)));
        if N > 1 {
            // What the next row needs, which has not been read since the run went forward.
            for k in 0..K {
                prefetch(self.kept.as_ptr().wrapping_add(at(k, K) + K * units));
            }
            for from in [self.grad, self.before] {
                prefetch(from.as_ptr().wrapping_add(at(0, 1) + units));
            }
        }
        let (mut x, mut product, mut back) = ([[T::ZERO; N]; G], [[T::ZERO; N]; G], [T::ZERO; N]);
        for i in 0..N {
            let pulled = self.cell.backward(
                grad[i] + carried[i],
                state[i],
                std::array::from_fn(|k| kept[k][i]),
                [before[i], after[i]],
            );
            for g in 0..G {
                (x[g][i], product[g][i]) = (pulled.x[g], pulled.product[g]);
            }
            back[i] = pulled.state;
        }
        for g in 0..G {
            self.x[at(g, G)..][..N].copy_from_slice(&x[g]);
            if C::SPLIT {
                self.product[at(g, G)..][..N].copy_from_slice(&product[g]);
            }
        }
        self.state[at(0, 1)..][..N].copy_from_slice(&back);
    }
}

#[allow(clippy::inline_always)]
impl<T: Float, C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize> Kernel
    for Backward<'_, T, C, G, B, K>
{
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        each_block!(self, self.state.len() / self.units);
    }
}
