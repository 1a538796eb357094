//! The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno.

mod line_search;
mod memory;

use crate::engine::{not_negative, positive};
use autodiff::{Array, Error, Float, Module, Result, StateDict, Tensor};
use line_search::{Point, strong_wolfe};
use memory::Memory;

/// L-BFGS (Liu and Nocedal, *On the limited memory BFGS method for large scale optimization*, 1989): steps along `-H g`, with an
/// estimate `H` of the inverse Hessian from the last changes of weights and gradient. For small problems, and gradients
/// of all data at once.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::Lbfgs;
/// // Rosenbrock's valley, (1 - x)² + 100 (y - x²)².
/// let mut point = (Parameter::new(Tensor::scalar(-1.2f64)), Parameter::new(Tensor::scalar(1.0)));
/// let mut optimizer = Lbfgs::new(1.0).strong_wolfe(true).max_iterations(100);
/// let step = optimizer.step(&mut point, |(x, y)| {
///     Ok((1.0 - &**x).square() + (&**y - x.square()).square() * 100.0)
/// })?;
/// assert!((step.loss - 24.2).abs() < 1e-12); // at the start
/// assert!((point.0.item() - 1.0).abs() < 1e-4 && (point.1.item() - 1.0).abs() < 1e-4);
/// assert!(step.evaluations < 50);
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// It evaluates the loss several times in a step, at other weights each time. So it is no [`Optimizer`](crate::Optimizer): its
/// `step` gets a function of the model that returns the loss, and calls `backward` itself. That function must return the
/// same for the same weights: no dropout, no other batch.
///
/// Without a line search each iteration moves by the learning rate times `-H g`, for better or worse, and the very first,
/// which knows no `H`, by no more than the learning rate. With one, it looks for a step that meets the strong Wolfe conditions, a loss that is lower by
/// `10⁻⁴` of what the slope promises and a slope of at most 0.9 of that at the start (Nocedal and Wright, *Numerical
/// Optimization*, algorithms 3.5 and 3.6), with the cubic interpolation of minFunc, which `PyTorch` uses too.
///
/// All computation outside the model is in `f64`; what is remembered is of the model's type: `2 · (history + 1)` numbers for each
/// trained one.
#[derive(Clone, Debug)]
pub struct Lbfgs<T: Float = f32> {
    learning_rate: f64,
    max_iterations: u64,
    max_evaluations: Option<u64>,
    gradient_tolerance: f64,
    change_tolerance: f64,
    history: usize,
    strong_wolfe: bool,
    memory: Option<Memory<T>>,
}

/// What a step of [`Lbfgs`] has done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LbfgsStep {
    /// The loss before the step.
    pub loss: f64,
    /// How many directions were followed.
    pub iterations: u64,
    /// How often the loss was computed.
    pub evaluations: u64,
    /// Whether no element of the last gradient was larger than the tolerance.
    pub converged: bool,
    /// The names of the parameters that the loss does not depend on, in the order of the model. They stay as they are.
    pub without_gradient: Vec<String>,
}

impl<T: Float> Lbfgs<T> {
    /// An optimiser with this learning rate, 1 for the full steps of a quasi-Newton method, and the other hyperparameters at
    /// their defaults, those of `PyTorch`.
    ///
    /// # Panics
    /// If the learning rate is negative or not finite.
    #[track_caller]
    pub fn new(learning_rate: f64) -> Self {
        Self {
            learning_rate: not_negative("the learning rate", learning_rate),
            max_iterations: 20,
            max_evaluations: None,
            gradient_tolerance: 1e-7,
            change_tolerance: 1e-9,
            history: 100,
            strong_wolfe: false,
            memory: None,
        }
    }

    /// How many directions a step follows at most. Default: `20`. `PyTorch` calls it `max_iter`.
    pub fn max_iterations(self, max_iterations: u64) -> Self {
        Self { max_iterations, ..self }
    }

    /// After how many evaluations of the loss a step ends. Default: five quarters of `max_iterations`. `PyTorch` calls it
    /// `max_eval`.
    pub fn max_evaluations(self, max_evaluations: u64) -> Self {
        Self { max_evaluations: Some(max_evaluations), ..self }
    }

    /// A step ends when no element of the gradient is larger. Default: `1e-7`.
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn gradient_tolerance(self, tolerance: f64) -> Self {
        Self { gradient_tolerance: not_negative("gradient_tolerance", tolerance), ..self }
    }

    /// A step ends when loss or weights change by no more. Default: `1e-9`.
    ///
    /// # Panics
    /// If it is not finite and above 0.
    #[track_caller]
    pub fn change_tolerance(self, tolerance: f64) -> Self {
        Self { change_tolerance: positive("change_tolerance", tolerance), ..self }
    }

    /// How many changes of weights and gradient are remembered. Default: `100`.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn history(self, history: usize) -> Self {
        assert!(history > 0, "history must be above 0");
        Self { history, ..self }
    }

    /// Whether to search along each direction for a step that meets the strong Wolfe conditions. Default: `false`.
    pub fn strong_wolfe(self, strong_wolfe: bool) -> Self {
        Self { strong_wolfe, ..self }
    }

    /// Follows some directions down from where the model is, and leaves it where they lead.
    ///
    /// Gradients that the model has are dropped.
    ///
    /// # Errors
    /// - Those of `loss` and of its backward pass.
    /// - If loss or gradient are not finite at the start or, without line search, after a move. A line search turns back from
    ///   where the loss is not.
    /// - If the model has another size than at the step before.
    ///
    /// The parameters stay where the last move has led; what was remembered is forgotten.
    #[track_caller]
    pub fn step<M: Module<T>>(
        &mut self,
        model: &mut M,
        mut loss: impl FnMut(&M) -> Result<Tensor<T>>,
    ) -> Result<LbfgsStep> {
        let (mut value, mut gradient, without_gradient) = evaluate(model, &mut loss)?;
        finite(value, &gradient)?;
        let (max_iterations, start) = (self.max_iterations, value);
        let max_evaluations =
            self.max_evaluations.unwrap_or(max_iterations.saturating_add(max_iterations / 4));
        let (mut iterations, mut evaluations) = (0, 1);
        let mut converged = largest(&gradient) <= self.gradient_tolerance;
        let mut memory = self.memory.take();
        if let Some(size) = memory.as_ref().map(Memory::size)
            && size != gradient.len()
        {
            let now = gradient.len();
            let message = format!(
                "the model had {size} numbers, and has {now}: make a new optimiser for a changed model"
            );
            return Err(Error::new("Lbfgs", message));
        }
        while !converged && iterations < max_iterations {
            iterations += 1;
            let first = memory.is_none();
            let memory = memory.get_or_insert_with(|| Memory::new(gradient.len()));
            let direction = memory.direction(&gradient, self.history);
            let slope = dot(&gradient, &direction);
            let length =
                if first { (1.0 / sum_of_sizes(&gradient)).min(1.0) } else { 1.0 } * self.learning_rate;
            if slope > -self.change_tolerance {
                break;
            }
            let before = value;
            let moved;
            if self.strong_wolfe {
                let origin = positions(model);
                let at = Point { t: 0.0, value, gradient: gradient.clone(), slope };
                let budget = max_evaluations.saturating_sub(evaluations);
                let (found, count) = strong_wolfe(&at, length, largest(&direction), budget, |t| {
                    place(model, &origin, &scaled(&direction, t));
                    let result = evaluate(model, &mut loss);
                    restore(model, &origin);
                    let (value, gradient, _) = result?;
                    let slope = dot(&gradient, &direction);
                    // Where there is no loss, the search turns back.
                    Ok(Point {
                        t,
                        value: if value.is_nan() { f64::INFINITY } else { value },
                        gradient,
                        slope,
                    })
                })?;
                evaluations += count;
                moved = scaled(&direction, found.t);
                place(model, &origin, &moved);
                memory.keep(&moved, &gradient);
                gradient = found.gradient;
                value = found.value;
            } else {
                moved = scaled(&direction, length);
                let origin = positions(model);
                place(model, &origin, &moved);
                memory.keep(&moved, &gradient);
                // The loss after the last move is that before the next step.
                if iterations < max_iterations {
                    (value, gradient, _) = evaluate(model, &mut loss)?;
                    evaluations += 1;
                    finite(value, &gradient)?;
                }
            }
            converged = largest(&gradient) <= self.gradient_tolerance;
            let stuck =
                largest(&moved) <= self.change_tolerance || (value - before).abs() < self.change_tolerance;
            if evaluations >= max_evaluations || stuck {
                break;
            }
        }
        self.memory = memory;
        Ok(LbfgsStep { loss: start, iterations, evaluations, converged, without_gradient })
    }

    /// What is remembered, to be saved: the last `k` changes of the `n` weights and of their gradient, as `moved` and `change`
    /// `[k, n]`, and as `last` `[2, n]` the move and the gradient that the next step learns from, or `[0, n]`. Nothing
    /// before the first move. Not the hyperparameters, which belong to the program.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::Lbfgs;
    /// let new = || Lbfgs::new(1.0).strong_wolfe(true).max_iterations(2);
    /// let loss = |w: &Parameter<f64>| Ok((w.square() * &**w - &**w).square().sum());
    /// let (mut w, mut optimizer) = (Parameter::new(Tensor::scalar(3.0)), new());
    /// optimizer.step(&mut w, loss)?;
    ///
    /// let (mut saved, mut resumed) = (w.clone(), new());
    /// resumed.load_state_dict(&optimizer.state_dict())?;
    /// optimizer.step(&mut w, loss)?;
    /// resumed.step(&mut saved, loss)?;
    /// assert_eq!(saved.item(), w.item());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn state_dict(&self) -> StateDict<T> {
        self.memory.as_ref().map_or_else(StateDict::new, Memory::state_dict)
    }

    /// Takes up what [`state_dict`](Self::state_dict) has given, instead of what has been learned since. Of more changes than
    /// the [history](Self::history) has room for, the last count.
    ///
    /// # Errors
    /// If it is not the state of this optimiser; the error names what is missing, what does not belong there, and what has
    /// another shape. All is then as it was. That the model has the right size is found out by the next step.
    #[track_caller]
    pub fn load_state_dict(&mut self, state: &StateDict<T>) -> Result<()> {
        let nothing = state.arrays().len() + state.counts().len() == 0;
        self.memory = if nothing { None } else { Some(Memory::load(state, self.history)?) };
        Ok(())
    }
}

/// The loss, its gradient with respect to all parameters, and the names of those without one.
#[track_caller]
fn evaluate<T: Float, M: Module<T>>(
    model: &M,
    loss: &mut impl FnMut(&M) -> Result<Tensor<T>>,
) -> Result<(f64, Vec<f64>, Vec<String>)> {
    model.parameters(&mut |_, parameter| drop(parameter.take_grad()));
    let value = loss(model)?;
    value.backward()?;
    let (mut gradient, mut without) = (Vec::new(), Vec::new());
    model.parameters(&mut |name, parameter| {
        if let Some(grad) = parameter.take_grad() {
            gradient.extend(grad.to_vec().into_iter().map(T::to_f64));
        } else {
            gradient.extend(std::iter::repeat_n(0.0, parameter.size()));
            without.push(name.to_owned());
        }
    });
    Ok((value.item().to_f64(), gradient, without))
}

#[track_caller]
fn finite(loss: f64, gradient: &[f64]) -> Result<()> {
    if !loss.is_finite() {
        return Err(Error::new("Lbfgs", format!("the loss is {loss}")));
    }
    if !largest(gradient).is_finite() {
        return Err(Error::new("Lbfgs", "the gradient is not finite".to_owned()));
    }
    Ok(())
}

/// Where the parameters are.
fn positions<T: Float, M: Module<T>>(model: &M) -> Vec<Array<T>> {
    let mut all = Vec::new();
    model.parameters(&mut |_, parameter| all.push(parameter.array().clone()));
    all
}

/// Puts the parameters at `origin + moved`.
fn place<T: Float, M: Module<T>>(model: &mut M, origin: &[Array<T>], moved: &[f64]) {
    let (mut origin, mut rest) = (origin.iter(), moved);
    model.parameters_mut(&mut |_, parameter| {
        let from = origin.next().expect("the walk is always the same");
        let (moved, after) = rest.split_at(from.size());
        rest = after;
        let to: Vec<T> = from.to_vec().iter().zip(moved).map(|(x, d)| T::from_f64(x.to_f64() + d)).collect();
        parameter.set(&Tensor::from_vec(to, from.shape()).expect("the sizes are equal"));
    });
}

/// Puts the parameters at `origin`.
fn restore<T: Float, M: Module<T>>(model: &mut M, origin: &[Array<T>]) {
    let mut origin = origin.iter();
    model.parameters_mut(&mut |_, parameter| {
        parameter.set(&origin.next().expect("the walk is always the same").clone().into());
    });
}

fn dot<A: Float, B: Float>(a: &[A], b: &[B]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

fn add<T: Float>(to: &mut [f64], of: &[T], factor: f64) {
    to.iter_mut().zip(of).for_each(|(to, of)| *to += factor * of.to_f64());
}

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|x| x * factor).collect()
}

/// The largest size of an element; NaN if there is one.
fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| if most < x.abs() || x.is_nan() { x.abs() } else { most })
}

fn sum_of_sizes(values: &[f64]) -> f64 {
    values.iter().map(|x| x.abs()).sum()
}
