//! Losses, with each option and reduction.

use super::reader::Options;
use autodiff::Tensor;
use nn::loss::{
    AbsoluteError, BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CosineEmbedding, CrossEntropy,
    GaussianNll, HingeEmbedding, Huber, KlDivergence, MarginRanking, MultiMargin, Nll, PoissonNll, Reduction,
    SmoothL1, SquaredError, TripletMargin,
};

/// Sets each option that the case speaks of.
macro_rules! with {
    ($loss:expr, $o:ident $(, $option:ident = $value:expr)*) => {{
        let loss = $loss.reduction(reduction($o));
        $(let loss = if $o.has(stringify!($option)) { loss.$option($value) } else { loss };)*
        loss
    }};
}

calls! { "loss";
    squared_error: |x, o| with!(SquaredError::new(), o).loss(&x[0], &x[1]);
    absolute_error: |x, o| with!(AbsoluteError::new(), o).loss(&x[0], &x[1]);
    huber: |x, o| with!(Huber::new(), o, delta = o.float("delta")).loss(&x[0], &x[1]);
    smooth_l1: |x, o| with!(SmoothL1::new(), o, beta = o.float("beta")).loss(&x[0], &x[1]);
    poisson_nll: |x, o| {
        let mut loss = with!(PoissonNll::new(), o, log_input = o.flag("log_input"), full = o.flag("full"));
        if o.has("eps") {
            loss = loss.epsilon(o.float("eps"));
        }
        loss.loss(&x[0], &x[1])
    };
    gaussian_nll: |x, o| {
        let mut loss = with!(GaussianNll::new(), o, full = o.flag("full"));
        if o.has("eps") {
            loss = loss.epsilon(o.float("eps"));
        }
        loss.loss(&x[0], &x[1], &x[2])
    };
    kl_divergence: |x, o| {
        let loss = with!(KlDivergence::new(), o, log_target = o.flag("log_target"));
        let halves = || Tensor::from(o.index("target").map(|n| n as f64 / 2.0));
        if o.has("target") { loss.loss(&x[0], &halves()) } else { loss.loss(&x[0], &x[1]) }
    };
    cross_entropy: |x, o| entropy(o).loss(&x[0], &o.ints::<usize>("labels"));
    soft_cross_entropy: |x, o| entropy(o).soft_loss(&x[0], &x[1]);
    nll: |x, o| {
        let loss = with!(Nll::new(), o, weights = floats(o, "weights"), ignore = o.int::<usize>("ignore"));
        loss.loss(&x[0], &o.ints::<usize>("labels"))
    };
    binary_cross_entropy: |x, o| {
        let loss = with!(BinaryCrossEntropy::new(), o, weights = floats(o, "weights"));
        if o.has("certain") {
            loss.loss(&floats(o, "certain"), &floats(o, "truth"))
        } else {
            loss.loss(&x[0], &x[1])
        }
    };
    binary_cross_entropy_with_logits: |x, o| {
        let loss = with!(
            BinaryCrossEntropyWithLogits::new(), o,
            weights = floats(o, "weights"), positive_weights = floats(o, "positive_weights")
        );
        let target = if o.has("truth") { floats(o, "truth") } else { x[1].clone() };
        loss.loss(&x[0], &target)
    };
    hinge_embedding: |x, o| {
        with!(HingeEmbedding::new(), o, margin = o.float("margin")).loss(&x[0], &x[1])
    };
    multi_margin: |x, o| {
        let loss = with!(MultiMargin::new(), o, margin = o.float("margin"));
        loss.loss(&x[0], &o.ints::<usize>("labels"))
    };
    margin_ranking: |x, o| {
        with!(MarginRanking::new(), o, margin = o.float("margin")).loss(&x[0], &x[1], &x[2])
    };
    cosine_embedding: |x, o| {
        with!(CosineEmbedding::new(), o, margin = o.float("margin")).loss(&x[0], &x[1], &x[2])
    };
    triplet_margin: |x, o| {
        let loss = with!(TripletMargin::new(), o, margin = o.float("margin"), swap = o.flag("swap"));
        loss.loss(&x[0], &x[1], &x[2])
    };
}

fn entropy(o: &Options) -> CrossEntropy<f64> {
    with!(
        CrossEntropy::new(),
        o,
        weights = floats(o, "weights"),
        label_smoothing = o.float("label_smoothing"),
        ignore = o.int::<usize>("ignore")
    )
}

fn reduction(o: &Options) -> Reduction {
    match o.text("reduction") {
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        "batch_mean" => Reduction::BatchMean,
        "none" => Reduction::None,
        other => panic!("no reduction {other}"),
    }
}

/// A vector.
fn floats(o: &Options, name: &str) -> Tensor<f64> {
    let values = o.floats(name);
    let length = values.len();
    Tensor::from_vec(values, [length]).expect("as many values")
}
