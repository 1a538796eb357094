//! Losses that ask for a distance: hinges, rankings, embeddings.

use super::{alike, loss};
use autodiff::{Array, ErrorKind, Float, Result, Tensor};

/// Reports what is neither 1 nor -1.
#[track_caller]
fn signs<T: Float>(op: &'static str, y: &Tensor<T>) -> Result<()> {
    match y.to_vec().into_iter().find(|&y| y != T::ONE && y != -T::ONE) {
        None => Ok(()),
        Some(y) => Err(ErrorKind::Message(format!("a target is {y}, but it must be 1 or -1")).of(op)),
    }
}

/// `near` where `y` is 1, `far` where it is -1.
#[track_caller]
fn by_sign<T: Float>(y: &Tensor<T>, near: &Tensor<T>, far: &Tensor<T>) -> Result<Tensor<T>> {
    y.gt(&Tensor::scalar(T::ZERO))?.select(near, far)
}

loss! {
    /// The hinge of a distance `x`: `x` itself where the target is 1 (the pair is alike), `max(0, margin - x)` where it is
    /// -1 (the pair is not).
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{HingeEmbedding, Reduction};
    /// let x = Tensor::from_vec([0.5f32, 0.25, 3.0], [3])?;
    /// let y = Tensor::from_vec([1.0, -1.0, -1.0], [3])?;
    /// let each = HingeEmbedding::new().reduction(Reduction::None).loss(&x, &y)?;
    /// assert_eq!(each.to_vec(), [0.5, 0.75, 0.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    HingeEmbedding {
        /// The distance that pairs should have that are not alike; 1 unless it is set.
        margin: f64 = 1.0,
    }
}

impl HingeEmbedding {
    /// The loss; both tensors have one shape, the targets are 1 or -1.
    ///
    /// # Errors
    /// If the shapes differ, or a target is neither 1 nor -1.
    #[track_caller]
    pub fn loss<T: Float>(&self, distance: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "hinge_embedding";
        alike(OP, "distances and targets must have one shape", distance, target)?;
        signs(OP, target)?;
        let far = (self.margin - distance).relu();
        Ok(self.reduction.of(by_sign(target, distance, &far)?))
    }
}

loss! {
    /// The hinge of a classification (Crammer and Singer, JMLR 2, 2001, summed over the classes as by Weston and Watkins):
    /// `1/classes Σ_{j ≠ label} max(0, margin - x[label] + x[j])` of each row of scores `x`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::MultiMargin;
    /// let scores = Tensor::from_vec([0.5f32, 0.25, 3.0], [1, 3])?;
    /// assert_eq!(MultiMargin::new().loss(&scores, &[0])?.item(), (0.75 + 3.5) / 3.0);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    MultiMargin {
        /// How much larger than the others the score of the label should be; 1 unless it is set.
        margin: f64 = 1.0,
    }
}

impl MultiMargin {
    /// The loss of scores `[rows, classes]` against a label for each row; without reduction of shape `[rows]`.
    ///
    /// # Errors
    /// If the rank is not 2, the labels are not as many as the rows, or a label is not below the number of classes.
    #[track_caller]
    pub fn loss<T: Float>(&self, scores: &Tensor<T>, labels: &[usize]) -> Result<Tensor<T>> {
        const OP: &str = "multi_margin";
        let shape = scores.shape();
        if shape.rank() != 2 {
            return Err(ErrorKind::Rank { shape, expected: 2, what: "[rows, classes]" }.of(OP));
        }
        let (rows, classes) = (shape.dim(0), shape.dim(1));
        if labels.len() != rows {
            return Err(ErrorKind::Message(format!(
                "{} labels for the {rows} rows of {shape}",
                labels.len()
            ))
            .of(OP));
        }
        if let Some(position) = labels.iter().position(|&label| label >= classes) {
            return Err(ErrorKind::Label { label: labels[position], position, classes }.of(OP));
        }
        let own = scores.gather(1, &Array::from_vec(labels, [rows, 1])?)?;
        let others = 1.0 - Tensor::one_hot(labels, classes)?;
        let hinges = (scores - own + self.margin).relu() * others;
        Ok(self.reduction.of(hinges.sum_axes(1)? / classes as f64))
    }
}

loss! {
    /// The hinge of a ranking: `max(0, margin - y (a - b))`, where `y` is 1 if `a` should be the larger, -1 if `b` should.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{MarginRanking, Reduction};
    /// let (a, b) = (Tensor::from_vec([2.0f32, 2.0], [2])?, Tensor::from_vec([1.5, 1.5], [2])?);
    /// let y = Tensor::from_vec([1.0, -1.0], [2])?;
    /// let each = MarginRanking::new().reduction(Reduction::None).loss(&a, &b, &y)?;
    /// assert_eq!(each.to_vec(), [0.0, 0.5]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    MarginRanking {
        /// How much larger the larger should be; 0 unless it is set.
        margin: f64 = 0.0,
    }
}

impl MarginRanking {
    /// The loss; all tensors have one shape, the targets are 1 or -1.
    ///
    /// # Errors
    /// If the shapes differ, or a target is neither 1 nor -1.
    #[track_caller]
    pub fn loss<T: Float>(&self, a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "margin_ranking";
        alike(OP, "what is ranked must have one shape", a, b)?;
        alike(OP, "what is ranked and the targets must have one shape", a, target)?;
        signs(OP, target)?;
        Ok(self.reduction.of((self.margin - target * (a - b)).relu()))
    }
}

loss! {
    /// The cosine of the angle between the rows of two matrices: `1 - cos` where the target is 1, `max(0, cos - margin)`
    /// where it is -1, with `cos = Σ a b / √((Σ a² + ε) (Σ b² + ε))` and `ε = 10⁻¹²`, as in `torch`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::{CosineEmbedding, Reduction};
    /// let a = Tensor::from_vec([1.0f64, 0.0, 1.0, 0.0], [2, 2])?;
    /// let b = Tensor::from_vec([0.0, 3.0, 3.0, 4.0], [2, 2])?;
    /// let y = Tensor::from_vec([1.0, -1.0], [2])?;
    /// let each = CosineEmbedding::new().margin(0.5).reduction(Reduction::None).loss(&a, &b, &y)?.to_vec();
    /// assert!((each[0] - 1.0).abs() < 1e-9 && (each[1] - 0.1).abs() < 1e-9);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    CosineEmbedding {
        /// The cosine that pairs may have that are not alike, from -1 to 1; 0 unless it is set.
        margin: f64 = 0.0,
    }
}

impl CosineEmbedding {
    /// The loss of pairs `[.., n]` with targets `[..]` that are 1 or -1; without reduction of shape `[..]`.
    ///
    /// # Errors
    /// If the shapes of the pairs differ, that of the targets is not theirs without the last axis, or a target is neither 1
    /// nor -1.
    #[track_caller]
    pub fn loss<T: Float>(&self, a: &Tensor<T>, b: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
        const OP: &str = "cosine_embedding";
        const EPSILON: f64 = 1e-12;
        alike(OP, "what is compared must have one shape", a, b)?;
        let shape = a.shape();
        if shape.rank() != target.rank() + 1 || !shape.iter().take(target.rank()).eq(target.shape().iter()) {
            let what = "there must be a target for each row along the last axis";
            return Err(ErrorKind::Mismatch { what, left: shape, right: target.shape() }.of(OP));
        }
        signs(OP, target)?;
        let length = |x: &Tensor<T>| Ok::<_, autodiff::Error>(x.square().sum_axes(-1)? + EPSILON);
        let cosine = (a * b).sum_axes(-1)? / (length(a)? * length(b)?).sqrt();
        let losses = by_sign(target, &(1.0 - &cosine), &(cosine - self.margin).relu())?;
        Ok(self.reduction.of(losses))
    }
}

loss! {
    /// The triplet loss (Schroff et al., arXiv:1503.03832): `max(0, d(anchor, positive) - d(anchor, negative) + margin)` with
    /// the distance `d(a, b) = √(Σ (a - b + ε)²)` along the last axis and `ε = 10⁻⁶`, as in `torch`.
    ///
    /// ```
    /// use autodiff::Tensor;
    /// use nn::loss::TripletMargin;
    /// let at = |x: f64, y| Tensor::from_vec([x, y], [1, 2]);
    /// let loss = TripletMargin::new().loss(&at(0.0, 0.0)?, &at(3.0, 4.0)?, &at(0.0, 2.0)?)?;
    /// assert!((loss.item() - 4.0).abs() < 1e-5); // 5 - 2 + 1
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    TripletMargin {
        /// How much farther the negative should be than the positive; 1 unless it is set.
        margin: f64 = 1.0,
        /// Whether the distance between positive and negative counts where it is less than that between anchor and negative
        /// (Balntas et al., BMVC 2016).
        swap: bool = false,
    }
}

impl TripletMargin {
    /// The loss of triplets `[.., n]`; without reduction of shape `[..]`.
    ///
    /// # Errors
    /// If the shapes differ or the rank is 0.
    #[track_caller]
    pub fn loss<T: Float>(
        &self,
        anchor: &Tensor<T>,
        positive: &Tensor<T>,
        negative: &Tensor<T>,
    ) -> Result<Tensor<T>> {
        const OP: &str = "triplet_margin";
        const EPSILON: f64 = 1e-6;
        alike(OP, "anchor and positive must have one shape", anchor, positive)?;
        alike(OP, "anchor and negative must have one shape", anchor, negative)?;
        if anchor.rank() == 0 {
            return Err(ErrorKind::Axis { axis: -1, shape: anchor.shape() }.of(OP));
        }
        let distance = |a: &Tensor<T>, b: &Tensor<T>| {
            Ok::<_, autodiff::Error>((a - b + EPSILON).square().sum_axes(-1)?.sqrt())
        };
        let near = distance(anchor, positive)?;
        let mut far = distance(anchor, negative)?;
        if self.swap {
            far = far.minimum(&distance(positive, negative)?)?;
        }
        let losses = (near - far + self.margin).relu();
        Ok(self.reduction.of(losses))
    }
}
