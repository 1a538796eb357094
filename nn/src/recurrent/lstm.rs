//! Long short-term memory.

use super::{Cell, recurrent, total};
use autodiff::{Float, Result, Tensor};

recurrent! {
    /// One step of [`Lstm`].
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{LstmCell, LstmState};
    /// let cell = LstmCell::<f32>::new(3, 4, &mut Rng::seed(7));
    /// let state = LstmState::zeros([2, 4]);
    /// assert_eq!(cell.forward(&Tensor::ones([2, 3]), &state)?.hidden.shape(), [2, 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    cell LstmCell {}

    /// Long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9, 1997, with the forget gate of Gers,
    /// Schmidhuber and Cummins, 2000): from `h(0) = c(0) = 0`,
    ///
    /// ```text
    /// i = σ(x(t) Wᵢ + bᵢ + h(t-1) Vᵢ + cᵢ)
    /// f = σ(x(t) W_f + b_f + h(t-1) V_f + c_f)
    /// g = tanh(x(t) W_g + b_g + h(t-1) V_g + c_g)
    /// o = σ(x(t) Wₒ + bₒ + h(t-1) Vₒ + cₒ)
    /// c(t) = f c(t-1) + i g
    /// h(t) = o tanh(c(t))
    /// ```
    ///
    /// `x` is `[batch, time, inputs]` and the outputs `h` are `[batch, time, hidden]`; see
    /// [`RecurrentOptions`](crate::RecurrentOptions) for time first, several layers, and two directions (the outputs then
    /// have `2 · hidden` features). The parameters of each cell are `weight_ih = [Wᵢ, W_f, W_g, Wₒ]`, `[inputs, 4 hidden]`,
    /// `weight_hh = [Vᵢ, V_f, V_g, Vₒ]`, `[hidden, 4 hidden]`, `bias_ih = [bᵢ, b_f, b_g, bₒ]` and
    /// `bias_hh = [cᵢ, c_f, c_g, cₒ]`, `[4 hidden]`; in names they get the number of their layer, as in `weight_ih_l0` and
    /// `weight_ih_l0_reverse`.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Layer, Lstm, RecurrentOptions};
    /// let options = RecurrentOptions { layers: 2, dropout: 0.1, ..RecurrentOptions::default() };
    /// let lstm = Lstm::<f32>::with(3, 4, options, &mut Rng::seed(7));
    /// let x = Tensor::ones([5, 6, 3]);
    /// assert_eq!(lstm.forward(&x)?.shape(), [5, 6, 4]);
    /// let (_, state) = lstm.run(&x, None)?;
    /// assert_eq!((state.hidden.shape(), state.cell.shape()), ([2, 5, 4].into(), [2, 5, 4].into()));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    layer Lstm
}

/// What an [`Lstm`] carries from one step to the next: `[layers · directions, batch, hidden]`, or, of an [`LstmCell`],
/// `[batch, hidden]`.
#[derive(Clone, Debug)]
pub struct LstmState<T: Float = f32> {
    /// The output `h`.
    pub hidden: Tensor<T>,
    /// The memory `c`.
    pub cell: Tensor<T>,
}

impl<T: Float> LstmState<T> {
    /// Zeros.
    ///
    /// # Panics
    /// If the shape is too large, see [`autodiff::Shape::new`].
    pub fn zeros(shape: impl Into<autodiff::Shape>) -> Self {
        let zeros = Tensor::zeros(shape);
        Self { hidden: zeros.clone(), cell: zeros }
    }

    /// The same numbers, and no way back for gradients: where truncated backpropagation through time ends.
    pub fn detach(&self) -> Self {
        Self { hidden: self.hidden.detach(), cell: self.cell.detach() }
    }

    /// From what a cell returns.
    fn of(states: Vec<Tensor<T>>) -> Self {
        let [hidden, cell] = states.try_into().expect("two states");
        Self { hidden, cell }
    }
}

impl<T: Float> Cell<T> for LstmCell<T> {
    const NAME: &'static str = "lstm";
    const GATES: usize = 4;
    const STATES: usize = 2;

    fn sizes(&self) -> [usize; 2] {
        [self.weight_ih.shape().dim(0), self.weight_hh.shape().dim(0)]
    }

    #[track_caller]
    fn read(&self, x: &Tensor<T>, start: &[Tensor<T>]) -> Result<(Tensor<T>, Vec<Tensor<T>>)> {
        let [_, hidden] = self.sizes();
        let bias = total(self.bias_ih.as_ref(), self.bias_hh.as_ref(), 4 * hidden);
        let gates = x.matmul(&self.weight_ih)?;
        let (outputs, cell) = gates.lstm(&self.weight_hh, &bias, &start[0], &start[1])?;
        let hidden = super::last(&outputs, &start[0])?;
        Ok((outputs, vec![hidden, cell]))
    }
}

impl<T: Float> LstmCell<T> {
    /// The next state of `x`, `[batch, inputs]`, and a state `[batch, hidden]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>, state: &LstmState<T>) -> Result<LstmState<T>> {
        Ok(LstmState::of(self.step(x, &[&state.hidden, &state.cell])?))
    }
}

impl<T: Float> Lstm<T> {
    /// The outputs, and the state after the last step, `[layers · directions, batch, hidden]`; from such a state, or from
    /// zeros.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Layer, Lstm};
    /// let (lstm, x) = (Lstm::<f32>::new(3, 4, &mut Rng::seed(7)), Tensor::ones([2, 6, 3]));
    /// let (_, state) = lstm.run(&x.slice(1, 0..4)?, None)?;
    /// let (rest, _) = lstm.run(&x.slice(1, 4..6)?, Some(&state.detach()))?;
    /// assert_eq!(rest.to_vec(), lstm.forward(&x)?.slice(1, 4..6)?.to_vec());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn run(&self, x: &Tensor<T>, state: Option<&LstmState<T>>) -> Result<(Tensor<T>, LstmState<T>)> {
        let (outputs, last) = match state {
            Some(state) => self.0.read(x, Some(&[&state.hidden, &state.cell]))?,
            None => self.0.read(x, None)?,
        };
        Ok((outputs, LstmState::of(last)))
    }
}
