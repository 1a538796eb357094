//! Recurrent layers through time, over arrays.

use super::Array;
use crate::float::Float;
use crate::kernel::buffer::Fresh;
use crate::kernel::recurrent::{self, Cell, Course, Returned, Sizes, Start};
use crate::shape::Shape;

/// What a run reads: the input's part of the gates `[time, batch, G units]`, the weight `[units, G units]`, the bias
/// `[B units]`, and what it starts from, `[batch, units]`: the output, and the state if the cell has one of its own.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, T: Float> {
    pub(crate) x: &'a Array<T>,
    pub(crate) weight: &'a Array<T>,
    pub(crate) bias: &'a Array<T>,
    pub(crate) output: &'a Array<T>,
    pub(crate) state: Option<&'a Array<T>>,
}

/// What the way back needs of a run besides its outputs.
pub(crate) struct Kept<T: Float> {
    numbers: Array<T>,
    states: Array<T>,
}

/// The gradients of what a run has read.
pub(crate) struct RunGrad<T: Float> {
    pub(crate) x: Array<T>,
    /// Of the product with the weight, `[time, batch, G units]`, if it is another than that of the input.
    pub(crate) products: Option<Array<T>>,
    pub(crate) output: Array<T>,
    pub(crate) state: Array<T>,
}

/// The numbers of an array that is contiguous.
fn flat<T: Float>(array: &Array<T>) -> &[T] {
    array.as_slice().expect("a contiguous array")
}

impl<T: Float> Run<'_, T> {
    fn sizes(&self) -> Sizes {
        let (time, start) = (self.x.shape().dim(0), self.output.shape());
        Sizes { time, batch: start.dim(0), units: start.dim(1) }
    }

    /// The output and the state of the start; the state is that output where the cell has none of its own.
    fn start(&self) -> [Array<T>; 2] {
        [self.output.contiguous(), self.state.unwrap_or(self.output).contiguous()]
    }

    /// The outputs, `[time, batch, units]`, and after them the last state of a cell that has one: `[time + 1, batch, units]`.
    pub(crate) fn forward<C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(
        &self,
        cell: C,
    ) -> (Array<T>, Kept<T>) {
        let sizes @ Sizes { time, batch, units } = self.sizes();
        let [output, state] = self.start();
        let start = Start { output: flat(&output), state: flat(&state) };
        let one = batch * units;
        let of_states = if C::STATEFUL { time } else { 0 };
        let mut all = Fresh::take((time + usize::from(C::STATEFUL)) * one);
        let mut states = Fresh::take(of_states * one);
        let mut numbers = Fresh::take(time * one * K);
        let (outputs, last) = all.split_at_mut(time * one);
        let inputs = [self.x, self.weight, self.bias].map(Array::contiguous);
        let [x, weight, bias] = inputs.each_ref().map(flat);
        let course = Course { outputs, states: &mut states, kept: &mut numbers };
        recurrent::forward(cell, sizes, (x, weight, bias), start, course);
        if C::STATEFUL {
            last.copy_from_slice(if time == 0 { start.state } else { &states[(time - 1) * one..] });
        }
        let shaped = |fresh, time, numbers| Array::from_fresh(fresh, Shape::of([time, batch, numbers]));
        let kept =
            Kept { numbers: shaped(numbers, time, K * units), states: shaped(states, of_states, units) };
        (shaped(all, time + usize::from(C::STATEFUL), units), kept)
    }

    /// The gradients from that of what [`forward`](Self::forward) has returned.
    pub(crate) fn backward<C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(
        &self,
        cell: C,
        outputs: &Array<T>,
        kept: &Kept<T>,
        grad: &Array<T>,
    ) -> RunGrad<T> {
        let sizes @ Sizes { time, batch, units } = self.sizes();
        let [output, state] = self.start();
        let start = Start { output: flat(&output), state: flat(&state) };
        let one = batch * units;
        let (grad, outputs) = (grad.contiguous(), outputs.contiguous());
        let weight = self.weight.contiguous();
        let (steps, last) = flat(&grad).split_at(time * one);
        let mut x = Fresh::take(time * one * G);
        let mut products = Fresh::take(if C::SPLIT { time * one * G } else { 0 });
        let (mut to_output, mut to_state) = (Fresh::take(one), Fresh::take(one));
        if C::STATEFUL {
            to_state.copy_from_slice(last);
        } else {
            to_state.fill(T::ZERO);
        }
        recurrent::backward(
            cell,
            sizes,
            (steps, flat(&weight)),
            start,
            (flat(&outputs), flat(&kept.states), flat(&kept.numbers)),
            Returned { x: &mut x, products: &mut products, output: &mut to_output, state: &mut to_state },
        );
        let gates = Shape::of([time, batch, G * units]);
        RunGrad {
            x: Array::from_fresh(x, gates),
            products: C::SPLIT.then(|| Array::from_fresh(products, gates)),
            output: Array::from_fresh(to_output, self.output.shape()),
            state: Array::from_fresh(to_state, self.output.shape()),
        }
    }

    /// The gradient of the weight, `Σ h(t-1)ᵀ g(t)`, from the outputs and the gradient of the products.
    pub(crate) fn weight_grad(&self, outputs: &Array<T>, products: &Array<T>) -> Array<T> {
        let Sizes { time, batch, units } = self.sizes();
        let gates = self.weight.shape().dim(1);
        if time == 0 {
            return Array::full(T::ZERO, self.weight.shape());
        }
        let flat = |array: &Array<T>, from: usize, to: usize, numbers: usize| {
            let steps = array.slice(0, from, to, 1).expect("steps of the run");
            steps.reshaped(Shape::of([(to - from) * batch, numbers]))
        };
        let product = |left: &Array<T>, right: &Array<T>| {
            let transposed = left.permute(&[1, 0]).expect("a matrix");
            transposed.product(right).expect("as many rows")
        };
        let mut sum = product(self.output, &flat(products, 0, 1, gates));
        if time > 1 {
            sum.add_assign(&product(&flat(outputs, 0, time - 1, units), &flat(products, 1, time, gates)));
        }
        sum
    }
}
