//! What L-BFGS remembers, and how it is saved.

use super::{add, dot, scaled};
use crate::engine::expect;
use autodiff::{Array, Error, Float, Result, StateDict};
use std::collections::VecDeque;

/// What is known from the iterations before, in the type of the model: so that what is saved is all of it, to the bit.
#[derive(Clone, Debug)]
pub(super) struct Memory<T> {
    /// The number of trained numbers.
    size: usize,
    /// Changes `s` of the weights and `y` of the gradient, and `1 / (s y)`, from the oldest on.
    pairs: VecDeque<(Vec<T>, Vec<T>, f64)>,
    /// The estimate of the inverse Hessian that the pairs change.
    scale: f64,
    /// The last move, and the gradient before it.
    last: Option<(Vec<T>, Vec<T>)>,
}

/// The names in a state dict.
const ARRAYS: [&str; 3] = ["moved", "change", "last"];

impl<T: Float> Memory<T> {
    pub(super) fn new(size: usize) -> Self {
        Self { size, pairs: VecDeque::new(), scale: 1.0, last: None }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Keeps a move, and the gradient before it, to learn from.
    pub(super) fn keep(&mut self, moved: &[f64], gradient: &[f64]) {
        let [moved, gradient] = [moved, gradient].map(|all| all.iter().map(|&x| T::from_f64(x)).collect());
        self.last = Some((moved, gradient));
    }

    /// `-H g`, after what the last move has taught (Nocedal and Wright, algorithm 7.4).
    pub(super) fn direction(&mut self, gradient: &[f64], history: usize) -> Vec<f64> {
        if let Some((moved, before)) = self.last.take() {
            let change =
                gradient.iter().zip(&before).map(|(new, old)| T::from_f64(new - old.to_f64())).collect();
            self.learn(moved, change, history);
        }
        let mut direction = scaled(gradient, -1.0);
        let mut factors = Vec::with_capacity(self.pairs.len());
        for (moved, change, inverse) in self.pairs.iter().rev() {
            let factor = dot(moved, &direction) * inverse;
            add(&mut direction, change, -factor);
            factors.push(factor);
        }
        direction = scaled(&direction, self.scale);
        for ((moved, change, inverse), factor) in self.pairs.iter().zip(factors.into_iter().rev()) {
            let other = dot(change, &direction) * inverse;
            add(&mut direction, moved, factor - other);
        }
        direction
    }

    /// Takes up a change of the weights and that of the gradient, if the loss is curved that way. It tells whether.
    fn learn(&mut self, moved: Vec<T>, change: Vec<T>, history: usize) -> bool {
        let curvature = dot(&change, &moved);
        if curvature > 1e-10 {
            while self.pairs.len() >= history {
                self.pairs.pop_front();
            }
            self.scale = curvature / dot(&change, &change);
            self.pairs.push_back((moved, change, 1.0 / curvature));
        }
        curvature > 1e-10
    }

    /// All of it; the scale and the inverses follow from the pairs.
    pub(super) fn state_dict(&self) -> StateDict<T> {
        let last = self.last.iter().flat_map(|(moved, gradient)| [moved, gradient]);
        let rows: [Vec<&Vec<T>>; 3] = [
            self.pairs.iter().map(|(moved, ..)| moved).collect(),
            self.pairs.iter().map(|(_, change, _)| change).collect(),
            last.collect(),
        ];
        let mut state = StateDict::new();
        for (name, rows) in ARRAYS.into_iter().zip(rows) {
            let shape = [rows.len(), self.size];
            let numbers: Vec<T> = rows.into_iter().flatten().copied().collect();
            state.set_array(name, Array::from_vec(numbers, shape).expect("the sizes are equal"));
        }
        state
    }

    /// What was saved, as far as the history has room for it.
    #[track_caller]
    pub(super) fn load(state: &StateDict<T>, history: usize) -> Result<Self> {
        expect("Lbfgs", state, &ARRAYS, &[])?;
        let [moved, change, last] = ARRAYS.map(|name| state.array(name).expect("the names were compared"));
        let [count, size] = moved.shape().to_vec()[..] else { return Err(misshapen([moved, change, last])) };
        if change.shape() != moved.shape() || !(last.shape() == [0, size] || last.shape() == [2, size]) {
            return Err(misshapen([moved, change, last]));
        }
        let rows = |array: &Array<T>| {
            let numbers = array.to_vec();
            (0..array.shape().dim(0)).map(move |i| numbers[i * size..(i + 1) * size].to_vec())
        };
        let mut memory = Self::new(size);
        for (i, (moved, change)) in rows(moved).zip(rows(change)).enumerate() {
            if !memory.learn(moved, change, history) {
                let message = format!("change {i} of {count} has no curvature, and was never learned from");
                return Err(Error::new("Lbfgs", message));
            }
        }
        let mut last = rows(last);
        memory.last = last.next().zip(last.next());
        Ok(memory)
    }
}

#[track_caller]
fn misshapen<T: Float>(arrays: [&Array<T>; 3]) -> Error {
    let [moved, change, last] = arrays.map(Array::shape);
    let message = format!(
        "moved {moved}, change {change} and last {last} must be [k, n], [k, n], and [2, n] or [0, n]"
    );
    Error::new("Lbfgs", message)
}
