//! Adam, and Adam with decoupled weight decay.

use crate::engine::decayed;
use autodiff::Float;

/// The constants of step `t`: those of the moving means, and what their bias is corrected with.
#[derive(Clone, Copy)]
struct Moments<T> {
    keep: [T; 2],
    add: [T; 2],
    /// `η / (1 - β₁ᵗ)`
    rate: T,
    /// `1 / √(1 - β₂ᵗ)`
    scale: T,
    epsilon: T,
}

impl<T: Float> Moments<T> {
    fn new(rate: f64, betas: [f64; 2], epsilon: f64, t: u64) -> Self {
        let [bias1, bias2] = betas.map(|beta| 1.0 - beta.powf(t as f64));
        Self {
            keep: betas.map(T::from_f64),
            add: betas.map(|beta| T::from_f64(1.0 - beta)),
            rate: T::from_f64(rate / bias1),
            scale: T::from_f64(1.0 / bias2.sqrt()),
            epsilon: T::from_f64(epsilon),
        }
    }

    /// The new means `m` and `v`, and the step that is to be subtracted from the weight.
    #[inline]
    fn step(&self, m: T, v: T, g: T) -> (T, T, T) {
        let m = self.keep[0] * m + self.add[0] * g;
        let v = self.keep[1] * v + self.add[1] * g * g;
        (m, v, self.rate * m / (v.sqrt() * self.scale + self.epsilon))
    }
}

optimizer! {
    /// Adam (Kingma and Ba, arXiv:1412.6980): moving means of the gradient and of its square, corrected for starting at
    /// zero.
    ///
    /// ```text
    /// m ← β₁ m + (1 - β₁) g       m̂ = m / (1 - β₁ᵗ)
    /// v ← β₂ v + (1 - β₂) g²      v̂ = v / (1 - β₂ᵗ)
    /// w ← w - η m̂ / (√v̂ + ε)
    /// ```
    ///
    /// `t` counts the steps of this parameter, from 1. As in algorithm 1 of the paper and in `PyTorch`, `ε` is added
    /// to the root of the *corrected* mean; the reordered form at the end of the paper's section 2, which TensorFlow
    /// uses, adds it to `√v`, and so means another `ε`.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Adam, Optimizer};
    /// let mut w = Parameter::new(Tensor::from_vec([5.0, -5.0], [2])?);
    /// w.square().sum().backward()?;
    /// Adam::new(0.5).beta2(0.99).step(&mut w)?;
    /// assert!((w.to_vec()[0] - 4.5f64).abs() < 1e-6); // the first step is the learning rate
    /// assert!((w.to_vec()[1] + 4.5f64).abs() < 1e-6);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Adam [m, v];

    /// The decay `β₁` of the mean of gradients.
    beta1: f64 = 0.9, below_one;

    /// The decay `β₂` of the mean of squares.
    beta2: f64 = 0.999, below_one;

    /// The number `ε` that keeps the division finite.
    epsilon: f64 = 1e-8, positive;

    /// Weight decay `λ`, coupled: `g ← g + λ w`. It is divided by `√v̂` like all of `g`; mostly [`AdamW`] is what is
    /// wanted (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, not_negative;

    |rate, t| {
        let moments = Moments::new(rate, [beta1, beta2], epsilon, t);
        let decay = T::from_f64(weight_decay);
        move |[w, m, v], g| {
            let (m, v, step) = moments.step(m, v, decayed(g, w, decay));
            [w - step, m, v]
        }
    }
}

optimizer! {
    /// `AdamW` (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, arXiv:1711.05101): [`Adam`], with
    /// weights that decay apart from the gradient.
    ///
    /// ```text
    /// m, v as in Adam
    /// w ← (1 - η λ) w - η m̂ / (√v̂ + ε)
    /// ```
    ///
    /// As in `PyTorch`, `λ` is multiplied by the learning rate; the paper multiplies it by the schedule's factor alone.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{AdamW, Optimizer};
    /// let mut w = Parameter::new(Tensor::scalar(5.0));
    /// (&*w * 0.0).backward()?; // no gradient to speak of: what is left is decay
    /// AdamW::new(0.5).weight_decay(0.1).step(&mut w)?;
    /// assert_eq!(w.item(), 4.75); // (1 - 0.5 · 0.1) · 5
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AdamW [m, v];

    /// The decay `β₁` of the mean of gradients.
    beta1: f64 = 0.9, below_one;

    /// The decay `β₂` of the mean of squares.
    beta2: f64 = 0.999, below_one;

    /// The number `ε` that keeps the division finite.
    epsilon: f64 = 1e-8, positive;

    /// Weight decay `λ`, decoupled: `w ← w - η λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.01, not_negative;

    |rate, t| {
        let moments = Moments::new(rate, [beta1, beta2], epsilon, t);
        let keep = T::from_f64(1.0 - rate * weight_decay);
        move |[w, m, v], g| {
            let (m, v, step) = moments.step(m, v, g);
            [keep * w - step, m, v]
        }
    }
}
