//! A learning rate for each element, from the size of its gradients so far.

use crate::engine::decayed;

optimizer! {
    /// `AdaGrad` (Duchi, Hazan and Singer, *Adaptive Subgradient Methods*, JMLR 12, 2011): elements that have moved
    /// much move less. For sparse gradients; steps only ever shrink.
    ///
    /// ```text
    /// h ← h + g²
    /// w ← w - η / (1 + (t - 1) δ) · g / (√h + ε)
    /// ```
    ///
    /// `t` counts the steps of this parameter, from 1.
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

    /// The decay `δ` of the learning rate, besides the one that a growing `h` makes.
    rate_decay: f64 = 0.0, not_negative;

    /// What `h` starts with.
    initial: f64 = 0.0, not_negative;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, t| {
        let rate = rate / (1.0 + (t - 1) as f64 * rate_decay);
        let start = if t == 1 { initial } else { 0.0 };
        let [rate, epsilon, start, decay] = [rate, epsilon, start, weight_decay].map(T::from_f64);
        move |[w, h], g| {
            let g = decayed(g, w, decay);
            let h = start + h + g * g;
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
    /// Centred (Graves, arXiv:1308.0850, equations 38 to 41), `h - m²` stands for `h`, with `m ← ρ m + (1 - ρ) g`: an
    /// estimate of the variance of the gradient. With momentum, `v ← μ v - η g / (√h + ε); w ← w + v`, as in
    /// [`Momentum`](crate::Momentum).
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
    RmsProp [h, m if centered, v if momentum > 0.0];

    /// The decay `ρ`: the share of the mean of `g²` that is kept. `PyTorch` calls it `alpha`.
    decay: f64 = 0.99, below_one;

    /// The number `ε` that keeps the division finite.
    epsilon: f64 = 1e-8, positive;

    /// The momentum `μ`: the share of a step that goes on in the next.
    momentum: f64 = 0.0, below_one;

    /// Whether to divide by the deviation of the gradient in place of its root mean square. Where rounding makes `h - m²`
    /// negative, it counts as 0.
    centered: bool = false, either;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, _| {
        let [rate, keep, add, epsilon, momentum, penalty] =
            [rate, decay, 1.0 - decay, epsilon, momentum, weight_decay].map(T::from_f64);
        move |[w, h, m, v], g| {
            let g = decayed(g, w, penalty);
            let h = keep * h + add * g * g;
            let m = keep * m + add * g;
            let spread = if centered { (h - m * m).maximum(T::ZERO) } else { h };
            let v = momentum * v - rate * g / (spread.sqrt() + epsilon);
            [w + v, h, m, v]
        }
    }
}

optimizer! {
    /// `AdaDelta` (Zeiler, arXiv:1212.5701): as [`RmsProp`](crate::RmsProp), with steps in the units of the weights, as
    /// those of a second-order method are.
    ///
    /// ```text
    /// h ← ρ h + (1 - ρ) g²
    /// d = √(s + ε) / √(h + ε) · g
    /// s ← ρ s + (1 - ρ) d²
    /// w ← w - η d
    /// ```
    ///
    /// The paper has no learning rate: that is `η = 1`. As `s` starts at zero, the first steps are about `√ε` long.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{AdaDelta, Optimizer};
    /// let mut w = Parameter::new(Tensor::scalar(1.0));
    /// (&*w * 3.0).backward()?;
    /// AdaDelta::new(1.0).rho(0.75).epsilon(0.01).step(&mut w)?;
    /// assert!((w.item() - (1.0 - 0.1 / 2.26f64.sqrt() * 3.0)).abs() < 1e-12); // h = 2.25
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdaDelta [h, s];

    /// The decay `ρ` of both means.
    rho: f64 = 0.9, below_one;

    /// The number `ε`, which keeps the division finite and sets the steps going.
    epsilon: f64 = 1e-6, positive;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, _| {
        let [rate, keep, add, epsilon, decay] = [rate, rho, 1.0 - rho, epsilon, weight_decay].map(T::from_f64);
        move |[w, h, s], g| {
            let g = decayed(g, w, decay);
            let h = keep * h + add * g * g;
            let d = (s + epsilon).sqrt() / (h + epsilon).sqrt() * g;
            [w - rate * d, h, keep * s + add * d * d]
        }
    }
}
