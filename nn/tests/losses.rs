//! Losses: where they have no derivative, what they refuse, and their second derivatives.
#![allow(missing_docs)]

use autodiff::{Result, Rng, Tensor, check, grad};
use nn::loss::{
    AbsoluteError, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CosineEmbedding, CrossEntropy,
    GaussianNll, HingeEmbedding, Huber, KlDivergence, MarginRanking, MultiMargin, Nll, PoissonNll, Reduction,
    SmoothL1, SquaredError, TripletMargin,
};

fn vector<const N: usize>(values: [f64; N]) -> Tensor<f64> {
    Tensor::from_vec(values, [N]).expect("as many values")
}

/// The gradient of a loss with respect to its first argument.
fn slope(x: &Tensor<f64>, loss: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>) -> Result<Vec<f64>> {
    let x = x.clone().variable();
    let [dx] = grad(&loss(&x)?, [&x])?;
    Ok(dx.to_vec())
}

#[test]
fn kinks_have_the_gradient_that_is_documented() -> Result<()> {
    let (zero, one) = (vector([0.0]), vector([1.0]));
    assert_eq!(slope(&zero, |x| AbsoluteError::new().loss(x, &zero))?, [0.0]);
    assert_eq!(slope(&zero, |x| SmoothL1::new().beta(0.0).loss(x, &zero))?, [0.0]);
    assert_eq!(slope(&one, |x| HingeEmbedding::new().loss(x, &-&one))?, [0.0]);
    assert_eq!(slope(&one, |x| MarginRanking::new().loss(x, &one, &one))?, [0.0]);
    let scores = vector([1.0, 2.0]).reshape([1, 2])?;
    assert_eq!(slope(&scores, |x| MultiMargin::new().loss(x, &[1]))?, [0.0, 0.0]);
    // A logarithm that is cut passes no gradient, and no NaN either.
    let (certain, truth) = (vector([0.0, 1.0, 0.0, 1.0]), vector([0.0, 1.0, 1.0, 0.0]));
    let sum = BinaryCrossEntropy::new().reduction(Reduction::Sum);
    assert_eq!(sum.loss(&certain, &truth)?.item(), 200.0);
    assert_eq!(slope(&certain, |x| sum.loss(x, &truth))?, [1.0, -1.0, 0.0, 0.0]);
    // A variance below ε has none.
    let variance = slope(&zero, |v| GaussianNll::new().loss(&one, &one, v))?;
    assert_eq!(variance, [0.0]);
    Ok(())
}

#[test]
fn nothing_to_learn_from_has_no_mean() -> Result<()> {
    let logits = Tensor::<f64>::ones([2, 3]);
    let ignoring = CrossEntropy::new().ignore(7);
    assert!(ignoring.loss(&logits, &[7, 7])?.item().is_nan());
    assert_eq!(ignoring.clone().reduction(Reduction::Sum).loss(&logits, &[7, 7])?.item(), 0.0);
    assert_eq!(ignoring.reduction(Reduction::None).loss(&logits, &[7, 7])?.to_vec(), [0.0, 0.0]);
    assert!(CrossEntropy::<f64>::new().loss(&Tensor::ones([0, 3]), &[])?.item().is_nan());
    assert_eq!(
        slope(&logits, |x| CrossEntropy::new().ignore(7).reduction(Reduction::Sum).loss(x, &[7, 7]))?,
        [0.0; 6]
    );
    // An ignored row may hold anything.
    let broken = Tensor::from_vec([f64::NAN, 0.0, 0.0, 0.0], [2, 2])?;
    let loss = Nll::new().ignore(9).reduction(Reduction::Sum).loss(&broken, &[9, 1])?;
    assert_eq!(loss.item(), 0.0);
    Ok(())
}

/// A loss of some tensors, and where it is smooth.
type Smooth = (&'static str, Box<dyn Fn(&[Tensor<f64>]) -> Result<Tensor<f64>>>, Vec<Tensor<f64>>);

#[test]
fn second_derivatives_are_right() {
    let mut rng = Rng::seed(5);
    let mut normal = |shape: [usize; 2]| rng.normal::<f64>(shape, 0.0, 1.0);
    let (a, b, c) = (normal([3, 4]), normal([3, 4]), normal([3, 4]));
    let p = a.sigmoid();
    let weights = vector([0.5, 1.0, 2.0, 3.0]);
    let signs = vector([1.0, -1.0, 1.0]);
    let labels = [1, 3, 0];
    let weighted = CrossEntropy::new().weights(weights.clone()).label_smoothing(0.1).ignore(0);
    let soft = weighted.clone();
    let losses: Vec<Smooth> = vec![
        ("squared", Box::new(|x| SquaredError::new().loss(&x[0], &x[1])), vec![a.clone(), b.clone()]),
        ("huber", Box::new(|x| Huber::new().delta(0.7).loss(&x[0], &x[1])), vec![a.clone(), b.clone()]),
        ("smooth l1", Box::new(|x| SmoothL1::new().beta(0.7).loss(&x[0], &x[1])), vec![a.clone(), b.clone()]),
        ("poisson", Box::new(|x| PoissonNll::new().loss(&x[0], &x[1])), vec![a.clone(), b.exp()]),
        (
            "gauss",
            Box::new(|x| GaussianNll::new().loss(&x[0], &x[1], &x[2])),
            vec![a.clone(), b.clone(), c.exp()],
        ),
        ("cross-entropy", Box::new(move |x| weighted.loss(&x[0], &labels)), vec![a.clone()]),
        ("soft", Box::new(move |x| soft.soft_loss(&x[0], &x[1])), vec![a.clone(), p.clone()]),
        ("binary", Box::new(|x| BinaryCrossEntropy::new().loss(&x[0], &x[1])), vec![p.clone(), p.square()]),
        (
            "logits",
            Box::new(move |x| {
                BinaryCrossEntropyWithLogits::new().positive_weights(weights.clone()).loss(&x[0], &x[1])
            }),
            vec![a.clone(), p.clone()],
        ),
        ("kl", Box::new(|x| KlDivergence::new().loss(&x[0], &x[1])), vec![a.clone(), p.clone()]),
        (
            "kl of logarithms",
            Box::new(|x| KlDivergence::new().log_target(true).loss(&x[0], &x[1])),
            vec![a.clone(), b.clone()],
        ),
        (
            "cosine",
            Box::new(move |x| CosineEmbedding::new().loss(&x[0], &x[1], &signs)),
            vec![a.clone(), b.clone()],
        ),
        ("triplet", Box::new(|x| TripletMargin::new().margin(3.0).loss(&x[0], &x[1], &x[2])), vec![a, b, c]),
    ];
    for (name, loss, at) in losses {
        if let Err(mismatch) = check::second_order(loss, &at) {
            panic!("{name}: {mismatch}");
        }
    }
}

/// The text of an error without its place, which is in this file.
fn told(result: Result<Tensor<f64>>) -> String {
    let error = result.unwrap_err();
    assert!(error.site().file().ends_with("losses.rs"), "{error}");
    error.to_string().rsplit_once(" at ").unwrap().0.to_owned()
}

#[test]
fn misuse_is_said_in_the_file_of_the_caller() {
    let (x, y) = (Tensor::<f64>::ones([2, 3]), Tensor::ones([2]));
    macro_rules! says {
        ($($call:expr => $text:literal),* $(,)?) => {
            $(
                assert_eq!(told($call), $text);
            )*
        };
    }
    says! {
        SquaredError::new().loss(&x, &y) =>
            "squared_error: prediction and target must have one shape: [2, 3] against [2]",
        Huber::new().delta(0.0).loss(&x, &x) => "huber: delta is 0, but it must be positive",
        SmoothL1::new().beta(-1.0).loss(&x, &x) => "smooth_l1: beta is -1, but it must not be negative",
        GaussianNll::new().loss(&x, &x, &-&x) => "gaussian_nll: a variance is -1",
        GaussianNll::new().loss(&x, &x, &y) =>
            "gaussian_nll: the variances must broadcast to the predictions: [2, 3] against [2]",
        CrossEntropy::new().label_smoothing(2.0).loss(&x, &[0, 0]) =>
            "cross_entropy: the smoothing is 2, but it must be from 0 to 1",
        CrossEntropy::new().ignore(9).loss(&x, &[0, 3]) =>
            "cross_entropy: label 3 at position 1 is out of range for 3 classes",
        CrossEntropy::new().weights(y.clone()).loss(&x, &[0, 0]) =>
            "cross_entropy: there must be a weight for each class, which is the last axis: [2, 3] against [2]",
        CrossEntropy::new().soft_loss(&x, &y) =>
            "cross_entropy: logits and target distributions must have one shape: [2, 3] against [2]",
        CrossEntropy::new().reduction(Reduction::Sum).loss(&x, &[0]) =>
            "cross_entropy: 1 labels for the 2 rows of [2, 3]",
        Nll::new().loss(&Tensor::scalar(1.0), &[0]) => "nll: axis -1 is out of range for [], which has rank 0",
        BinaryCrossEntropy::new().loss(&(&x * 2.0), &x) => "binary_cross_entropy: a probability is 2",
        BinaryCrossEntropyWithLogits::new().weights(y.clone()).loss(&x, &x) =>
            "binary_cross_entropy_with_logits: the weights must broadcast to the elements: [2, 3] against [2]",
        HingeEmbedding::new().loss(&x, &(&x * 2.0)) =>
            "hinge_embedding: a target is 2, but it must be 1 or -1",
        MultiMargin::new().loss(&y, &[0]) => "multi_margin: [2] has rank 1, but rank 2 is needed: [rows, classes]",
        MultiMargin::new().loss(&x, &[0, 3]) => "multi_margin: label 3 at position 1 is out of range for 3 classes",
        MarginRanking::new().loss(&x, &x, &y) =>
            "margin_ranking: what is ranked and the targets must have one shape: [2, 3] against [2]",
        CosineEmbedding::new().loss(&x, &x, &x) =>
            "cosine_embedding: there must be a target for each row along the last axis: [2, 3] against [2, 3]",
        TripletMargin::new().loss(&x, &x, &y) =>
            "triplet_margin: anchor and negative must have one shape: [2, 3] against [2]",
    }
}
