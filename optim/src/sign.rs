//! Steps that follow the sign of a gradient, whatever its size.

optimizer! {
    /// Lion (Chen et al., *Symbolic Discovery of Optimization Algorithms*, arXiv:2302.06675): every element moves by the
    /// learning rate, in the direction of a mean of gradients. Half the state of Adam.
    ///
    /// ```text
    /// c = β₁ m + (1 - β₁) g
    /// w ← w - η (sign(c) + λ w)
    /// m ← β₂ m + (1 - β₂) g
    /// ```
    ///
    /// `PyTorch` has no Lion. The authors advise a learning rate a third to a tenth of that of [`AdamW`](crate::AdamW),
    /// and a weight decay larger by the same factor.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Lion, Optimizer};
    /// let mut w = Parameter::new(Tensor::from_vec([1.0, 1.0, 1.0], [3])?);
    /// (&*w * &Tensor::from_vec([0.01, -100.0, 0.0], [3])?).sum().backward()?;
    /// Lion::new(0.25).step(&mut w)?;
    /// assert_eq!(w.to_vec(), [0.75, 1.25, 1.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Lion [m];

    /// The share `β₁` of the mean in the direction of a step.
    beta1: f64 = 0.9, below_one;

    /// The decay `β₂` of the mean of gradients.
    beta2: f64 = 0.99, below_one;

    /// Weight decay `λ`, decoupled: `w ← w - η λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |rate, _| {
        let keep = T::from_f64(1.0 - rate * weight_decay);
        let rate = T::from_f64(rate);
        let [old, new] = [[beta1, beta2], [1.0 - beta1, 1.0 - beta2]].map(|pair| pair.map(T::from_f64));
        move |[w, m], g| [keep * w - rate * (old[0] * m + new[0] * g).sign(), old[1] * m + new[1] * g]
    }
}

optimizer! {
    /// Rprop (Riedmiller and Braun, *A direct adaptive method for faster backpropagation learning*, 1993): a step of its
    /// own for each element, which grows while the gradient keeps its sign. For gradients of all data: those of batches
    /// change their sign by chance.
    ///
    /// ```text
    /// s ← clamp(s · (η⁺ if g p > 0, η⁻ if g p < 0, else 1), smallest, largest)
    /// g ← 0 where g p < 0
    /// w ← w - sign(g) s
    /// p ← g
    /// ```
    ///
    /// `p` is the gradient of the step before. `s` starts at the learning rate, which has no other meaning: **set later, it
    /// changes nothing** for parameters that have been stepped already. After a change of sign an element rests for one
    /// step, and its `s` is kept for the next: the variant without backtracking, as in `PyTorch`.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Optimizer, Rprop};
    /// let mut w = Parameter::new(Tensor::scalar(1.0));
    /// let mut optimizer = Rprop::new(0.5).grow(1.25).shrink(0.6);
    /// for expected in [0.5, -0.125, -0.125, 0.25] { // down by 0.5, by 0.625, a rest, and up by 0.375
    ///     w.square().backward()?;
    ///     optimizer.step(&mut w)?;
    ///     assert!(f64::abs(w.item() - expected) < 1e-12);
    /// }
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Rprop [p, s];

    /// The factor `η⁻` of a step whose gradient has changed its sign.
    shrink: f64 = 0.5, below_one;

    /// The factor `η⁺` of a step whose gradient has kept its sign.
    grow: f64 = 1.2, positive;

    /// The smallest step.
    smallest: f64 = 1e-6, not_negative;

    /// The largest step.
    largest: f64 = 50.0, positive;

    |rate, t| {
        let start = (t == 1).then(|| T::from_f64(rate));
        let [shrink, grow, smallest, largest] = [shrink, grow, smallest, largest].map(T::from_f64);
        move |[w, p, s], g| {
            let agreement = g * p;
            let turned = agreement < T::ZERO;
            let factor = if agreement > T::ZERO { grow } else if turned { shrink } else { T::ONE };
            let s = (start.unwrap_or(s) * factor).maximum(smallest).minimum(largest);
            let g = if turned { T::ZERO } else { g };
            [w - g.sign() * s, g, s]
        }
    }
}
