//! Descent along the gradient, plain and with momentum.

use crate::engine::decayed;

optimizer! {
    /// Stochastic gradient descent (Robbins and Monro, 1951).
    ///
    /// ```text
    /// w ← w - η g
    /// ```
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Optimizer, Sgd};
    /// let mut w = Parameter::new(Tensor::from_vec([1.0, -2.0], [2])?);
    /// w.square().sum().backward()?;
    /// Sgd::new(0.25).step(&mut w)?;
    /// assert_eq!(w.to_vec(), [0.5, -1.0]); // w - 0.25 · 2w
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Sgd [];

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, _| {
        let [rate, decay] = [rate, weight_decay].map(T::from_f64);
        move |[w], g| [w - rate * decayed(g, w, decay)]
    }
}

optimizer! {
    /// Descent with momentum (Polyak, 1964): the steps of the past go on and fade.
    ///
    /// ```text
    /// v ← μ v - (1 - d) η g
    /// w ← w + v                 w ← w + μ v - η g   with Nesterov's momentum
    /// ```
    ///
    /// The dampening `d` is that of all steps of a parameter but the first.
    ///
    /// This is the form of text books. `PyTorch`'s is `v ← μ v + (1 - d) g; w ← w - η v`. The two are equal while the learning
    /// rate is constant, as one `v` is `-η` times the other. When the rate changes, `PyTorch`'s rescales the past
    /// steps that still go on, and this one does not.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Momentum, Optimizer};
    /// let mut w = Parameter::new(Tensor::scalar(1.0));
    /// let mut optimizer = Momentum::new(0.25).momentum(0.5);
    /// for expected in [0.75, 0.375] { // steps of -0.25, then of 0.5 · -0.25 - 0.25
    ///     w.sum().backward()?;
    ///     optimizer.step(&mut w)?;
    ///     assert_eq!(w.item(), expected);
    /// }
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Momentum [v];

    /// The momentum `μ`: the share of a step that goes on in the next.
    momentum: f64 = 0.9, below_one;

    /// Whether to use Nesterov's momentum, which moves as if the gradient were taken where the momentum leads
    /// (Sutskever et al., *On the importance of initialization and momentum in deep learning*, ICML 2013; written, as
    /// is usual, in terms of the point looked ahead to).
    nesterov: bool = false, either;

    /// The dampening `d`: the share of a gradient that does not go into the momentum.
    dampening: f64 = 0.0, below_one;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, t| {
        let [rate, momentum, decay] = [rate, momentum, weight_decay].map(T::from_f64);
        let share = T::from_f64(if t == 1 { 1.0 } else { 1.0 - dampening });
        move |[w, v], g| {
            let push = rate * decayed(g, w, decay);
            let v = momentum * v - share * push;
            [w + if nesterov { momentum * v - push } else { v }, v]
        }
    }
}
