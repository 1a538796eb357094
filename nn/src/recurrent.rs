//! Recurrent layers: what they have in common.
//!
//! The parameters have the names that they have in `torch` (`weight_ih_l0`, `bias_hh_l1_reverse`, ..); weights are
//! `[inputs, outputs]`, as everywhere in this crate, and so the transpose of `torch`'s.

mod gru;
mod lstm;
mod rnn;

pub use gru::{Gru, GruCell};
pub use lstm::{Lstm, LstmCell, LstmState};
pub use rnn::{Rnn, RnnCell};

use crate::{Dropout, Layer};
use autodiff::{Error, Float, Module, Parameter, Path, Place, PlaceMut, Result, Rng, Tensor};

/// The options of [`Rnn`], [`Lstm`] and [`Gru`].
///
/// ```
/// use nn::RecurrentOptions;
/// let options = RecurrentOptions { layers: 2, bidirectional: true, ..RecurrentOptions::default() };
/// assert!(options.bias && options.dropout == 0.0 && !options.time_first);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecurrentOptions {
    /// How many layers there are, each fed with the outputs of the one below; 1 unless it is set.
    pub layers: usize,
    /// Whether each layer has a second half that reads the sequence from its end, and whose outputs are put after those of
    /// the first: `2 · hidden` features.
    pub bidirectional: bool,
    /// The probability of dropout between the layers; 0 unless it is set.
    pub dropout: f64,
    /// Whether there are biases; there are unless this is set to `false`.
    pub bias: bool,
    /// Whether sequences are `[time, batch, features]`, as `torch` has them by default. Unless it is set they are `[batch,
    /// time, features]`: the batch is the first axis, as everywhere else in this workspace.
    pub time_first: bool,
}

impl Default for RecurrentOptions {
    fn default() -> Self {
        Self { layers: 1, bidirectional: false, dropout: 0.0, bias: true, time_first: false }
    }
}

impl RecurrentOptions {
    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
}

/// What one step of a layer consists of, for runs of any length.
trait Cell<T: Float>: Module<T> {
    /// The name in errors.
    const NAME: &'static str;
    /// How many gates there are, which lie one after the other.
    const GATES: usize;
    /// How many tensors the state is.
    const STATES: usize;

    /// Features of the input, and of the state.
    fn sizes(&self) -> [usize; 2];

    /// Reads `x`, `[time, batch, inputs]`, from states `[batch, hidden]`. Returns the outputs, `[time, batch, hidden]`, and
    /// the last states.
    fn read(&self, x: &Tensor<T>, start: &[Tensor<T>]) -> Result<(Tensor<T>, Vec<Tensor<T>>)>;

    /// One step over `x`, `[batch, inputs]`, from states `[batch, hidden]`; returns the next ones.
    #[track_caller]
    fn step(&self, x: &Tensor<T>, start: &[&Tensor<T>]) -> Result<Vec<Tensor<T>>> {
        let ([inputs, hidden], shape) = (self.sizes(), x.shape());
        if shape.rank() != 2 || shape.dim(1) != inputs {
            let message = format!("the cell takes [batch, {inputs}], and the input is {shape}");
            return Err(Error::new(Self::NAME, message));
        }
        let expected = [shape.dim(0), hidden];
        check_states(Self::NAME, start, &expected)?;
        let start: Vec<_> = start.iter().map(|&state| state.clone()).collect();
        Ok(self.read(&x.unsqueeze(0)?, &start)?.1)
    }
}

/// Layers of cells, each of one or two directions.
#[derive(Clone, Debug)]
struct Stack<C> {
    /// For each layer the cell that reads forwards, then the one that reads backwards.
    cells: Vec<C>,
    options: RecurrentOptions,
    dropout: Option<Dropout>,
}

impl<C> Stack<C> {
    /// Layers whose cells `create` makes from the number of their inputs.
    #[track_caller]
    fn new(
        inputs: usize,
        hidden: usize,
        options: RecurrentOptions,
        rng: &mut Rng,
        create: impl Fn(usize, &mut Rng) -> C,
    ) -> Self {
        assert!(options.layers > 0, "a recurrent layer of 0 layers");
        let directions = options.directions();
        let of_layer = |layer| if layer == 0 { inputs } else { directions * hidden };
        let cells = (0..options.layers * directions).map(|i| create(of_layer(i / directions), rng)).collect();
        let dropout = (options.dropout > 0.0).then(|| Dropout::new(options.dropout, rng));
        Self { cells, options, dropout }
    }

    /// Reads a whole sequence, from zeros or from states `[layers · directions, batch, hidden]`. Returns outputs and last
    /// states.
    #[track_caller]
    fn read<T: Float>(
        &self,
        x: &Tensor<T>,
        start: Option<&[&Tensor<T>]>,
    ) -> Result<(Tensor<T>, Vec<Tensor<T>>)>
    where
        C: Cell<T>,
    {
        let options = &self.options;
        let ([inputs, hidden], shape) = (self.cells[0].sizes(), x.shape());
        if shape.rank() != 3 || shape.dim(2) != inputs {
            let front = if options.time_first { "time, batch" } else { "batch, time" };
            let message = format!("the layer takes [{front}, {inputs}], and the input is {shape}");
            return Err(Error::new(C::NAME, message));
        }
        let batch = shape.dim(usize::from(options.time_first));
        if let Some(start) = start {
            check_states(C::NAME, start, &[self.cells.len(), batch, hidden])?;
        }
        let from = |cell: usize| match start {
            Some(start) => start.iter().map(|state| state.slice(0, cell..cell + 1)?.squeeze(0)).collect(),
            None => Ok(vec![Tensor::zeros([batch, hidden]); C::STATES]),
        };
        let directions = options.directions();
        let mut x = if options.time_first { x.clone() } else { x.transpose(0, 1)? };
        let mut last = vec![Vec::new(); C::STATES];
        for (layer, cells) in self.cells.chunks(directions).enumerate() {
            if let Some(dropout) = self.dropout.as_ref().filter(|_| layer > 0) {
                x = dropout.forward(&x)?;
            }
            let mut outputs = Vec::new();
            for (direction, cell) in cells.iter().enumerate() {
                let start: Vec<_> = from(layer * directions + direction)?;
                let backwards = direction == 1;
                let along = |x: &Tensor<T>| if backwards { x.flip(0) } else { Ok(x.clone()) };
                let (output, states) = cell.read(&along(&x)?, &start)?;
                outputs.push(along(&output)?);
                last.iter_mut().zip(states).for_each(|(all, state)| all.push(state));
            }
            x = joined(outputs, |outputs| Tensor::cat(outputs, -1))?;
        }
        let last = last.into_iter().map(|states| Tensor::stack(&states.iter().collect::<Vec<_>>(), 0));
        let last = last.collect::<Result<Vec<_>>>()?;
        Ok((if options.time_first { x } else { x.transpose(0, 1)? }, last))
    }

    /// The name of each cell's places, before and after their own: `torch`'s `weight_ih_l0_reverse`.
    fn suffix(&self, cell: usize) -> String {
        let directions = self.options.directions();
        let reverse = if cell % directions == 1 { "_reverse" } else { "" };
        format!("_l{}{reverse}", cell / directions)
    }
}

impl<T: Float, C: Module<T>> Module<T> for Stack<C> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        for (cell, module) in self.cells.iter().enumerate() {
            let suffix = self.suffix(cell);
            module.walk(path, &mut |name, place| visit(&format!("{name}{suffix}"), place));
        }
        path.scope("dropout", |path| self.dropout.walk(path, visit));
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        for cell in 0..self.cells.len() {
            let suffix = self.suffix(cell);
            self.cells[cell].walk_mut(path, &mut |name, place| visit(&format!("{name}{suffix}"), place));
        }
        path.scope("dropout", |path| self.dropout.walk_mut(path, visit));
    }
}

/// The one tensor, or several put together.
fn joined<T: Float>(
    mut tensors: Vec<Tensor<T>>,
    join: impl FnOnce(&[&Tensor<T>]) -> Result<Tensor<T>>,
) -> Result<Tensor<T>> {
    match tensors.len() {
        1 => Ok(tensors.remove(0)),
        _ => join(&tensors.iter().collect::<Vec<_>>()),
    }
}

/// Reports states to start from that have another shape.
#[track_caller]
fn check_states<T: Float>(op: &'static str, states: &[&Tensor<T>], expected: &[usize]) -> Result<()> {
    match states.iter().find(|state| state.shape().to_vec() != expected) {
        None => Ok(()),
        Some(state) => {
            let message =
                format!("the state to start from must be {expected:?}, and it is {}", state.shape());
            Err(Error::new(op, message))
        }
    }
}

/// The output of the last step, or the state before the first if there is none.
fn last<T: Float>(outputs: &Tensor<T>, start: &Tensor<T>) -> Result<Tensor<T>> {
    match outputs.shape().dim(0) {
        0 => Ok(start.clone()),
        time => outputs.slice(0, time - 1..time)?.squeeze(0),
    }
}

/// The sum of both biases, or zeros.
fn total<T: Float>(ih: Option<&Parameter<T>>, hh: Option<&Parameter<T>>, size: usize) -> Tensor<T> {
    match (ih, hh) {
        (Some(ih), Some(hh)) => &**ih + &**hh,
        (Some(only), None) | (None, Some(only)) => (**only).clone(),
        (None, None) => Tensor::zeros([size]),
    }
}

/// Writes a cell and the layer of its kind: the structs, how they are made, and their places.
macro_rules! recurrent {
    (
        $(#[$about_cell:meta])*
        cell $cell:ident { $($(#[$about:meta])* $option:ident: $type:ty = $default:expr,)* }
        $(#[$about_layer:meta])*
        layer $layer:ident
    ) => {
        $(#[$about_cell])*
        #[derive(Clone, Debug, crate::Module)]
        pub struct $cell<T: autodiff::Float = f32> {
            /// From the input to the gates, `[inputs, gates · hidden]`.
            pub weight_ih: autodiff::Parameter<T>,
            /// From the last output to the gates, `[hidden, gates · hidden]`.
            pub weight_hh: autodiff::Parameter<T>,
            /// That of the input, `[gates · hidden]`, if there are biases.
            pub bias_ih: Option<autodiff::Parameter<T>>,
            /// That of the last output, `[gates · hidden]`, if there are biases.
            pub bias_hh: Option<autodiff::Parameter<T>>,
            $($(#[$about])* pub $option: $type,)*
        }

        impl<T: autodiff::Float> $cell<T> {
            /// A cell whose weights and biases are drawn uniformly from `-1/√hidden` to `1/√hidden`.
            ///
            /// # Panics
            /// If a weight is too large, see [`autodiff::Shape::new`].
            pub fn new(inputs: usize, hidden: usize, rng: &mut autodiff::Rng) -> Self {
                let bound = (hidden.max(1) as f64).sqrt().recip();
                let outputs = <Self as $crate::recurrent::Cell<T>>::GATES * hidden;
                let mut draw = |shape: &[usize]| autodiff::Parameter::new(rng.uniform(shape, -bound, bound));
                Self {
                    weight_ih: draw(&[inputs, outputs]).transposed(),
                    weight_hh: draw(&[hidden, outputs]).transposed(),
                    bias_ih: Some(draw(&[outputs])),
                    bias_hh: Some(draw(&[outputs])),
                    $($option: $default,)*
                }
            }

            /// The same cell without biases.
            #[must_use]
            pub fn without_bias(mut self) -> Self {
                (self.bias_ih, self.bias_hh) = (None, None);
                self
            }
        }

        $(#[$about_layer])*
        #[derive(Clone, Debug)]
        pub struct $layer<T: autodiff::Float = f32>($crate::recurrent::Stack<$cell<T>>);

        impl<T: autodiff::Float> $layer<T> {
            /// One layer, with weights and biases drawn uniformly from `-1/√hidden` to `1/√hidden`.
            ///
            /// # Panics
            /// If a weight is too large, see [`autodiff::Shape::new`].
            pub fn new(inputs: usize, hidden: usize, rng: &mut autodiff::Rng) -> Self {
                Self::with(inputs, hidden, $crate::RecurrentOptions::default(), rng)
            }

            /// Layers with options.
            ///
            /// # Panics
            /// If there are no layers, the probability of dropout is not from 0 to 1, or a weight is too large.
            #[track_caller]
            pub fn with(
                inputs: usize,
                hidden: usize,
                options: $crate::RecurrentOptions,
                rng: &mut autodiff::Rng,
            ) -> Self {
                Self($crate::recurrent::Stack::new(inputs, hidden, options, rng, |inputs, rng| {
                    let cell = $cell::new(inputs, hidden, rng);
                    if options.bias { cell } else { cell.without_bias() }
                }))
            }

            /// The cells: for each layer the one that reads forwards, and after it the one that reads backwards, if there
            /// is one.
            pub fn cells(&self) -> &[$cell<T>] {
                &self.0.cells
            }

            /// The same, for writing.
            pub fn cells_mut(&mut self) -> &mut [$cell<T>] {
                &mut self.0.cells
            }
        }

        impl<T: autodiff::Float> autodiff::Module<T> for $layer<T> {
            fn walk(&self, path: &mut autodiff::Path, visit: &mut dyn FnMut(&str, autodiff::Place<'_, T>)) {
                self.0.walk(path, visit);
            }
            fn walk_mut(
                &mut self,
                path: &mut autodiff::Path,
                visit: &mut dyn FnMut(&str, autodiff::PlaceMut<'_, T>),
            ) {
                self.0.walk_mut(path, visit);
            }
        }

        impl<T: autodiff::Float> $crate::Layer<T> for $layer<T> {
            /// The outputs from a state of zeros.
            ///
            /// # Errors
            /// If the input has not three axes, the last of which are the features that the layer takes.
            #[track_caller]
            fn forward(&self, x: &autodiff::Tensor<T>) -> autodiff::Result<autodiff::Tensor<T>> {
                Ok(self.0.read(x, None)?.0)
            }
        }
    };
}

use recurrent;
