//! The simple recurrent layer.

use super::{Cell, recurrent, total};
use autodiff::{Float, Result, Tensor};

recurrent! {
    /// One step of a simple recurrent layer: `h' = tanh(x W + b + h V + c)`, with the parameters `W`, `V`, `b`, `c` in the
    /// order of the fields.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::RnnCell;
    /// let cell = RnnCell::<f32>::new(3, 4, &mut Rng::seed(7));
    /// let mut hidden = Tensor::zeros([2, 4]);
    /// for _ in 0..5 {
    ///     hidden = cell.forward(&Tensor::ones([2, 3]), &hidden)?;
    /// }
    /// assert_eq!(hidden.shape(), [2, 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    cell RnnCell {
        /// Whether `max(0, x)` stands in place of the tangent; not unless it is set.
        relu: bool = false,
    }

    /// The simple recurrent layer (Elman, Cognitive Science 14, 1990): from `h(0) = 0`,
    ///
    /// ```text
    /// h(t) = tanh(x(t) W + b + h(t-1) V + c)
    /// ```
    ///
    /// `x` is `[batch, time, inputs]` and the outputs are `[batch, time, hidden]`; see
    /// [`RecurrentOptions`](crate::RecurrentOptions) for time first, several layers, and two directions (the outputs then
    /// have `2 · hidden` features). The parameters of each cell are `weight_ih = W`, `[inputs, hidden]`, `weight_hh = V`,
    /// `[hidden, hidden]`, `bias_ih = b` and `bias_hh = c`, `[hidden]`; in names they get the number of their layer, as in
    /// `weight_ih_l0` and `weight_ih_l0_reverse`.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Layer, RecurrentOptions, Rnn};
    /// let options = RecurrentOptions { layers: 2, bidirectional: true, ..RecurrentOptions::default() };
    /// let rnn = Rnn::with(3, 4, options, &mut Rng::seed(7)).relu();
    /// assert_eq!(rnn.forward(&Tensor::<f32>::zeros([5, 6, 3]))?.shape(), [5, 6, 8]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    layer Rnn
}

impl<T: Float> Cell<T> for RnnCell<T> {
    const NAME: &'static str = "rnn";
    const GATES: usize = 1;
    const STATES: usize = 1;

    fn sizes(&self) -> [usize; 2] {
        [self.weight_ih.shape().dim(0), self.weight_hh.shape().dim(0)]
    }

    #[track_caller]
    fn read(&self, x: &Tensor<T>, start: &[Tensor<T>]) -> Result<(Tensor<T>, Vec<Tensor<T>>)> {
        let [_, hidden] = self.sizes();
        let bias = total(self.bias_ih.as_ref(), self.bias_hh.as_ref(), hidden);
        let x = x.matmul(&self.weight_ih)?;
        let outputs = if self.relu {
            x.rnn_relu(&self.weight_hh, &bias, &start[0])?
        } else {
            x.rnn_tanh(&self.weight_hh, &bias, &start[0])?
        };
        let last = super::last(&outputs, &start[0])?;
        Ok((outputs, vec![last]))
    }
}

impl<T: Float> RnnCell<T> {
    /// The next state `h'` of `x`, `[batch, inputs]`, and `h`, `[batch, hidden]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>, hidden: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(self.step(x, &[hidden])?.remove(0))
    }
}

impl<T: Float> Rnn<T> {
    /// The same layer with `max(0, x)` in place of the tangent.
    #[must_use]
    pub fn relu(mut self) -> Self {
        self.0.cells.iter_mut().for_each(|cell| cell.relu = true);
        self
    }

    /// The outputs, and the state after the last step, `[layers · directions, batch, hidden]`; from such a state, or from
    /// zeros.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Layer, Rnn};
    /// let (rnn, x) = (Rnn::<f32>::new(3, 4, &mut Rng::seed(7)), Tensor::ones([2, 6, 3]));
    /// let (_, state) = rnn.run(&x.slice(1, 0..4)?, None)?;
    /// let (rest, _) = rnn.run(&x.slice(1, 4..6)?, Some(&state))?;
    /// assert_eq!(rest.to_vec(), rnn.forward(&x)?.slice(1, 4..6)?.to_vec());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn run(&self, x: &Tensor<T>, state: Option<&Tensor<T>>) -> Result<(Tensor<T>, Tensor<T>)> {
        let (outputs, mut last) = match state {
            Some(state) => self.0.read(x, Some(&[state]))?,
            None => self.0.read(x, None)?,
        };
        Ok((outputs, last.remove(0)))
    }
}
