//! Losses of predicted classes and distributions.

use super::{PREDICTION, Reduction, alike, broadcasts, loss, within};
use autodiff::{Array, ErrorKind, Float, Mul, Op, Result, Shape, Tensor};

loss! {
    /// The cross-entropy `-w_label ln softmax(logits)[label]` of each row of logits against its label, or
    /// `-Σᵢ wᵢ pᵢ ln softmax(logits)ᵢ` against a distribution `p` over the classes. The weights `w` are 1 unless they are set.
    ///
    /// The mean over labels is the weighted one, `Σ loss / Σ w_label` over the rows that are not ignored, and NaN if there
    /// is none; that over distributions is `Σ loss / rows`, as in `torch`.
    /// [`cross_entropy`](super::cross_entropy) and [`soft_cross_entropy`](super::soft_cross_entropy) are the means without
    /// options.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{CrossEntropy, Reduction};
    /// let logits = Tensor::from_vec([0.0f64, 0.0, 0.0, 100.0], [2, 2])?;
    /// let rare = CrossEntropy::new().weights(Tensor::from_vec([3.0, 1.0], [2])?);
    /// let loss = rare.loss(&logits, &[0, 1])?; // (3 ln 2 + 1 · 0) / (3 + 1)
    /// assert!((loss.item() - 0.75 * 2f64.ln()).abs() < 1e-12);
    /// let each = CrossEntropy::new().reduction(Reduction::None).loss(&logits, &[0, 1])?;
    /// assert_eq!(each.shape(), [2]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    CrossEntropy<T> {
        /// A weight for each class, `[classes]`. They are constants: no gradient reaches them.
        weights: Option<Tensor<T>> = None,
        /// The part `ε` of each target that is spread evenly over the classes (Szegedy et al., arXiv:1512.00567, section 7):
        /// `(1 - ε) p + ε / classes` in place of `p`; from 0, which it is unless it is set, to 1.
        label_smoothing: f64 = 0.0,
        /// A label whose rows count for nothing. It need not be below the number of classes.
        ignore: Option<usize> = None,
    }
}

impl<T: Float> CrossEntropy<T> {
    const NAME: &str = "cross_entropy";

    /// The loss of logits `[.., classes]` against a label for each row; without reduction of shape `[..]`.
    ///
    /// # Errors
    /// If the logits have rank 0, the labels are not as many as the rows, a label is neither ignored nor below the number
    /// of classes, the weights are not `[classes]`, or the smoothing is not from 0 to 1.
    #[track_caller]
    pub fn loss(&self, logits: &Tensor<T>, labels: &[usize]) -> Result<Tensor<T>> {
        let smoothing = self.smoothing()?;
        if smoothing == 0.0
            && self.weights.is_none()
            && self.ignore.is_none()
            && self.reduction == Reduction::Mean
        {
            return logits.cross_entropy(labels);
        }
        let targets = Targets::new(Self::NAME, logits, labels, self.weights.as_ref(), self.ignore)?;
        let logarithms = logits.log_softmax(-1)?;
        let mut losses = targets.losses(&logarithms)?;
        if smoothing > 0.0 {
            let weighted = match &self.weights {
                Some(weights) => &logarithms * weights.detach(),
                None => logarithms,
            };
            let spread = targets.kept(&-weighted.sum_axes(-1)?)?;
            losses = losses * (1.0 - smoothing) + spread * (smoothing / targets.classes as f64);
        }
        Ok(targets.reduce(losses, self.reduction))
    }

    /// The loss of logits `[.., classes]` against distributions of the same shape; without reduction of shape `[..]`.
    /// Differentiable in both. Labels to ignore there are none.
    ///
    /// # Errors
    /// If the shapes differ or the rank is 0, the weights are not `[classes]`, or the smoothing is not from 0 to 1.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::CrossEntropy;
    /// let logits = Tensor::from_vec([0.3f64, -1.0, 2.0], [1, 3])?;
    /// let smoothed = CrossEntropy::new().label_smoothing(0.2);
    /// let soft = smoothed.soft_loss(&logits, &Tensor::one_hot(&[2], 3)?)?;
    /// assert!((soft.item() - smoothed.loss(&logits, &[2])?.item()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn soft_loss(&self, logits: &Tensor<T>, targets: &Tensor<T>) -> Result<Tensor<T>> {
        let smoothing = self.smoothing()?;
        alike(Self::NAME, "logits and target distributions must have one shape", logits, targets)?;
        let classes = classes(Self::NAME, logits, self.weights.as_ref())?;
        let mut logarithms = logits.log_softmax(-1)?;
        if let Some(weights) = &self.weights {
            logarithms = logarithms * weights.detach();
        }
        let products = match smoothing {
            0.0 => targets * logarithms,
            _ => (targets * (1.0 - smoothing) + smoothing / classes as f64) * logarithms,
        };
        Ok(self.reduction.of(-products.sum_axes(-1)?))
    }

    #[track_caller]
    fn smoothing(&self) -> Result<f64> {
        let smoothing = self.label_smoothing;
        let says = || format!("the smoothing is {smoothing}, but it must be from 0 to 1");
        within(Self::NAME, (0.0..=1.0).contains(&smoothing), says)?;
        Ok(smoothing)
    }
}

loss! {
    /// The negative logarithm of a likelihood: `-w_label log_p[label]` of each row of logarithms of probabilities, as
    /// [`Tensor::log_softmax`] gives them, against its label. The weights `w` are 1 unless they are set; the mean is that of
    /// [`CrossEntropy`].
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{CrossEntropy, Nll};
    /// let logits = Tensor::from_vec([0.3f64, -1.0, 2.0], [1, 3])?;
    /// let nll = Nll::new().loss(&logits.log_softmax(-1)?, &[2])?;
    /// assert!((nll.item() - CrossEntropy::new().loss(&logits, &[2])?.item()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    Nll<T> {
        /// A weight for each class, `[classes]`. They are constants: no gradient reaches them.
        weights: Option<Tensor<T>> = None,
        /// A label whose rows count for nothing. It need not be below the number of classes.
        ignore: Option<usize> = None,
    }
}

impl<T: Float> Nll<T> {
    /// The loss of logarithms of probabilities `[.., classes]` against a label for each row; without reduction of shape
    /// `[..]`.
    ///
    /// # Errors
    /// If `log_p` has rank 0, the labels are not as many as the rows, a label is neither ignored nor below the number of
    /// classes, or the weights are not `[classes]`.
    #[track_caller]
    pub fn loss(&self, log_p: &Tensor<T>, labels: &[usize]) -> Result<Tensor<T>> {
        let targets = Targets::new("nll", log_p, labels, self.weights.as_ref(), self.ignore)?;
        let losses = targets.losses(log_p)?;
        Ok(targets.reduce(losses, self.reduction))
    }
}

/// The number of classes of `[.., classes]`, whose weights are `[classes]`.
#[track_caller]
fn classes<T: Float>(op: &'static str, x: &Tensor<T>, weights: Option<&Tensor<T>>) -> Result<usize> {
    let shape = x.shape();
    let Some(classes) = shape.iter().next_back() else {
        return Err(ErrorKind::Axis { axis: -1, shape }.of(op));
    };
    match weights.map(Tensor::shape) {
        Some(right) if right != [classes] => {
            let what = "there must be a weight for each class, which is the last axis";
            Err(ErrorKind::Mismatch { what, left: shape, right }.of(op))
        }
        _ => Ok(classes),
    }
}

/// Labels for the rows of `[.., classes]`.
struct Targets<T: Float> {
    classes: usize,
    /// `[..]`.
    rows: Shape,
    /// A label for each row, `[.., 1]`; 0 where it is ignored.
    labels: Array<usize>,
    /// The weight of each row, `[..]`; 0 where it is ignored.
    weights: Tensor<T>,
    /// 1 where a row counts, `[..]`, if some are ignored.
    mask: Option<Tensor<T>>,
}

impl<T: Float> Targets<T> {
    #[track_caller]
    fn new(
        op: &'static str,
        x: &Tensor<T>,
        labels: &[usize],
        weights: Option<&Tensor<T>>,
        ignore: Option<usize>,
    ) -> Result<Self> {
        let shape = x.shape();
        let classes = classes(op, x, weights)?;
        let front: Vec<usize> = shape.iter().take(shape.rank() - 1).collect();
        let rows = Shape::from(front.as_slice());
        if labels.len() != rows.size() {
            let message = format!("{} labels for the {} rows of {shape}", labels.len(), rows.size());
            return Err(ErrorKind::Message(message).of(op));
        }
        let ignored = |label: usize| ignore == Some(label);
        if let Some(position) = labels.iter().position(|&label| label >= classes && !ignored(label)) {
            return Err(ErrorKind::Label { label: labels[position], position, classes }.of(op));
        }
        let of_class = weights.map(Tensor::to_vec);
        let weight = |&label: &usize| match &of_class {
            _ if ignored(label) => T::ZERO,
            Some(weights) => weights[label],
            None => T::ONE,
        };
        let counts = |&label: &usize| if ignored(label) { T::ZERO } else { T::ONE };
        let mask =
            labels.iter().any(|&label| ignored(label)).then(|| labels.iter().map(counts).collect::<Vec<_>>());
        let read: Vec<_> = labels.iter().map(|&label| if ignored(label) { 0 } else { label }).collect();
        Ok(Self {
            classes,
            rows,
            labels: Array::from_vec(read, [front, vec![1]].concat())?,
            weights: Tensor::from_vec(labels.iter().map(weight).collect::<Vec<_>>(), rows)?,
            mask: mask.map(|mask| Tensor::from_vec(mask, rows)).transpose()?,
        })
    }

    /// The loss of each row, `[..]`.
    #[track_caller]
    fn losses(&self, log_p: &Tensor<T>) -> Result<Tensor<T>> {
        // Without classes there are no labels that count: nothing to read.
        if self.classes == 0 {
            return log_p.sum_axes(-1);
        }
        let picked = log_p.gather(-1, &self.labels)?.squeeze(-1)?;
        self.kept(&-(picked * &self.weights))
    }

    /// The losses with 0 where a row is ignored, whatever stands there.
    #[track_caller]
    fn kept(&self, losses: &Tensor<T>) -> Result<Tensor<T>> {
        match &self.mask {
            Some(mask) => mask.select(losses, &Tensor::scalar(T::ZERO)),
            None => Ok(losses.clone()),
        }
    }

    fn reduce(&self, losses: Tensor<T>, reduction: Reduction) -> Tensor<T> {
        debug_assert_eq!(losses.shape(), self.rows);
        match reduction {
            Reduction::Mean => losses.sum() / self.weights.sum(),
            _ => reduction.of(losses),
        }
    }
}

loss! {
    /// The cross-entropy `-w (t ln p + (1 - t) ln(1 - p))` of each probability `p` against a target `t` from 0 to 1.
    ///
    /// As in `torch`, logarithms below -100 count as -100, and get no gradient: from a sigmoid that has become 0 or 1
    /// nothing is learned. [`BinaryCrossEntropyWithLogits`] has no such end.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::BinaryCrossEntropy;
    /// let p = Tensor::from_vec([0.5f64, 1.0], [2])?;
    /// let t = Tensor::from_vec([1.0, 1.0], [2])?;
    /// assert!((BinaryCrossEntropy::new().loss(&p, &t)?.item() - 2f64.ln() / 2.0).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    BinaryCrossEntropy<T> {
        /// Weights `w` that broadcast to the elements.
        weights: Option<Tensor<T>> = None,
    }
}

impl<T: Float> BinaryCrossEntropy<T> {
    /// The loss; both tensors have one shape. The mean divides by the number of elements, whatever the weights.
    ///
    /// # Errors
    /// If the shapes differ, the weights do not broadcast to them, or a probability is not from 0 to 1.
    #[track_caller]
    pub fn loss(&self, probability: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "binary_cross_entropy";
        alike(OP, PREDICTION, probability, target)?;
        // NaN passes: it shows in the loss.
        let outside = |p: &T| *p < T::ZERO || *p > T::ONE;
        if let Some(p) = probability.to_vec().into_iter().find(outside) {
            return Err(ErrorKind::Message(format!("a probability is {p}")).of(OP));
        }
        let yes = target * at_least(probability, |p| p.ln())?;
        let no = (1.0 - target) * at_least(&-probability, |p| p.ln_1p())?;
        weighted(OP, -(yes + no), self.weights.as_ref(), self.reduction)
    }
}

/// A logarithm, but not below -100, where no gradient passes.
#[track_caller]
fn at_least<T: Float>(x: &Tensor<T>, logarithm: impl Fn(&Tensor<T>) -> Tensor<T>) -> Result<Tensor<T>> {
    const LEAST: f64 = -100.0;
    let least = Tensor::scalar(T::from_f64(LEAST));
    // NaN is not below: it stays.
    let below = logarithm(&x.detach()).lt(&least)?;
    // What stands where the logarithm is not taken: its own gradient there must be finite.
    let inside = below.select(&Tensor::scalar(T::from_f64(0.5)), x)?;
    below.select(&least, &logarithm(&inside))
}

/// Weighs losses by what broadcasts to them, and reduces them.
#[track_caller]
fn weighted<T: Float>(
    op: &'static str,
    losses: Tensor<T>,
    weights: Option<&Tensor<T>>,
    reduction: Reduction,
) -> Result<Tensor<T>> {
    let Some(weights) = weights else { return Ok(reduction.of(losses)) };
    broadcasts(op, "the weights must broadcast to the elements", &losses, weights)?;
    Ok(reduction.of(Mul.apply(&[&losses, weights])?))
}

loss! {
    /// The cross-entropy `-w (q t ln σ(x) + (1 - t) ln(1 - σ(x)))` of each logit `x` against a target `t` from 0 to 1, where
    /// `σ(x) = 1 / (1 + e⁻ˣ)` and `q` weighs the positive cases.
    ///
    /// Computed as `(1 - t) x + (1 + (q - 1) t) ln(1 + e⁻ˣ)`, which does not overflow.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::BinaryCrossEntropyWithLogits;
    /// let x = Tensor::from_vec([0.0f64, 1000.0], [2])?;
    /// let t = Tensor::from_vec([1.0, 0.0], [2])?;
    /// let loss = BinaryCrossEntropyWithLogits::new().loss(&x, &t)?;
    /// assert!((loss.item() - (2f64.ln() + 1000.0) / 2.0).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    BinaryCrossEntropyWithLogits<T> {
        /// Weights `w` that broadcast to the elements.
        weights: Option<Tensor<T>> = None,
        /// Weights `q` of the positive cases, which broadcast to the elements.
        positive_weights: Option<Tensor<T>> = None,
    }
}

impl<T: Float> BinaryCrossEntropyWithLogits<T> {
    /// The loss; both tensors have one shape. The mean divides by the number of elements, whatever the weights.
    ///
    /// # Errors
    /// If the shapes differ or the weights do not broadcast to them.
    #[track_caller]
    pub fn loss(&self, logits: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "binary_cross_entropy_with_logits";
        alike(OP, PREDICTION, logits, target)?;
        let against = (1.0 - target) * logits;
        let softplus = (-logits).softplus();
        let losses = match &self.positive_weights {
            None => against + softplus,
            Some(q) => {
                broadcasts(OP, "the weights of positive cases must broadcast to the elements", logits, q)?;
                against + ((q - 1.0) * target + 1.0) * softplus
            }
        };
        weighted(OP, losses, self.weights.as_ref(), self.reduction)
    }
}

loss! {
    /// The divergence of Kullback and Leibler (1951) from predicted to target distributions, element by element:
    /// `t (ln t - prediction)`, where the prediction is the logarithm of a probability. Where the target `t` is 0, so are
    /// the term and the target's gradient.
    ///
    /// The divergence of distributions is a sum over classes and a mean over rows: [`Reduction::BatchMean`] for `[rows,
    /// classes]`. The default is the mean over all elements, as in `torch`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{KlDivergence, Reduction};
    /// let even = Tensor::from_vec([0.5f64, 0.5], [1, 2])?;
    /// let sure = Tensor::from_vec([1.0, 0.0], [1, 2])?;
    /// let divergence = KlDivergence::new().reduction(Reduction::BatchMean).loss(&even.ln(), &sure)?;
    /// assert!((divergence.item() - 2f64.ln()).abs() < 1e-12);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    KlDivergence {
        /// Whether the target is a logarithm of probabilities as well: then `eᵗ (t - prediction)`.
        log_target: bool = false,
    }
}

impl KlDivergence {
    /// The loss; both tensors have one shape.
    ///
    /// # Errors
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, log_p: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        alike("kl_divergence", PREDICTION, log_p, target)?;
        let losses = if self.log_target {
            target.exp() * (target - log_p)
        } else {
            let zero = target.eq(&Tensor::scalar(T::ZERO))?;
            let positive = zero.select(&Tensor::scalar(T::ONE), target)?;
            zero.select(&Tensor::scalar(T::ZERO), &(&positive * (positive.ln() - log_p)))?
        };
        Ok(self.reduction.of(losses))
    }
}
