//! Recurrent layers through time: a whole run is one op, so that a step costs a matrix product and one fused loop, and the
//! gradient of the weight is one product for all steps.
//!
//! A cell is a formula over numbers and tensors alike. A gradient that is to be differentiated again goes through the run
//! written step by step in differentiable operations.

use crate::array::{Array, Kept, Run};
use crate::error::{ErrorKind, Result};
use crate::float::{Float, Real};
use crate::kernel::recurrent::{Cell, Pulled, Step};
use crate::op::{Op, Point};
use crate::shape::{AxisSet, Shape};
use crate::tensor::Tensor;
use crate::transform::vjp;

/// A run of a cell over `x`, `[time, batch, G units]`, with the weight `[units, G units]` and the bias `[B units]`, from an
/// output and, if the cell has one, a state, `[batch, units]`. Returns all outputs, and after them the last state.
struct Recurrence<C, T: Float, const G: usize, const B: usize, const K: usize> {
    name: &'static str,
    cell: C,
    /// That of the forward pass. It depends on the inputs: only a gradient that is not differentiated again uses it.
    kept: Option<Kept<T>>,
}

/// Long short-term memory.
#[derive(Clone, Copy)]
struct Lstm;

impl Cell<4, 4, 4> for Lstm {
    const STATEFUL: bool = true;
    const SPLIT: bool = false;

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn forward<R: Real>(self, x: [R; 4], product: [R; 4], bias: [R; 4], state: R) -> Step<R, 4> {
        let [[xi, xf, xg, xo], [pi, pf, pg, po], [bi, bf, bg, bo]] = [x, product, bias];
        let (i, f) = ((xi + pi + bi).sigmoid(), (xf + pf + bf).sigmoid());
        let (g, o) = ((xg + pg + bg).tanh(), (xo + po + bo).sigmoid());
        let state = f.clone() * state + i.clone() * g.clone();
        let output = o.clone() * state.tanh();
        Step { kept: [i, f, g, o], state, output }
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn backward<T: Float>(
        self,
        output: T,
        state: T,
        [i, f, g, o]: [T; 4],
        [before, after]: [T; 2],
    ) -> Pulled<T, 4> {
        let tanh = after.tanh();
        let state = state + output * o * (T::ONE - tanh * tanh);
        let sigmoid = |y: T| y * (T::ONE - y);
        let x = [
            state * g * sigmoid(i),
            state * before * sigmoid(f),
            state * i * (T::ONE - g * g),
            output * tanh * sigmoid(o),
        ];
        Pulled { x, product: x, state: state * f }
    }
}

/// The gated recurrent unit. Its fourth bias belongs to the product in the third gate.
#[derive(Clone, Copy)]
struct Gru;

impl Cell<3, 4, 4> for Gru {
    const STATEFUL: bool = false;
    const SPLIT: bool = true;

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn forward<R: Real>(self, x: [R; 3], product: [R; 3], bias: [R; 4], state: R) -> Step<R, 4> {
        let ([xr, xz, xn], [pr, pz, pn], [br, bz, bn, bm]) = (x, product, bias);
        let (r, z) = ((xr + pr + br).sigmoid(), (xz + pz + bz).sigmoid());
        let m = pn + bm;
        let n = (xn + bn + r.clone() * m.clone()).tanh();
        let output = n.clone() + z.clone() * (state - n.clone());
        Step { kept: [r, z, n, m], state: output.clone(), output }
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn backward<T: Float>(
        self,
        output: T,
        state: T,
        [r, z, n, m]: [T; 4],
        [before, _]: [T; 2],
    ) -> Pulled<T, 3> {
        let grad = output + state;
        let to_n = grad * (T::ONE - z) * (T::ONE - n * n);
        let (to_r, to_z) = (to_n * m * r * (T::ONE - r), grad * (before - n) * z * (T::ONE - z));
        Pulled { x: [to_r, to_z, to_n], product: [to_r, to_z, to_n * r], state: grad * z }
    }
}

/// `h = f(x + h W + b)`.
#[derive(Clone, Copy)]
enum Elman {
    Tanh,
    Relu,
}

impl Cell<1, 1, 0> for Elman {
    const STATEFUL: bool = false;
    const SPLIT: bool = false;

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn forward<R: Real>(self, [x]: [R; 1], [product]: [R; 1], [bias]: [R; 1], _: R) -> Step<R, 0> {
        let sum = x + product + bias;
        let output = match self {
            Self::Tanh => sum.tanh(),
            Self::Relu => sum.relu(),
        };
        Step { kept: [], state: output.clone(), output }
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn backward<T: Float>(self, output: T, _: T, []: [T; 0], [_, after]: [T; 2]) -> Pulled<T, 1> {
        let x = [match self {
            Self::Tanh => output * (T::ONE - after * after),
            Self::Relu => output * after.step(),
        }];
        Pulled { x, product: x, state: T::ZERO }
    }
}

impl<C: Cell<G, B, K>, T: Float, const G: usize, const B: usize, const K: usize> Recurrence<C, T, G, B, K> {
    /// Checks the shapes and runs.
    #[track_caller]
    fn run(name: &'static str, cell: C, inputs: &[&Tensor<T>]) -> Result<Tensor<T>> {
        let (x, start) = (inputs[0].shape(), inputs[3].shape());
        if x.rank() != 3 {
            let what = "[time, batch, gates · units]";
            return Err(ErrorKind::Rank { shape: x, expected: 3, what }.of(name));
        }
        if start.rank() != 2 {
            return Err(ErrorKind::Rank { shape: start, expected: 2, what: "[batch, units]" }.of(name));
        }
        let (batch, units) = (x.dim(1), start.dim(1));
        let expected: [(&str, Shape); 5] = [
            ("the input must be [time, batch, gates · units]", Shape::of([x.dim(0), batch, G * units])),
            ("the weight must be [units, gates · units]", Shape::of([units, G * units])),
            ("the bias must be [biases · units]", Shape::of([B * units])),
            ("the state to start from must be [batch, units]", Shape::of([batch, units])),
            ("the cells to start from must be [batch, units]", Shape::of([batch, units])),
        ];
        for (input, (what, left)) in inputs.iter().zip(expected) {
            if input.shape() != left {
                return Err(ErrorKind::Mismatch { what, left, right: input.shape() }.of(name));
            }
        }
        Self { name, cell, kept: None }.apply(inputs)
    }

    /// The run step by step, to be differentiated any number of times.
    fn composed(&self, inputs: &[Tensor<T>]) -> Result<Tensor<T>> {
        let (x, weight, bias) = (&inputs[0], &inputs[1], &inputs[2]);
        let mut output = inputs[3].clone();
        let mut state = inputs[if C::STATEFUL { 4 } else { 3 }].clone();
        let units = output.shape().dim(1);
        let mut all = Vec::new();
        for time in 0..x.shape().dim(0) {
            let product = output.matmul(weight)?;
            let now = x.slice(0, time..time + 1)?.squeeze(0)?;
            let step =
                self.cell.forward(parts(&now, units)?, parts(&product, units)?, parts(bias, units)?, state);
            (state, output) = (step.state, step.output);
            all.push(output.clone());
        }
        if C::STATEFUL {
            all.push(state);
        }
        if all.is_empty() {
            return Ok(Tensor::zeros(Shape::of([0, output.shape().dim(0), units])));
        }
        Tensor::stack(&all.iter().collect::<Vec<_>>(), 0)
    }

    /// The gradients of several inputs, from one way back.
    fn pull(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Result<Vec<Tensor<T>>> {
        let inputs: Vec<_> = (0..at.inputs()).map(|index| at.input(index)).collect();
        if grad.is_tracked() || inputs.iter().any(Tensor::is_tracked) {
            let (_, all) = vjp(|x| self.composed(x), &inputs.iter().collect::<Vec<_>>(), grad)?;
            return Ok(indices.iter().map(|&index| all[index].clone()).collect::<Vec<_>>());
        }
        let kept = self.kept.as_ref().expect("the forward pass has run");
        let outputs = at.output().array;
        let run = over(&inputs.iter().map(|input| &input.array).collect::<Vec<_>>());
        let found = run.backward(self.cell, &outputs, kept, &grad.array);
        let products = found.products.as_ref().unwrap_or(&found.x);
        let of = |&index: &usize| {
            Tensor::from(match index {
                0 => found.x.clone(),
                1 => run.weight_grad(&outputs, products),
                2 => bias_grad::<T, G, B>(&found.x, products),
                3 => found.output.clone(),
                _ => found.state.clone(),
            })
        };
        Ok(indices.iter().map(of).collect())
    }
}

/// What belongs to each gate, along the last axis.
fn parts<T: Float, const N: usize>(x: &Tensor<T>, units: usize) -> Result<[Tensor<T>; N]> {
    let parts: Result<Vec<_>> = (0..N).map(|n| x.slice(-1, n * units..(n + 1) * units)).collect();
    Ok(parts?.try_into().expect("as many parts"))
}

/// The gradient of the bias: the sum of that of the input over time and batch, and, where there are more biases than gates,
/// that of the last product.
fn bias_grad<T: Float, const G: usize, const B: usize>(x: &Array<T>, products: &Array<T>) -> Array<T> {
    let sum = |gates: &Array<T>| {
        let sum = gates.sum(AxisSet::default().with(0).with(1));
        sum.reshaped(Shape::of([gates.shape().dim(2)]))
    };
    let bias = sum(x);
    if B == G {
        return bias;
    }
    let (all, units) = (products.shape().dim(2), products.shape().dim(2) / G);
    let last = sum(&products.slice(2, all - units, all, 1).expect("the last gate"));
    let shape = Shape::of([B * units]);
    Array::assemble(shape, T::ZERO, &[(&[0], &[1], &bias), (&[all], &[1], &last)])
}

/// The inputs of the op by their names.
fn over<'a, T: Float>(inputs: &[&'a Array<T>]) -> Run<'a, T> {
    let [x, weight, bias, output] = [0, 1, 2, 3].map(|index| inputs[index]);
    Run { x, weight, bias, output, state: inputs.get(4).copied() }
}

impl<C: Cell<G, B, K>, T: Float, const G: usize, const B: usize, const K: usize> Op<T>
    for Recurrence<C, T, G, B, K>
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&mut self, inputs: &[&Array<T>]) -> Result<Array<T>> {
        let (outputs, kept) = over(inputs).forward(self.cell);
        self.kept = Some(kept);
        Ok(outputs)
    }
    fn vjp(&self, index: usize, grad: Tensor<T>, at: &Point<'_, T>) -> Result<Tensor<T>> {
        Ok(self.pull(&[index], &grad, at)?.remove(0))
    }
    fn vjps(&self, indices: &[usize], grad: &Tensor<T>, at: &Point<'_, T>) -> Option<Result<Vec<Tensor<T>>>> {
        Some(self.pull(indices, grad, at))
    }
}

impl<T: Float> Tensor<T> {
    /// `h(t) = σ(o) tanh(c(t))` and `c(t) = σ(f) c(t-1) + σ(i) tanh(g)` with `[i, f, g, o] = x(t) + h(t-1) weight + bias`: a
    /// run of long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers, Schmidhuber and
    /// Cummins, 2000).
    ///
    /// This tensor is `x`, the input's part of the gates, `[time, batch, 4 units]`. The run starts from `hidden = h(0)` and
    /// `cell = c(0)`, both `[batch, units]`; the weight is `[units, 4 units]`, the bias `[4 units]`, and the gates lie one
    /// after the other. Returns `h(1), .., h(time)`, `[time, batch, units]`, and the last `c`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let start = Tensor::<f64>::zeros([1, 1]);
    /// let gates = Tensor::from_vec([0.0, 0.0, 1.0, 0.0], [1, 1, 4])?;
    /// let (hidden, cell) = gates.lstm(&Tensor::zeros([1, 4]), &Tensor::zeros([4]), &start, &start)?;
    /// assert!((cell.item() - 0.5 * 1f64.tanh()).abs() < 1e-12);
    /// assert!((hidden.item() - 0.5 * cell.item().tanh()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn lstm(&self, weight: &Self, bias: &Self, hidden: &Self, cell: &Self) -> Result<(Self, Self)> {
        let all = Recurrence::run("lstm", Lstm, &[self, weight, bias, hidden, cell])?;
        let time = self.shape().dim(0);
        Ok((all.slice(0, 0..time)?, all.slice(0, time..time + 1)?.squeeze(0)?))
    }

    /// `h(t) = (1 - z) n + z h(t-1)` with `r = σ(xᵣ(t) + pᵣ + bᵣ)`, `z = σ(x_z(t) + p_z + b_z)`,
    /// `n = tanh(xₙ(t) + bₙ + r (pₙ + bₘ))` and `[pᵣ, p_z, pₙ] = h(t-1) weight`: a run of the gated recurrent unit (Cho et al.,
    /// arXiv:1406.1078).
    ///
    /// This tensor is `x`, the input's part of the gates, `[time, batch, 3 units]`. The run starts from `hidden = h(0)`,
    /// `[batch, units]`; the weight is `[units, 3 units]`, the bias `[bᵣ, b_z, bₙ, bₘ]`, `[4 units]`. The reset gate `r`
    /// multiplies the product, as in cuDNN and `torch`, not the state before it, as in the paper. Returns
    /// `h(1), .., h(time)`, `[time, batch, units]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let gates = Tensor::from_vec([0.0, 0.0, 1.0], [1, 1, 3])?;
    /// let start = Tensor::ones([1, 1]);
    /// let hidden = gates.gru(&Tensor::zeros([1, 3]), &Tensor::zeros([4]), &start)?;
    /// assert!((hidden.item() - 0.5 * (1f64.tanh() + 1.0)).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn gru(&self, weight: &Self, bias: &Self, hidden: &Self) -> Result<Self> {
        Recurrence::run("gru", Gru, &[self, weight, bias, hidden])
    }

    /// `h(t) = tanh(x(t) + h(t-1) weight + bias)`: a run of a simple recurrent layer (Elman, 1990).
    ///
    /// This tensor is `x`, the input's part, `[time, batch, units]`. The run starts from `hidden = h(0)`, `[batch, units]`;
    /// the weight is `[units, units]`, the bias `[units]`. Returns `h(1), .., h(time)`, `[time, batch, units]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (x, start) = (Tensor::ones([2, 1, 1]), Tensor::<f64>::zeros([1, 1]));
    /// let hidden = x.rnn_tanh(&Tensor::ones([1, 1]), &Tensor::zeros([1]), &start)?.to_vec();
    /// assert!((hidden[1] - (1.0 + 1f64.tanh()).tanh()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn rnn_tanh(&self, weight: &Self, bias: &Self, hidden: &Self) -> Result<Self> {
        Recurrence::run("rnn_tanh", Elman::Tanh, &[self, weight, bias, hidden])
    }

    /// `h(t) = max(0, x(t) + h(t-1) weight + bias)`: [`rnn_tanh`](Self::rnn_tanh) with another function. The gradient of the
    /// maximum at 0 is 0.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// let (x, start) = (Tensor::ones([2, 1, 1]), Tensor::<f64>::zeros([1, 1]));
    /// let hidden = x.rnn_relu(&Tensor::ones([1, 1]), &Tensor::zeros([1]), &start)?;
    /// assert_eq!(hidden.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn rnn_relu(&self, weight: &Self, bias: &Self, hidden: &Self) -> Result<Self> {
        Recurrence::run("rnn_relu", Elman::Relu, &[self, weight, bias, hidden])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Rng;

    /// Holds a run, and its way back, to the same run step by step.
    #[track_caller]
    fn same<C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(cell: C, units: usize) {
        let (time, batch, mut rng) = (3, 2, Rng::seed(units as u64));
        let all: [&[usize]; 5] =
            [&[time, batch, G * units], &[units, G * units], &[B * units], &[batch, units], &[batch, units]];
        let count = if C::STATEFUL { 5 } else { 4 };
        let inputs = all[..count].iter().map(|&shape| rng.normal::<f64>(shape, 0.0, 0.7).variable());
        let inputs: Vec<_> = inputs.collect();
        let step_by_step = Recurrence::<C, f64, G, B, K> { name: "", cell, kept: None };
        let expected = step_by_step.composed(&inputs).unwrap();
        let found = Recurrence::run("run", cell, &inputs.iter().collect::<Vec<_>>()).unwrap();
        let seed = rng.normal::<f64>(expected.shape(), 0.0, 1.0);
        let gradients = |y: &Tensor<f64>| {
            (y * &seed).sum().backward().unwrap();
            inputs.iter().map(|x| x.take_grad().unwrap()).collect::<Vec<_>>()
        };
        let pairs = gradients(&found).into_iter().zip(gradients(&expected)).chain([(found, expected)]);
        for (found, expected) in pairs {
            for (a, b) in found.to_vec().into_iter().zip(expected.to_vec()) {
                assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{units} units: {a} should be {b}");
            }
        }
    }

    #[test]
    fn blocks_of_units_and_single_ones_are_the_formula() {
        for units in [1, 15, 16, 17, 35] {
            same(Lstm, units);
            same(Gru, units);
            same(Elman::Tanh, units);
            same(Elman::Relu, units);
        }
    }
    /// Outputs and gradients of a run that is large enough for several threads.
    fn bits<C: Cell<G, B, K>, const G: usize, const B: usize, const K: usize>(
        cell: C,
        threads: usize,
    ) -> Vec<Vec<u32>> {
        let (time, batch, units) = (5, 37, 72);
        let all: [&[usize]; 5] =
            [&[time, batch, G * units], &[units, G * units], &[B * units], &[batch, units], &[batch, units]];
        crate::with_threads(threads, || {
            let mut rng = Rng::seed(1);
            let inputs = all[..if C::STATEFUL { 5 } else { 4 }].iter();
            let inputs: Vec<_> = inputs.map(|&shape| rng.normal::<f32>(shape, 0.0, 0.3).variable()).collect();
            let found = Recurrence::run("run", cell, &inputs.iter().collect::<Vec<_>>()).unwrap();
            let seed = rng.normal::<f32>(found.shape(), 0.0, 1.0);
            (&found * &seed).sum().backward().unwrap();
            let gradients = inputs.iter().map(|x| x.take_grad().unwrap());
            let bits = |x: Tensor<f32>| x.to_vec().into_iter().map(f32::to_bits).collect();
            gradients.chain([found]).map(bits).collect()
        })
    }

    #[test]
    fn a_batch_that_is_cut_among_threads_has_the_same_bits() {
        for threads in [2, 3, 8] {
            assert!(bits(Lstm, 1) == bits(Lstm, threads), "lstm on {threads} threads");
            assert!(bits(Gru, 1) == bits(Gru, threads), "gru on {threads} threads");
            assert!(bits(Elman::Tanh, 1) == bits(Elman::Tanh, threads), "rnn on {threads} threads");
        }
    }
}
