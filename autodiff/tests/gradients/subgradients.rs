//! The conventions of `ops/mod.rs`: what the gradient is where there is none, what becomes of NaN, and of nothing.

use autodiff::{
    AttentionMask, AttentionOptions, ConvOptions, ConvTransposeOptions, Float, Interpolation, PoolOptions,
    Result, Rng, Tensor, grad,
};

fn vector(values: &[f64]) -> Tensor<f64> {
    Tensor::from_vec(values, [values.len()]).unwrap()
}

/// The gradient of `Σ wᵢ f(x)ᵢ` with weights 1, 2, ..: as `backward` leaves it, and as `grad` returns it.
fn gradient(f: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>, x: Tensor<f64>) -> Vec<f64> {
    let x = x.variable();
    let loss = || {
        let y = f(&x).unwrap();
        let weights: Vec<f64> = (1..=y.size()).map(|i| i as f64).collect();
        (&y * Tensor::from_vec(weights, y.shape()).unwrap()).sum()
    };
    let [recorded] = grad(&loss(), [&x]).unwrap();
    loss().backward().unwrap();
    let left = x.take_grad().unwrap().to_vec();
    assert_eq!(recorded.to_vec(), left);
    left
}

#[test]
fn kinks_have_the_documented_gradient() {
    let x = || vector(&[-1.0, 0.0, -0.0, 2.0]);
    assert_eq!(gradient(|x| Ok(x.relu()), x()), [0.0, 0.0, 0.0, 4.0]);
    assert_eq!(gradient(|x| Ok(x.abs()), x()), [-1.0, 0.0, 0.0, 4.0]);
    assert_eq!(gradient(|x| Ok(x.sign()), x()), [0.0; 4]);
    assert_eq!(gradient(|x| Ok(x.step()), x()), [0.0; 4]);
    let steps = || vector(&[-1.0, 0.0, 0.5, 2.0]);
    assert_eq!(gradient(|x| Ok(x.floor()), steps()), [0.0; 4]);
    assert_eq!(gradient(|x| Ok(x.ceil()), steps()), [0.0; 4]);
    assert_eq!(gradient(|x| Ok(x.trunc()), steps()), [0.0; 4]);
    assert_eq!(gradient(|x| Ok(x.round()), steps()), [0.0; 4]);
    assert_eq!(gradient(|x| Ok(x.leaky_relu(0.25)), x()), [0.25, 0.5, 0.75, 4.0]);
    assert_eq!(gradient(|x| Ok(x.elu(0.5)), x())[1..], [1.0, 1.5, 4.0]);
    let selu = gradient(|x| Ok(x.selu()), x());
    assert!((selu[1] / 2.0 - 1.758_099_340_847_376_6).abs() < 1e-15, "{selu:?}");
    assert_eq!(
        gradient(|x| Ok(x.clamp(-1.0, 2.0)), vector(&[-1.5, -1.0, 0.5, 2.0, 2.5])),
        [0.0, 0.0, 3.0, 0.0, 0.0]
    );
    assert_eq!(gradient(|x| Ok(x.relu6()), vector(&[0.0, 1.0, 6.0])), [0.0, 2.0, 0.0]);
    assert_eq!(gradient(|x| Ok(x.hard_tanh()), vector(&[-1.0, 0.5, 1.0])), [0.0, 2.0, 0.0]);
    assert_eq!(gradient(|x| Ok(x.hard_sigmoid()), vector(&[-3.0, 3.0])), [0.0; 2]);
    assert_eq!(gradient(|x| Ok(x.hard_swish()), vector(&[-3.0, 3.0])), [0.0, 2.0]);
    let thresholds = || vector(&[-2.0, -1.0, 0.0, 1.0]);
    assert_eq!(gradient(|x| Ok(x.soft_shrink(1.0)), thresholds()), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient(|x| Ok(x.hard_shrink(1.0)), thresholds()), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(gradient(|x| Ok(x.threshold(1.0, 5.0)), vector(&[0.0, 1.0, 2.0])), [0.0, 0.0, 3.0]);
    let (one, zero) = (Tensor::ones([1, 1]), Tensor::zeros([1, 1]));
    let sequence = vector(&[0.0, -1.0, 1.0, -1.0]).reshape([4, 1, 1]).unwrap();
    assert_eq!(gradient(|x| x.rnn_relu(&one, &vector(&[0.0]), &zero), sequence), [0.0, 0.0, 3.0, 0.0]);
    let slope = Tensor::scalar(0.25);
    assert_eq!(gradient(|x| x.prelu(&slope), x()), [0.25, 0.5, 0.75, 4.0]);
    assert_eq!(gradient(|slope| x().prelu(slope), slope.clone()), [-1.0]);
}

#[test]
fn powers_of_nothing_and_by_nothing_have_the_documented_gradient() {
    let base = || vector(&[0.0, 0.0, 0.0, 2.0, -2.0]);
    let exponent = || vector(&[0.0, 2.0, 0.5, 0.0, 3.0]);
    assert_eq!(gradient(|x| x.pow(&exponent()), base()), [0.0, 0.0, f64::INFINITY, 0.0, 60.0]);
    let positive = |x: Tensor<f64>| x.slice(0, 0..4).unwrap();
    assert_eq!(
        gradient(|x| positive(base()).pow(x), positive(exponent())),
        [0.0, 0.0, 0.0, 4.0 * 2.0f64.ln()]
    );
    // A negative base has real powers at whole exponents only.
    assert_eq!(gradient_bits(|x| base().pow(x), exponent()), [false, false, false, false, true]);
    assert_eq!(gradient(|x| vector(&[0.0]).pow(x), vector(&[-1.0])), [f64::NEG_INFINITY]);
}

#[test]
fn at_the_origin_an_angle_and_a_length_have_no_slope() {
    let zero = || vector(&[0.0, 1.0]);
    let other = || vector(&[0.0, 0.0]);
    assert_eq!(gradient(|x| x.atan2(&other()), zero()), [0.0, 0.0]);
    assert_eq!(gradient(|x| other().atan2(x), zero()), [0.0, 0.0]);
    assert_eq!(gradient(|x| x.hypot(&other()), zero()), [0.0, 2.0]);
    assert_eq!(gradient(|x| other().hypot(x), zero()), [0.0, 2.0]);
}

#[test]
fn at_its_jumps_a_remainder_has_the_gradient_of_beside_them() {
    let a = || vector(&[0.0, 6.0, -6.0, 5.0, -5.0]);
    let divisors = || vector(&[3.0, 3.0, 3.0, -3.0, 3.0]);
    assert_eq!(gradient(|x| x.fmod(&divisors()), a()), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(gradient(|x| x.remainder(&divisors()), a()), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(gradient(|b| a().fmod(b), divisors()), [0.0, -4.0, 6.0, 4.0, 5.0]);
    assert_eq!(gradient(|b| a().remainder(b), divisors()), [0.0, -4.0, 6.0, 8.0, 10.0]);
}

#[test]
fn at_the_end_of_where_a_function_is_defined_its_gradient_is_infinite() {
    let infinite =
        |gradient: Vec<f64>| assert!(gradient.iter().all(|g| g.abs() == f64::INFINITY), "{gradient:?}");
    infinite(gradient(|x| Ok(x.sqrt()), vector(&[0.0])));
    infinite(gradient(|x| Ok(x.rsqrt()), vector(&[0.0])));
    infinite(gradient(|x| Ok(x.acosh()), vector(&[1.0])));
    let ends = || vector(&[-1.0, 1.0]);
    infinite(gradient(|x| Ok(x.asin()), ends()));
    infinite(gradient(|x| Ok(x.acos()), ends()));
    infinite(gradient(|x| Ok(x.atanh()), ends()));
}

#[test]
fn ties_of_two_share_in_halves() {
    let other = vector(&[1.0, 2.0, 3.0]);
    let x = || vector(&[1.0, 3.0, 1.0]);
    assert_eq!(gradient(|x| x.maximum(&other), x()), [0.5, 2.0, 0.0]);
    assert_eq!(gradient(|x| other.maximum(x), x()), [0.5, 2.0, 0.0]);
    assert_eq!(gradient(|x| x.minimum(&other), x()), [0.5, 0.0, 3.0]);
    assert_eq!(gradient(|x| other.minimum(x), x()), [0.5, 0.0, 3.0]);
    // Both halves come back to a tensor that meets itself.
    assert_eq!(gradient(|x| x.maximum(x), x()), [1.0, 2.0, 3.0]);
}

#[test]
fn ties_of_an_extreme_share_equally() {
    let x = || Tensor::from_vec([2.0, 2.0, 1.0, 0.0, 5.0, 5.0, 5.0, 0.0], [2, 4]).unwrap();
    let third = 2.0 / 3.0;
    assert_eq!(gradient(|x| x.max_axes(1), x()), [0.5, 0.5, 0.0, 0.0, third, third, third, 0.0]);
    assert_eq!(gradient(|x| x.max_keep(1), x()), [0.5, 0.5, 0.0, 0.0, third, third, third, 0.0]);
    assert_eq!(gradient(|x| x.min_axes(1), x()), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(gradient(|x| x.min_keep(1), x()), [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    assert_eq!(gradient(|x| Ok(x.min()), x()), [0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5]);
    assert_eq!(gradient(|x| Ok(x.max()), vector(&[f64::INFINITY, 1.0, f64::INFINITY])), [0.5, 0.0, 0.5]);
}

#[test]
fn ties_of_an_order_go_by_position() {
    let x = || vector(&[1.0, 3.0, 1.0, 3.0]);
    assert_eq!(gradient(|x| Ok(x.cummax(0)?.0), x()), [1.0, 5.0, 0.0, 4.0]);
    assert_eq!(gradient(|x| Ok(x.cummin(0)?.0), x()), [3.0, 0.0, 7.0, 0.0]);
    assert_eq!(gradient(|x| Ok(x.sort(0, false)?.0), x()), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(gradient(|x| Ok(x.sort(0, true)?.0), x()), [3.0, 1.0, 4.0, 2.0]);
    assert_eq!(gradient(|x| Ok(x.topk(3, 0, true)?.0), x()), [3.0, 1.0, 0.0, 2.0]);
    assert_eq!(gradient(|x| Ok(x.topk(3, 0, false)?.0), x()), [1.0, 3.0, 2.0, 0.0]);
}

#[test]
fn what_does_not_vary_and_what_is_nothing_has_no_slope() {
    let same = || Tensor::full(1.5, [3]);
    assert_eq!(gradient(|x| Ok(x.std(1)), same()), [0.0; 3]);
    assert_eq!(gradient(|x| x.std_axes(0, 0), same()), [0.0; 3]);
    assert_eq!(gradient(|x| x.std_keep(0, 1), same()), [0.0; 3]);
    for p in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        assert_eq!(gradient(|x| Ok(x.norm(p)), Tensor::zeros([3])), [0.0; 3], "{p}");
        assert_eq!(gradient(|x| x.norm_axes(p, 0), vector(&[2.0, 0.0]))[1], 0.0, "{p}");
        assert_eq!(gradient(|x| x.norm_keep(p, 0), vector(&[0.0, -2.0]))[0], 0.0, "{p}");
    }
    assert_eq!(gradient(|x| Ok(x.norm(f64::INFINITY)), vector(&[2.0, -2.0, 1.0])), [0.5, -0.5, 0.0]);
}

#[test]
fn a_product_with_zeros_has_a_gradient_and_a_hessian() {
    let one_zero = || vector(&[2.0, 0.0, 4.0]);
    assert_eq!(gradient(|x| Ok(x.prod()), one_zero()), [0.0, 8.0, 0.0]);
    assert_eq!(gradient(|x| x.cumprod(0), one_zero()), [1.0, 2.0 * 2.0 + 3.0 * 8.0, 0.0]);
    let two_zeros = vector(&[2.0, 0.0, 4.0, 0.0]).variable();
    let [first] = grad(&two_zeros.prod(), [&two_zeros]).unwrap();
    assert_eq!(first.to_vec(), [0.0; 4]);
    let [second] = grad(&first.slice(0, 1..2).unwrap().sum(), [&two_zeros]).unwrap();
    assert_eq!(second.to_vec(), [0.0, 0.0, 0.0, 8.0]);
}

#[test]
fn ties_in_a_window_go_to_the_first() {
    let x = || Tensor::from_vec([1.0, 3.0, 3.0, 3.0], [1, 1, 2, 2]).unwrap();
    assert_eq!(gradient(|x| x.max_pool2d(PoolOptions::square(2)), x()), [0.0, 1.0, 0.0, 0.0]);
    // Padding never wins, not even against what is below it.
    let low = || Tensor::full(-5.0, [1, 1, 2, 2]);
    let padded = PoolOptions { kernel: [2, 2], stride: [2, 2], padding: [1, 1] };
    assert_eq!(low().max_pool2d(padded).unwrap().to_vec(), [-5.0; 4]);
    assert_eq!(gradient(|x| x.max_pool2d(padded), low()), [1.0, 2.0, 3.0, 4.0]);
    let row = || Tensor::from_vec([3.0, 3.0, 1.0, 5.0, 5.0], [1, 1, 5]).unwrap();
    assert_eq!(gradient(|x| x.max_pool1d(PoolOptions::new([2])), row()), [1.0, 0.0, 0.0, 2.0, 0.0]);
    assert_eq!(gradient(|x| x.adaptive_max_pool1d(2), row()), [1.0, 0.0, 0.0, 2.0, 0.0]);
    let square = || Tensor::from_vec([4.0, 4.0, 1.0, 4.0, 4.0, 4.0], [1, 1, 2, 3]).unwrap();
    assert_eq!(gradient(|x| x.adaptive_max_pool2d([1, 2]), square()), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn the_length_of_nothing_is_flat() {
    assert_eq!(gradient(|x| x.normalize(2.0, 0, 0.5), vector(&[0.0, 0.0])), [2.0, 4.0]);
    assert_eq!(gradient(|x| x.normalize(3.0, 0, 0.5), vector(&[0.0, -0.0])), [2.0, 4.0]);
    let other = vector(&[3.0, 4.0]);
    assert_eq!(gradient(|x| x.cosine_similarity(&other, 0, 0.2), vector(&[0.0, 0.0])), [3.0, 4.0]);
    assert_eq!(gradient(|x| x.pairwise_distance(&other, 2.0, 0.0), other.clone()), [0.0, 0.0]);
}

/// NaN at each place of lengths around those of vector registers comes out of `f`, and nothing else is touched.
fn survives<T: Float>(f: impl Fn(&Tensor<T>) -> Tensor<T>) {
    for n in [1, 2, 7, 8, 9, 15, 16, 17, 33, 64] {
        for place in 0..n {
            for filling in [-1.0, 0.0, 1.0, f64::INFINITY, f64::NEG_INFINITY] {
                let mut values = vec![T::from_f64(filling); n];
                values[place] = T::NAN;
                let y = f(&Tensor::from_vec(values, [n]).unwrap()).to_vec();
                if y.len() == n {
                    let found: Vec<usize> = (0..n).filter(|&i| y[i].is_nan()).collect();
                    assert_eq!(found, [place], "{n} elements of {filling}");
                } else {
                    assert!(y.iter().all(|y| y.is_nan()), "{place} of {n} elements of {filling}");
                }
            }
        }
    }
}

fn nan_survives<T: Float>() {
    survives(|x: &Tensor<T>| x.relu());
    survives(|x: &Tensor<T>| x.abs());
    survives(|x: &Tensor<T>| x.sign());
    survives(|x: &Tensor<T>| x.step());
    for other in [-2.0, 0.5, 2.0] {
        let other = Tensor::scalar(T::from_f64(other));
        survives(|x: &Tensor<T>| x.maximum(&other).unwrap());
        survives(|x: &Tensor<T>| other.maximum(x).unwrap());
        survives(|x: &Tensor<T>| x.minimum(&other).unwrap());
        survives(|x: &Tensor<T>| other.minimum(x).unwrap());
        let full = |x: &Tensor<T>| other.broadcast_to(x.shape()).unwrap().detach() + 0.0;
        survives(|x: &Tensor<T>| x.maximum(&full(x)).unwrap());
        survives(|x: &Tensor<T>| full(x).minimum(x).unwrap());
    }
    survives(|x: &Tensor<T>| x.max());
    survives(|x: &Tensor<T>| x.min());
    survives(|x: &Tensor<T>| x.max_axes(0).unwrap());
    // Along the first axis of a matrix, and of its transpose.
    survives(|x: &Tensor<T>| Tensor::stack(&[x, x], 0).unwrap().max_axes(0).unwrap());
    survives(|x: &Tensor<T>| Tensor::stack(&[x, x], 1).unwrap().min_axes(1).unwrap());
}

#[test]
fn nan_survives_in_both_types() {
    nan_survives::<f32>();
    nan_survives::<f64>();
}

fn nan_survives_pooling<T: Float>() {
    for side in [2, 4, 6, 10] {
        for place in 0..side * side {
            let mut values = vec![T::ONE; side * side];
            values[place] = T::NAN;
            let x = Tensor::from_vec(values, [1, 1, side, side]).unwrap();
            let window = place / side / 2 * (side / 2) + place % side / 2;
            for y in [x.max_pool2d(PoolOptions::square(2)), x.avg_pool2d(PoolOptions::square(2))] {
                let y = y.unwrap().to_vec();
                let found: Vec<usize> = (0..y.len()).filter(|&i| y[i].is_nan()).collect();
                assert_eq!(found, [window], "NaN at {place} of {side} by {side}");
            }
        }
    }
}

#[test]
fn nan_survives_pooling_in_both_types() {
    nan_survives_pooling::<f32>();
    nan_survives_pooling::<f64>();
}

#[test]
fn a_gradient_of_nan_reaches_what_it_belongs_to() {
    let x = || vector(&[1.0, f64::NAN, -1.0]);
    for f in [|x: &Tensor<f64>| Ok(x.relu()), |x: &Tensor<f64>| x.maximum(&Tensor::scalar(0.0))] {
        let found = gradient_bits(f, x());
        assert_eq!(found, [false, true, false]);
    }
}

/// Where the gradient is NaN.
fn gradient_bits(f: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>>, x: Tensor<f64>) -> Vec<bool> {
    let x = x.variable();
    f(&x).unwrap().sum().backward().unwrap();
    x.take_grad().unwrap().to_vec().iter().map(|x| x.is_nan()).collect()
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

type Reduction = fn(&Tensor<f64>) -> Result<Tensor<f64>>;

#[test]
fn reductions_of_nothing_are_what_they_should_be() {
    let nothing = || Tensor::<f64>::zeros([0, 3]);
    assert_eq!(nothing().sum().item(), 0.0);
    assert!(nothing().mean().item().is_nan());
    assert_eq!(nothing().max().item(), f64::NEG_INFINITY);
    assert_eq!(nothing().min().item(), f64::INFINITY);
    assert_eq!(nothing().max_axes(0).unwrap().to_vec(), [f64::NEG_INFINITY; 3]);
    assert_eq!(nothing().prod().item(), 1.0);
    assert_eq!(nothing().log_sum_exp().item(), f64::NEG_INFINITY);
    assert_eq!(nothing().norm(2.0).item(), 0.0);
    assert_eq!(nothing().log_sum_exp_keep(0).unwrap().to_vec(), [f64::NEG_INFINITY; 3]);
    let reductions: [Reduction; 9] = [
        |x| Ok(x.sum()),
        |x| Ok(x.mean()),
        |x| Ok(x.max()),
        |x| x.min_axes(0),
        |x| Ok(x.prod()),
        |x| x.var_keep(0, 1),
        |x| x.std_axes(0, 1),
        |x| x.norm_axes(2.0, 0),
        |x| x.log_sum_exp_keep(0),
    ];
    for reduction in reductions {
        assert!(gradient(reduction, nothing()).is_empty());
    }
}

#[test]
fn an_empty_batch_goes_through_images_and_classification() {
    let x = Tensor::<f64>::zeros([0, 2, 4, 4]).variable();
    let w = Tensor::<f64>::ones([3, 2, 3, 3]).variable();
    let bias = Tensor::<f64>::ones([3]).variable();
    let y = x.conv2d(&w, Some(&bias), ConvOptions::default()).unwrap();
    assert_eq!(y.shape(), [0, 3, 2, 2]);
    let pooled = y.max_pool2d(PoolOptions::square(2)).unwrap().avg_pool2d(PoolOptions::square(1)).unwrap();
    pooled.flatten(1).unwrap().softmax(1).unwrap().sum().backward().unwrap();
    assert_eq!(x.take_grad().unwrap().shape(), [0, 2, 4, 4]);
    assert_eq!(w.take_grad().unwrap().to_vec(), [0.0; 54]);
    assert_eq!(bias.take_grad().unwrap().to_vec(), [0.0; 3]);

    let larger =
        x.conv_transpose2d(&Tensor::ones([2, 1, 2, 2]), None, ConvTransposeOptions::default()).unwrap();
    let averages =
        larger.adaptive_avg_pool2d([2, 3]).unwrap().interpolate([4, 5], Interpolation::Nearest).unwrap();
    averages.adaptive_max_pool2d([3, 3]).unwrap().sum().backward().unwrap();
    assert_eq!(x.take_grad().unwrap().shape(), [0, 2, 4, 4]);
    let volume = Tensor::<f64>::zeros([0, 2, 3, 4, 4]).variable();
    let w = Tensor::ones([4, 1, 2, 2, 2]);
    let y = volume.conv3d(&w, None, ConvOptions { groups: 2, ..ConvOptions::default() }).unwrap();
    assert_eq!(y.shape(), [0, 4, 2, 3, 3]);
    y.sum().backward().unwrap();
    assert_eq!(volume.take_grad().unwrap().shape(), [0, 2, 3, 4, 4]);

    let logits = Tensor::<f64>::zeros([0, 3]).variable();
    let loss = logits.cross_entropy(&[]).unwrap();
    assert!(loss.item().is_nan());
    loss.backward().unwrap();
    assert_eq!(logits.take_grad().unwrap().shape(), [0, 3]);
}

#[test]
fn attention_without_keys_gives_zeros() {
    let query = Tensor::<f64>::ones([2, 3]).variable();
    let options = AttentionOptions::default();
    let y =
        query.scaled_dot_product_attention(&Tensor::ones([0, 3]), &Tensor::ones([0, 4]), &options).unwrap();
    assert_eq!((y.shape(), y.to_vec()), ([2, 4].into(), vec![0.0; 8]));
    y.sum().backward().unwrap();
    assert_eq!(query.take_grad().unwrap().to_vec(), [0.0; 6]);
}

#[test]
fn attention_to_nothing_hides_no_nan() {
    let (key, value) = (Tensor::ones([2, 1]), Tensor::ones([2, 1]));
    let query = Tensor::from_vec([f64::NAN, 1.0], [2, 1]).unwrap();
    let forbid = Tensor::from_vec([0.0, 0.0, f64::NEG_INFINITY, f64::NEG_INFINITY], [2, 2]).unwrap();
    let options = AttentionOptions { mask: Some(AttentionMask::Add(&forbid)), ..AttentionOptions::default() };
    let y = query.scaled_dot_product_attention(&key, &value, &options).unwrap().to_vec();
    assert!(y[0].is_nan() && y[1] == 0.0, "{y:?}");
}
