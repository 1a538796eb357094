//! A learning rate for each element, from the size of its gradients so far.

use crate::engine::decayed;

optimizer! {
    /// `AdaGrad` (Duchi, Hazan and Singer, *Adaptive Subgradient Methods*, JMLR 12, 2011): elements that have moved
    /// much move less. For sparse gradients; steps only ever shrink.
    ///
    /// ```text
    /// h ← h + g²
    /// w ← w - η g / (√h + ε)
    /// ```
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{AdaGrad, Optimizer};
    /// let mut w = Parameter::new(Tensor::from_vec([5.0, 5.0], [2])?);
    /// (&*w * &Tensor::from_vec([0.01, 100.0], [2])?).sum().backward()?;
    /// AdaGrad::new(0.5).step(&mut w)?;
    /// assert!(w.to_vec().iter().all(|w| (w - 4.5f64).abs() < 1e-6)); // both move by the learning rate
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaGrad [h];

    /// The number `ε` that keeps the division finite.
    epsilon: f64 = 1e-10, positive;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, not_negative;

    |rate, _| {
        let [rate, epsilon, decay] = [rate, epsilon, weight_decay].map(T::from_f64);
        move |[w, h], g| {
            let g = decayed(g, w, decay);
            let h = h + g * g;
            [w - rate * g / (h.sqrt() + epsilon), h]
        }
    }
}

optimizer! {
    /// `RMSProp` (Tieleman and Hinton, *Neural Networks for Machine Learning*, lecture 6.5, 2012): as [`AdaGrad`], but
    /// forgets old gradients, so that steps do not die out.
    ///
    /// ```text
    /// h ← ρ h + (1 - ρ) g²
    /// w ← w - η g / (√h + ε)
    /// ```
    ///
    /// As `h` starts at zero and is not corrected for it, the first steps are up to `1 / √(1 - ρ)` times the learning
    /// rate.
    ///
    /// [`AdaGrad`]: crate::AdaGrad
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Optimizer, RmsProp};
    /// let mut w = Parameter::new(Tensor::scalar(5.0));
    /// w.square().backward()?;
    /// RmsProp::new(0.1).decay(0.96).step(&mut w)?;
    /// assert!((w.item() - 4.5f64).abs() < 1e-6); // a step of 0.1 / √0.04
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    RmsProp [h];

    /// The decay `ρ`: the share of the mean of `g²` that is kept. `PyTorch` calls it `alpha`.
    decay: f64 = 0.99, below_one;

    /// The number `ε` that keeps the division finite.
    epsilon: f64 = 1e-8, positive;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, not_negative;

    |rate, _| {
        let [rate, keep, add, epsilon, penalty] =
            [rate, decay, 1.0 - decay, epsilon, weight_decay].map(T::from_f64);
        move |[w, h], g| {
            let g = decayed(g, w, penalty);
            let h = keep * h + add * g * g;
            [w - rate * g / (h.sqrt() + epsilon), h]
        }
    }
}
