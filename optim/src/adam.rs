//! Moving means of the gradient and of its square, corrected for starting at zero: Adam and its relatives.

use crate::engine::{Decay, norm};
use autodiff::{Array, Float};

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
        let [bias1, bias2] = betas.map(|beta| bias(beta, t));
        Self {
            keep: betas.map(T::from_f64),
            add: betas.map(|beta| T::from_f64(1.0 - beta)),
            rate: T::from_f64(rate / bias1),
            scale: T::from_f64(1.0 / bias2.sqrt()),
            epsilon: T::from_f64(epsilon),
        }
    }

    /// The new mean `m` of gradients.
    #[inline]
    fn mean(&self, m: T, g: T) -> T {
        self.keep[0] * m + self.add[0] * g
    }

    /// The new mean `v` of squares.
    #[inline]
    fn square(&self, v: T, g: T) -> T {
        self.keep[1] * v + self.add[1] * g * g
    }

    /// `√v̂ + ε`
    #[inline]
    fn root(&self, v: T) -> T {
        v.sqrt() * self.scale + self.epsilon
    }
}

/// `1 - βᵗ`: the weight of the gradients in a mean of `t` of them and of zeros.
fn bias(beta: f64, t: u64) -> f64 {
    1.0 - beta.powf(t as f64)
}

/// The new weight, means, and largest mean of squares.
#[inline]
fn adam<T: Float>(
    moments: &Moments<T>,
    decay: &Decay<T>,
    amsgrad: bool,
    [w, m, v, largest]: [T; 4],
    g: T,
) -> [T; 4] {
    let g = decay.gradient(g, w);
    let (m, v) = (moments.mean(m, g), moments.square(v, g));
    let largest = largest.maximum(v);
    let root = moments.root(if amsgrad { largest } else { v });
    [decay.weight(w) - moments.rate * m / root, m, v, largest]
}

/// Writes an optimiser with moving means: [`optimizer!`] with the hyperparameters that all of them have, and with their
/// [`Moments`] at hand.
macro_rules! moments {
    (
        $(#[$doc:meta])*
        $name:ident [$($slots:tt)*];
        epsilon = $epsilon:expr;
        $($(#[$hyper_doc:meta])* $hyper:ident: $type:ty = $default:expr, $check:ident;)*
        |$moments:ident, $betas:tt, $rate:tt, $t:tt $(; $w:ident, $g:ident)?|
        $step:expr
    ) => {
        optimizer! {
            $(#[$doc])*
            $name [$($slots)*];

            /// The decay `β₁` of the mean of gradients.
            beta1: f64 = 0.9, below_one;

            /// The decay `β₂` of the mean of squares.
            beta2: f64 = 0.999, below_one;

            /// The number `ε` that keeps the division finite.
            epsilon: f64 = $epsilon, positive;

            $($(#[$hyper_doc])* $hyper: $type = $default, $check;)*

            |rate, t $(; $w, $g)?| {
                let $moments = Moments::<T>::new(rate, [beta1, beta2], epsilon, t);
                let ($betas, $rate, $t) = ([beta1, beta2], rate, t);
                $step
            }
        }
    };
}

moments! {
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
    Adam [m, v, largest if amsgrad];

    epsilon = 1e-8;

    /// Whether to divide by the largest `v` so far, so that steps never grow (Reddi, Kale and Kumar, *On the Convergence
    /// of Adam and Beyond*, ICLR 2018). As in `PyTorch`, the largest is taken of `v`, and then corrected.
    amsgrad: bool = false, either;

    /// Weight decay `λ`, coupled: `g ← g + λ w`. It is divided by `√v̂` like all of `g`; mostly [`AdamW`] is what is
    /// wanted (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |moments, _, rate, _| {
        let decay = Decay::new(rate, weight_decay, false);
        move |all, g| adam(&moments, &decay, amsgrad, all, g)
    }
}

moments! {
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
    AdamW [m, v, largest if amsgrad];

    epsilon = 1e-8;

    /// Whether to divide by the largest `v` so far, as in [`Adam::amsgrad`].
    amsgrad: bool = false, either;

    /// Weight decay `λ`, decoupled: `w ← w - η λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.01, decay;

    |moments, _, rate, _| {
        let decay = Decay::new(rate, weight_decay, true);
        move |all, g| adam(&moments, &decay, amsgrad, all, g)
    }
}

moments! {
    /// `Adamax` (Kingma and Ba, arXiv:1412.6980, section 7.1): [`Adam`] with the largest of past gradients, which fade,
    /// in place of the root of their mean square.
    ///
    /// ```text
    /// m ← β₁ m + (1 - β₁) g       m̂ = m / (1 - β₁ᵗ)
    /// u ← max(β₂ u, |g| + ε)
    /// w ← w - η m̂ / u
    /// ```
    ///
    /// The paper has no `ε`; `PyTorch`, too, adds it here.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Adamax, Optimizer};
    /// let mut w = Parameter::new(Tensor::from_vec([1.0, 1.0], [2])?);
    /// (&*w * &Tensor::from_vec([0.01, 100.0], [2])?).sum().backward()?;
    /// Adamax::new(0.25).step(&mut w)?;
    /// assert!(w.to_vec().iter().all(|w| (w - 0.75f64).abs() < 1e-6)); // both move by the learning rate
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Adamax [m, u];

    epsilon = 1e-8;

    /// Weight decay `λ`, coupled: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |moments, _, rate, _| {
        let decay = Decay::new(rate, weight_decay, false);
        move |[w, m, u], g| {
            let g = decay.gradient(g, w);
            let m = moments.mean(m, g);
            let u = (moments.keep[1] * u).maximum(g.abs() + moments.epsilon);
            [w - moments.rate * m / u, m, u]
        }
    }
}

/// `β₁ (1 - 0.96^(t ψ) / 2)`: how much of the mean the step `t` of `NAdam` takes.
fn share(beta1: f64, momentum_decay: f64, t: u64) -> f64 {
    beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * momentum_decay))
}

/// `Π share(i)` for the steps `i` to `t`; 0 as soon as it does not count beside 1.
fn shares(beta1: f64, momentum_decay: f64, t: u64) -> f64 {
    let mut product = 1.0;
    for i in 1..=t {
        product *= share(beta1, momentum_decay, i);
        if product < f64::EPSILON / 16.0 {
            return 0.0;
        }
    }
    product
}

moments! {
    /// `NAdam` (Dozat, *Incorporating Nesterov Momentum into Adam*, ICLR workshop, 2016): [`Adam`] that looks ahead, as
    /// Nesterov's momentum does.
    ///
    /// ```text
    /// m, v̂ as in Adam
    /// μₜ = β₁ (1 - ½ · 0.96^(t ψ))       Πₜ = μ₁ μ₂ .. μₜ
    /// w ← w - η ((1 - μₜ) / (1 - Πₜ) · g + μₜ₊₁ / (1 - Πₜ₊₁) · m) / (√v̂ + ε)
    /// ```
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{NAdam, Optimizer};
    /// let mut w = Parameter::new(Tensor::scalar(1.0));
    /// w.square().backward()?;
    /// NAdam::new(0.1).step(&mut w)?;
    /// assert!(f64::abs(w.item() - (1.0 - 0.1 * 1.0565)) < 1e-4); // Adam's step, and what the mean adds to it
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    NAdam [m, v];

    epsilon = 1e-8;

    /// The number `ψ` that sets how soon `μ` grows from about `β₁ / 2` to `β₁`.
    momentum_decay: f64 = 4e-3, not_negative;

    /// Whether weight decay is decoupled, `w ← w - η λ w` as in [`AdamW`].
    decoupled_weight_decay: bool = false, either;

    /// Weight decay `λ`, coupled by default: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |moments, [beta1, _], rate, t| {
        let decay = Decay::new(rate, weight_decay, decoupled_weight_decay);
        let next = share(beta1, momentum_decay, t + 1);
        let product = shares(beta1, momentum_decay, t);
        let [of_gradient, of_mean] =
            [(1.0 - share(beta1, momentum_decay, t)) / (1.0 - product), next / (1.0 - product * next)]
                .map(|factor| T::from_f64(rate * factor));
        move |[w, m, v], g| {
            let g = decay.gradient(g, w);
            let (m, v) = (moments.mean(m, g), moments.square(v, g));
            [decay.weight(w) - (of_gradient * g + of_mean * m) / moments.root(v), m, v]
        }
    }
}

moments! {
    /// `RAdam` (Liu et al., *On the Variance of the Adaptive Learning Rate and Beyond*, arXiv:1908.03265): [`Adam`] that
    /// does not divide by `√v` before enough squares are in that mean, and then by and by: a warm-up of its own.
    ///
    /// ```text
    /// m, m̂, v as in Adam
    /// ρ∞ = 2 / (1 - β₂) - 1            ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)
    /// w ← w - η m̂                                       while ρ ≤ 5
    /// w ← w - η m̂ r √(1 - β₂ᵗ) / (√v + ε)               after that
    /// r² = (ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ)
    /// ```
    ///
    /// As in `PyTorch`, the border is 5 where the paper has 4, and `ε`, which the paper does not have, is added to the root
    /// of the mean *before* its bias is corrected.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Optimizer, RAdam};
    /// let mut w = Parameter::new(Tensor::scalar(1.0));
    /// (&*w * 3.0).backward()?;
    /// RAdam::new(0.125).step(&mut w)?;
    /// assert!((w.item() - 0.625f64).abs() < 1e-12); // at first it is gradient descent
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    RAdam [m, v];

    epsilon = 1e-8;

    /// Whether weight decay is decoupled, `w ← w - η λ w` as in [`AdamW`].
    decoupled_weight_decay: bool = false, either;

    /// Weight decay `λ`, coupled by default: `g ← g + λ w` (see the [crate's page](crate#weight-decay)).
    weight_decay: f64 = 0.0, decay;

    |moments, [_, beta2], rate, t| {
        let decay = Decay::new(rate, weight_decay, decoupled_weight_decay);
        let bias = bias(beta2, t);
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let length = longest - 2.0 * t as f64 * (1.0 - bias) / bias;
        let rectified = length > 5.0;
        let squared = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
        let factor = T::from_f64((squared * bias).sqrt());
        move |[w, m, v], g| {
            let g = decay.gradient(g, w);
            let (m, v) = (moments.mean(m, g), moments.square(v, g));
            let step = moments.rate * m;
            let step = if rectified { step * factor / (v.sqrt() + moments.epsilon) } else { step };
            [decay.weight(w) - step, m, v]
        }
    }
}

moments! {
    /// LAMB (You et al., *Large Batch Optimization for Deep Learning*, arXiv:1904.00962, algorithm 2): the direction of
    /// [`AdamW`], as long in each parameter as the parameter itself, so that large batches bear large learning rates.
    ///
    /// ```text
    /// m̂, v̂ as in Adam
    /// u = m̂ / (√v̂ + ε) + λ w
    /// w ← w - η |w| / |u| · u
    /// ```
    ///
    /// `|·|` is the Euclidean norm over all elements of a parameter. Where either norm is 0, their ratio counts as 1. The
    /// paper's `φ` is the identity.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::{Lamb, Optimizer};
    /// let mut w = Parameter::new(Tensor::from_vec([3.0, 4.0], [2])?);
    /// (&*w * &Tensor::from_vec([2.0, -2.0], [2])?).sum().backward()?;
    /// Lamb::new(0.1).weight_decay(0.0).step(&mut w)?;
    /// let moved = 0.1 * 5.0 / 2.0f64.sqrt(); // a tenth of |w| = 5, along (-1, 1)
    /// assert!((w.to_vec()[0] - (3.0 - moved)).abs() < 1e-5 && (w.to_vec()[1] - (4.0 + moved)).abs() < 1e-5);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Lamb [m, v];

    epsilon = 1e-6;

    /// Weight decay `λ`, decoupled from the means, but part of the direction whose length is set.
    weight_decay: f64 = 0.01, decay;

    |moments, _, rate, _; w, g| {
        let decay = T::from_f64(rate * weight_decay);
        Array::update([m, v], g, move |[m, v], g| [moments.mean(m, g), moments.square(v, g)]);
        // η u
        let step = w.zip3(m, v, move |w, m, v| moments.rate * m / moments.root(v) + decay * w);
        let step = step.expect("the state has the parameter's shape");
        let [size, length] = [norm(w), norm(&step)];
        let trust = T::from_f64(if size > 0.0 && length > 0.0 { rate * size / length } else { 1.0 });
        Array::update([w], &step, move |[w], step| [w - trust * step]);
    }
}
