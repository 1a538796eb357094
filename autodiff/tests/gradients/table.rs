//! The table: a line for each op and for each method of [`Tensor`], with the numbers that it is smooth at.

use crate::harness::{DISTINCT, NONZERO, POSITIVE, SMALL, Shapes, config, gradients, hold_at, run};
use autodiff::check::strategies::{choices, conv_cases, operands, pool_cases, shapes};
use autodiff::{Array, ConvOptions, Float, MAX_RANK, Op, PoolOptions, Result, Rng, Shape, Tensor, check};
use proptest::prelude::*;

gradients! {
    // ----- Functions of one number -----
    abs: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok(x.abs());
    sign: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok(x.sign());
    step: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok(x.step());
    square: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.square());
    sqrt: Shapes::alike(0..=MAX_RANK).elementwise(), [POSITIVE], |[x], _| Ok(x.sqrt());
    recip: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok(x.recip());
    exp: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.exp());
    ln: Shapes::alike(0..=MAX_RANK).elementwise(), [POSITIVE], |[x], _| Ok(x.ln());
    sin: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.sin());
    cos: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.cos());
    tanh: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.tanh());
    sigmoid: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.sigmoid());
    softplus: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.softplus());
    erf: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.erf());
    relu: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok(x.relu());
    gelu: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.gelu());
    silu: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x.silu());
    powi: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], mut c| Ok(x.powi(c.below(9) as i32 - 4));
    powi_through_zero: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], mut c| Ok(x.powi(c.below(5) as i32));
    powf: Shapes::alike(0..=MAX_RANK).elementwise(), [POSITIVE], |[x], mut c| Ok(x.powf([0.5, -1.5, 2.0, 0.0, 1.0, 3.25][c.below(6)]));

    // ----- Arithmetic -----
    add: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| Ok(a + b);
    sub: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| Ok(a - b);
    mul: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| Ok(a * b);
    div: Shapes::broadcastable().elementwise(), [SMALL, NONZERO], |[a, b], _| Ok(a / b);
    neg: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(-x);
    add_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Add.apply(&[a, b]);
    sub_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Sub.apply(&[a, b]);
    mul_op: Shapes::broadcastable().elementwise(), [SMALL; 2], |[a, b], _| autodiff::Mul.apply(&[a, b]);
    div_op: Shapes::broadcastable().elementwise(), [SMALL, NONZERO], |[a, b], _| autodiff::Div.apply(&[a, b]);
    add_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x + 0.75 + (0.5 + x));
    sub_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok((x - 0.75) * (0.5 - x));
    mul_number: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok((x * 0.75) + (-0.5 * x));
    div_number: Shapes::alike(0..=MAX_RANK).elementwise(), [NONZERO], |[x], _| Ok((x / 0.75) + (-0.5 / x));
    used_twice: Shapes::alike(0..=MAX_RANK).elementwise(), [SMALL], |[x], _| Ok(x * x + x.exp() * x - x);
    used_with_itself_broadcast: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], _| Ok(x * x.sum_keep(0)?);
    maximum: Shapes::broadcastable().elementwise(), [DISTINCT; 2], |[a, b], _| a.maximum(b);
    minimum: Shapes::broadcastable().elementwise(), [DISTINCT; 2], |[a, b], _| a.minimum(b);
    select: Shapes::broadcastable().elementwise(), [NONZERO, SMALL, SMALL], |[mask, a, b], _| mask.detach().step().select(a, b);
    select_by_comparison: Shapes::broadcastable().elementwise(), [DISTINCT; 2], |[a, b], _| a.gt(b)?.select(&a.square(), &b.exp());

    // ----- Reductions -----
    sum: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], _| Ok(x.sum());
    sum_axes: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], mut c| x.sum_axes(&c.axes(x.shape())[..]);
    sum_keep: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], mut c| x.sum_keep(&c.axes(x.shape())[..]);
    mean: Shapes::alike(0..=MAX_RANK).filled(), [SMALL], |[x], _| Ok(x.mean());
    mean_axes: Shapes::alike(0..=MAX_RANK).filled(), [SMALL], |[x], mut c| x.mean_axes(&c.axes(x.shape())[..]);
    mean_keep: Shapes::alike(0..=MAX_RANK).filled(), [SMALL], |[x], mut c| x.mean_keep(&c.axes(x.shape())[..]);
    variance_keep: Shapes::alike(0..=MAX_RANK).filled(), [SMALL], |[x], mut c| x.variance_keep(&c.axes(x.shape())[..]);
    max: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], _| Ok(x.max());
    max_axes: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], mut c| x.max_axes(&c.axes(x.shape())[..]);
    max_keep: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], mut c| x.max_keep(&c.axes(x.shape())[..]);
    min: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], _| Ok(x.min());
    min_axes: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], mut c| x.min_axes(&c.axes(x.shape())[..]);
    min_keep: Shapes::alike(0..=MAX_RANK), [DISTINCT], |[x], mut c| x.min_keep(&c.axes(x.shape())[..]);
    log_sum_exp_keep: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.log_sum_exp_keep(c.axis(x.shape()));

    // ----- Products -----
    matmul: Shapes::products(), [SMALL; 2], |[a, b], _| a.matmul(b);
    matmul_of_transposed: Shapes::products(), [SMALL; 2], |[a, b], _| match (a.rank(), b.rank()) {
        (2.., 2..) => b.t()?.matmul(&a.t()?),
        _ => b.matmul(&a.t().unwrap_or_else(|_| a.clone())).or_else(|_| a.matmul(b)),
    };
    matmul_with_itself: Shapes::alike(2..=MAX_RANK), [SMALL], |[x], _| x.matmul(&x.t()?);

    // ----- Movement -----
    reshape: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], mut c| x.reshape(c.reshape(x.shape()));
    flatten: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.flatten(c.axis(x.shape()));
    squeeze: Shapes::alike(0..=5), [SMALL], |[x], mut c| {
        let axis = c.below(x.rank() + 1) as isize;
        x.unsqueeze(axis)?.exp().squeeze(axis)
    };
    unsqueeze: Shapes::alike(0..=5), [SMALL], |[x], mut c| x.unsqueeze(c.below(x.rank() + 1) as isize - c.below(2) as isize * (x.rank() as isize + 1));
    permute: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], mut c| x.permute(c.permutation(x.rank()));
    transpose: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.transpose(c.axis(x.shape()), c.axis(x.shape()));
    t: Shapes::alike(2..=MAX_RANK), [SMALL], |[x], _| x.t();
    broadcast_to: Shapes::broadcastable(), [SMALL; 2], |[a, b], _| {
        a.broadcast_to(a.shape().broadcast(&b.shape()).expect("these shapes broadcast"))
    };
    slice: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| {
        let axis = c.axis(x.shape());
        x.slice(axis, c.range(x.shape().dim(x.shape().axis(axis)?)))
    };
    slice_step: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| {
        let axis = c.axis(x.shape());
        x.slice_step(axis, c.range(x.shape().dim(x.shape().axis(axis)?)), 1 + c.below(3))
    };
    flip: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.flip(c.axis(x.shape()));
    cat: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| {
        let axis = c.axis(x.shape());
        let part = x.slice(axis, c.range(x.shape().dim(x.shape().axis(axis)?)))?;
        Tensor::cat(&[x, &part, &x.exp()], axis)
    };
    cat_of_two: Shapes::alike(1..=MAX_RANK), [SMALL; 2], |[a, b], mut c| Tensor::cat(&[a, b], c.axis(a.shape()));
    stack: Shapes::alike(0..=5), [SMALL; 3], |[a, b, d], mut c| {
        let places = a.rank() as isize + 1;
        Tensor::stack(&[a, b, d], c.below(2 * places as usize) as isize - places)
    };
    pad: Shapes::alike(0..=MAX_RANK), [SMALL], |[x], mut c| {
        let widths: Vec<_> = (0..x.rank()).map(|_| (c.below(3), c.below(3))).collect();
        x.pad(&widths, 0.5)
    };

    // ----- Indices -----
    index_select: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| {
        let axis = c.axis(x.shape());
        x.index_select(axis, &c.indices(x.shape().dim(x.shape().axis(axis)?), 3))
    };
    gather: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| {
        let axis = c.axis(x.shape());
        let along = x.shape().axis(axis)?;
        let mut sizes = x.shape().to_vec();
        sizes[along] = if x.shape().dim(along) == 0 { 0 } else { 1 + c.below(3) };
        let shape = Shape::from(sizes);
        x.gather(axis, &Array::from_vec(c.indices(x.shape().dim(along), shape.size()), shape)?)
    };

    // ----- Classification -----
    softmax: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.softmax(c.axis(x.shape()));
    log_softmax: Shapes::alike(1..=MAX_RANK), [SMALL], |[x], mut c| x.log_softmax(c.axis(x.shape()));
    cross_entropy: Shapes::alike(1..=MAX_RANK).filled(), [SMALL], |[x], mut c| {
        let classes = x.shape().dim(x.rank() - 1);
        x.cross_entropy(&c.indices(classes, x.size() / classes))
    };
    batch_norm: Shapes::alike(2..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], _| {
        // Weights and biases a channel: the first element along every axis but that of the channels.
        let others = (2..x.rank() as isize).chain([0]);
        let first = |w: &Tensor<_>| others.clone().try_fold(w.clone(), |w, axis| w.slice(axis, 0..1))?.reshape([-1]);
        Ok(x.batch_norm(&first(w)?, &first(b)?, 0.1)?.0)
    };
    layer_norm: Shapes::alike(1..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], mut c| {
        let skipped = c.below(x.rank() + 1);
        let last = |w: &Tensor<_>| (0..skipped).try_fold(w.clone(), |w, _| w.slice(0, 0..1)?.squeeze(0));
        x.layer_norm(&last(w)?, &last(b)?, 0.1)
    };
    soft_cross_entropy: Shapes::alike(1..=MAX_RANK).filled(), [SMALL, POSITIVE], |[x, p], _| x.soft_cross_entropy(p);
}

#[test]
fn conv2d() {
    fn conv<T: Float>(inputs: &[&Tensor<T>], options: ConvOptions) -> Result<Tensor<T>> {
        inputs[0].conv2d(inputs[1], inputs.get(2).copied(), options)
    }
    let strategy = (conv_cases(), [SMALL; 3].map(operands), any::<bool>());
    run(config(), &strategy, |(case, [x, w, bias], biased)| {
        let (x, w) = (x.tensor(case.input), w.tensor(case.weight));
        if biased {
            let bias = bias.tensor(Shape::from([case.weight.dim(0)]));
            hold_at(&[x, w, bias], |x| conv(&x, case.options), |x| conv(&x, case.options))
        } else {
            hold_at(&[x, w], |x| conv(&x, case.options), |x| conv(&x, case.options))
        }
    });
    let large = [[16, 8, 30, 31], [12, 8, 3, 3]].map(|shape| Rng::seed(1).uniform(shape, -1.0, 1.0));
    check::threads(|x| x[0].conv2d(&x[1], None, ConvOptions::default()), &large).unwrap();
}

#[test]
fn max_pool2d() {
    let strategy = (pool_cases(), operands(DISTINCT));
    run(config(), &strategy, |(case, x)| {
        let at = [x.tensor(case.input)];
        hold_at(&at, |[x]| x.max_pool2d(case.options), |[x]| x.max_pool2d(case.options))
    });
    check::threads(
        |x| x[0].max_pool2d(PoolOptions::square(2)),
        &[Rng::seed(1).uniform([16, 16, 40, 41], -1.0, 1.0)],
    )
    .unwrap();
}

#[test]
fn avg_pool2d() {
    let strategy = (pool_cases(), operands(SMALL));
    run(config(), &strategy, |(case, x)| {
        let at = [x.tensor(case.input)];
        hold_at(&at, |[x]| x.avg_pool2d(case.options), |[x]| x.avg_pool2d(case.options))
    });
    check::threads(
        |x| x[0].avg_pool2d(PoolOptions::square(2)),
        &[Rng::seed(1).uniform([16, 16, 40, 41], -1.0, 1.0)],
    )
    .unwrap();
}

#[test]
fn the_moments_of_a_batch_are_constants_and_nothing_has_none() {
    let x = Rng::seed(1).uniform::<f64>([4, 3, 5], -1.0, 1.0).variable();
    let (weight, bias) = (Tensor::ones([3]).variable(), Tensor::zeros([3]));
    let (y, mean, variance) = x.batch_norm(&weight, &bias, 1e-5).unwrap();
    assert!(y.is_tracked() && !mean.is_tracked() && !variance.is_tracked());
    let expected = x.detach().mean_axes([0, 2]).unwrap();
    assert!(mean.to_vec().iter().zip(expected.to_vec()).all(|(a, b)| (a - b).abs() < 1e-15));
    // The gradient of a sum of nothing is zero.
    let none = Tensor::zeros([0, 3, 5]).variable();
    none.batch_norm(&weight, &bias, 1e-5).unwrap().0.sum().backward().unwrap();
    assert_eq!(weight.grad().unwrap().to_vec(), [0.0; 3]);
    let none = Tensor::<f64>::zeros([2, 0]).variable();
    let empty = Tensor::zeros([0]);
    none.layer_norm(&empty, &empty, 1e-5).unwrap().sum().backward().unwrap();
    assert_eq!(none.grad().unwrap().shape(), [2, 0]);
}

/// Lines that are tests of their own above.
const IMAGES: [&str; 3] = ["conv2d", "max_pool2d", "avg_pool2d"];

/// Public methods in `ops/` without a gradient, which therefore have no line.
const WITHOUT_GRADIENT: [(&str, &str); 8] = [
    ("eq", "a mask"),
    ("ne", "a mask"),
    ("lt", "a mask"),
    ("le", "a mask"),
    ("gt", "a mask"),
    ("ge", "a mask"),
    ("arg_max", "indices"),
    ("one_hot", "made from labels"),
];

/// The public methods that the sources of the ops define on tensors.
fn methods() -> Vec<String> {
    let mut found = Vec::new();
    let sources =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops")).expect("the sources of the ops");
    for source in sources {
        let text = std::fs::read_to_string(source.expect("a file").path()).expect("a source");
        let identifier = |text: &str| -> String {
            text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        // What stands in an `impl` of something else than a tensor is no op.
        let mut of_tensor = true;
        for line in text.lines() {
            if line.starts_with("impl") {
                of_tensor = line.contains("Tensor<T> {");
            }
            let line = line.trim();
            if line.starts_with("//") {
                continue;
            }
            let name = if let Some((_, rest)) = line.split_once("pub fn ").filter(|_| of_tensor) {
                identifier(rest)
            } else if let Some((_, rest)) = line.split_once(" => ").filter(|_| line.contains(") = |")) {
                identifier(rest)
            } else if line.ends_with(';') && line.contains(" = |a, b| ") {
                identifier(line)
            } else {
                continue;
            };
            if !name.is_empty() {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn every_method_has_a_line() {
    let methods = methods();
    for known in ["exp", "powf", "maximum", "matmul", "cat", "eq", "softmax", "conv2d"] {
        assert!(methods.iter().any(|method| method == known), "the search for methods misses {known}");
    }
    let missing: Vec<_> = methods
        .iter()
        .map(String::as_str)
        .filter(|method| !LINES.contains(method) && !IMAGES.contains(method))
        .filter(|method| !WITHOUT_GRADIENT.iter().any(|(name, _)| name == method))
        .collect();
    assert!(missing.is_empty(), "no line in the table of gradients for {missing:?}");
}

#[test]
fn decisions_stay_within_their_bounds() {
    proptest!(config(), |(shape in shapes(0..=6), mut choice in choices())| {
        let reshaped = choice.reshape(shape);
        prop_assert!(Tensor::<f64>::zeros(shape).reshape(&reshaped).is_ok(), "{} as {:?}", shape, reshaped);
        prop_assert!(Tensor::<f64>::zeros(shape).permute(choice.permutation(shape.rank())).is_ok());
        let range = choice.range(5);
        prop_assert!(range.start <= range.end && range.end <= 5);
    });
}
