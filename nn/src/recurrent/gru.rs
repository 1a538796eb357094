//! The gated recurrent unit.

use super::{Cell, recurrent, total};
use autodiff::{Float, Result, Tensor};

recurrent! {
    /// One step of [`Gru`].
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::GruCell;
    /// let cell = GruCell::<f32>::new(3, 4, &mut Rng::seed(7));
    /// let hidden = cell.forward(&Tensor::ones([2, 3]), &Tensor::zeros([2, 4]))?;
    /// assert_eq!(hidden.shape(), [2, 4]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    cell GruCell {}

    /// The gated recurrent unit (Cho et al., arXiv:1406.1078): from `h(0) = 0`,
    ///
    /// ```text
    /// r = σ(x(t) Wᵣ + bᵣ + h(t-1) Vᵣ + cᵣ)
    /// z = σ(x(t) W_z + b_z + h(t-1) V_z + c_z)
    /// n = tanh(x(t) Wₙ + bₙ + r (h(t-1) Vₙ + cₙ))
    /// h(t) = (1 - z) n + z h(t-1)
    /// ```
    ///
    /// As in cuDNN and `torch`, and unlike the paper, `r` multiplies the product with its bias.
    ///
    /// `x` is `[batch, time, inputs]` and the outputs are `[batch, time, hidden]`; see
    /// [`RecurrentOptions`](crate::RecurrentOptions) for time first, several layers, and two directions (the outputs then
    /// have `2 · hidden` features). The parameters of each cell are `weight_ih = [Wᵣ, W_z, Wₙ]`, `[inputs, 3 hidden]`,
    /// `weight_hh = [Vᵣ, V_z, Vₙ]`, `[hidden, 3 hidden]`, `bias_ih = [bᵣ, b_z, bₙ]` and `bias_hh = [cᵣ, c_z, cₙ]`,
    /// `[3 hidden]`; in names they get the number of their layer, as in `weight_ih_l0` and `weight_ih_l0_reverse`.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Gru, Layer, Module};
    /// let gru = Gru::<f32>::new(3, 4, &mut Rng::seed(7));
    /// assert_eq!(gru.forward(&Tensor::zeros([5, 6, 3]))?.shape(), [5, 6, 4]);
    /// let mut names = Vec::new();
    /// gru.parameters(&mut |name, p| names.push(format!("{name} {}", p.shape())));
    /// assert_eq!(names, ["weight_ih_l0 [3, 12]", "weight_hh_l0 [4, 12]", "bias_ih_l0 [12]", "bias_hh_l0 [12]"]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    layer Gru
}

impl<T: Float> Cell<T> for GruCell<T> {
    const NAME: &'static str = "gru";
    const GATES: usize = 3;
    const STATES: usize = 1;

    fn sizes(&self) -> [usize; 2] {
        [self.weight_ih.shape().dim(0), self.weight_hh.shape().dim(0)]
    }

    #[track_caller]
    fn read(&self, x: &Tensor<T>, start: &[Tensor<T>]) -> Result<(Tensor<T>, Vec<Tensor<T>>)> {
        let [_, hidden] = self.sizes();
        let (ih, hh) = (self.bias_ih.as_ref(), self.bias_hh.as_ref());
        // Those of r and z are added up, those of n are not.
        let third =
            |bias| -> Result<Tensor<T>> { total(bias, None, 3 * hidden).slice(0, 2 * hidden..3 * hidden) };
        let both = total(ih, hh, 3 * hidden).slice(0, 0..2 * hidden)?;
        let bias = Tensor::cat(&[&both, &third(ih)?, &third(hh)?], 0)?;
        let outputs = x.matmul(&self.weight_ih)?.gru(&self.weight_hh, &bias, &start[0])?;
        let last = super::last(&outputs, &start[0])?;
        Ok((outputs, vec![last]))
    }
}

impl<T: Float> GruCell<T> {
    /// The next state `h(t)` of `x`, `[batch, inputs]`, and `h(t-1)`, `[batch, hidden]`.
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor<T>, hidden: &Tensor<T>) -> Result<Tensor<T>> {
        Ok(self.step(x, &[hidden])?.remove(0))
    }
}

impl<T: Float> Gru<T> {
    /// The outputs, and the state after the last step, `[layers · directions, batch, hidden]`; from such a state, or from
    /// zeros.
    ///
    /// # Errors
    /// If the shapes do not fit.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::Gru;
    /// let (gru, x) = (Gru::<f32>::new(3, 4, &mut Rng::seed(7)), Tensor::ones([2, 6, 3]));
    /// let (outputs, state) = gru.run(&x, None)?;
    /// assert_eq!(outputs.slice(1, 5..6)?.to_vec(), state.to_vec());
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
