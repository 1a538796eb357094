//! Batch normalisation against its formula, its recurrence, and numerical differences.
#![allow(missing_docs)]

use autodiff::{Result, Rng, Running, Tensor, check, grad};
use nn::{BatchNorm, Layer, Module, evaluate, evaluating};

/// The numbers of running statistics that there are.
fn running(place: Option<&Running<f64>>) -> Tensor<f64> {
    place.unwrap().get()
}

const SHAPES: [&[usize]; 3] = [&[6, 3], &[2, 3, 4, 5], &[1, 3, 4]];

fn close(a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) -> bool {
    a.shape() == b.shape() && (a - b).abs().to_vec().iter().all(|&distance| distance <= tolerance)
}

/// All axes but the channels'.
fn batch_axes(x: &Tensor<f64>) -> Vec<isize> {
    (0..x.rank() as isize).filter(|&axis| axis != 1).collect()
}

#[test]
fn the_output_has_mean_0_and_variance_1() -> Result<()> {
    let mut rng = Rng::seed(1);
    for shape in SHAPES {
        let x = rng.normal::<f64>(shape, 5.0, 3.0);
        let y = BatchNorm::new(3).epsilon(0.0).forward(&x)?;
        let axes = batch_axes(&x);
        assert!(close(&y.mean_axes(axes.as_slice())?, &Tensor::zeros([3]), 1e-12));
        assert!(close(&y.square().mean_axes(axes.as_slice())?, &Tensor::ones([3]), 1e-12));
    }
    Ok(())
}

#[test]
fn weight_and_bias_scale_and_shift_each_channel() -> Result<()> {
    let x = Rng::seed(2).normal::<f64>([5, 2, 3], 1.0, 2.0);
    let mut norm = BatchNorm::new(2);
    let plain = norm.forward(&x)?;
    let (weight, bias) = (Tensor::from_vec([2.0, -3.0], [2])?, Tensor::from_vec([10.0, 20.0], [2])?);
    norm.weight.as_mut().unwrap().set(&weight);
    norm.bias.as_mut().unwrap().set(&bias);
    let expected = plain * weight.reshape([2, 1])? + bias.reshape([2, 1])?;
    assert!(close(&norm.forward(&x)?, &expected, 1e-12));
    Ok(())
}

#[test]
fn running_statistics_follow_the_recurrence_and_evaluation_uses_them() -> Result<()> {
    let mut rng = Rng::seed(3);
    for shape in SHAPES {
        let norm = BatchNorm::new(3).momentum(0.3);
        let (mut mean, mut variance) = (Tensor::<f64>::zeros([3]), Tensor::ones([3]));
        for _ in 0..3 {
            let x = rng.normal::<f64>(shape, 2.0, 3.0);
            norm.forward(&x)?;
            let axes = batch_axes(&x);
            let m = x.size() as f64 / 3.0;
            mean = mean * 0.7 + x.mean_axes(axes.as_slice())? * 0.3;
            variance = variance * 0.7 + x.var_keep(axes.as_slice(), 0)?.reshape([3])? * (0.3 * m / (m - 1.0));
        }
        assert!(close(&running(norm.running_mean.as_ref()), &mean, 1e-12));
        assert!(close(&running(norm.running_var.as_ref()), &variance, 1e-12));

        let x = rng.normal::<f64>(shape, 0.0, 1.0);
        let mut along = vec![1; x.rank()];
        along[1] = 3;
        let expected = (&x - mean.reshape(&along)?) / (variance.reshape(&along)? + 1e-5).sqrt();
        assert!(close(&evaluate(|| norm.forward(&x))?, &expected, 1e-12));
        assert!(close(&running(norm.running_mean.as_ref()), &mean, 1e-12), "evaluation moves nothing");
    }
    Ok(())
}

/// A loss that weighs every output differently.
fn loss(norm: &BatchNorm<f64>, x: &Tensor<f64>, seed: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok((norm.forward(x)?.tanh() * seed).sum())
}

/// A layer with a weight and a bias of its own.
fn norm_of(weight: &Tensor<f64>, bias: &Tensor<f64>) -> BatchNorm<f64> {
    let mut norm = BatchNorm::new(weight.size());
    norm.weight.as_mut().unwrap().set(weight);
    norm.bias.as_mut().unwrap().set(bias);
    norm
}

#[test]
fn first_and_second_derivatives_by_the_input_pass_the_checks() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = Rng::seed(4);
    for shape in SHAPES {
        let norm = norm_of(&rng.normal([3], 1.0, 0.5), &rng.normal([3], 0.0, 0.5));
        norm.forward(&rng.normal([10, 3], 1.0, 2.0))?;
        let x = rng.normal(shape, 1.0, 2.0);
        check::grads(|x| norm.forward(&x[0]), std::slice::from_ref(&x))?;
        check::grads(|x| evaluating(|| norm.forward(&x[0])), std::slice::from_ref(&x))?;
        let seed = rng.normal(shape, 0.0, 1.0);
        if x.size() < 20 {
            check::second_order(|x| loss(&norm, &x[0], &seed), &[x])?;
        }
    }
    Ok(())
}

#[test]
fn gradients_of_weight_and_bias_are_the_numerical_ones() -> Result<()> {
    let mut rng = Rng::seed(5);
    for shape in SHAPES {
        let (x, seed) = (rng.normal(shape, 1.0, 2.0), rng.normal(shape, 0.0, 1.0));
        let norm = norm_of(&rng.normal([3], 1.0, 0.5), &rng.normal([3], 0.0, 0.5));
        loss(&norm, &x, &seed)?.backward()?;
        let (weight, bias) = (norm.weight.as_ref().unwrap(), norm.bias.as_ref().unwrap());
        let at = |weight: &Tensor<f64>, bias: &Tensor<f64>| loss(&norm_of(weight, bias), &x, &seed).unwrap();
        let by_weight = check::numerical_gradient(|w| at(w, bias), weight);
        let by_bias = check::numerical_gradient(|b| at(weight, b), bias);
        assert!(close(&weight.grad().unwrap(), &by_weight, 1e-6));
        assert!(close(&bias.grad().unwrap(), &by_bias, 1e-6));
    }
    Ok(())
}

#[test]
fn batches_of_one_and_of_none() -> Result<()> {
    let norm = BatchNorm::<f64>::new(2);
    let error = norm.forward(&Tensor::ones([1, 2])).unwrap_err().to_string();
    assert!(
        error.starts_with("batch_norm: [1, 2] has one element a channel, which has no variance"),
        "{error}"
    );
    assert!(error.contains("or use `nn::evaluate` for the running statistics"), "{error}");
    assert!(close(&evaluate(|| norm.forward(&Tensor::ones([1, 2])))?, &Tensor::ones([1, 2]), 1e-5));
    // Without running statistics, evaluation helps nobody.
    let without = BatchNorm::<f64>::new(2).without_running();
    let error = evaluate(|| without.forward(&Tensor::ones([1, 2]))).unwrap_err().to_string();
    assert!(error.contains("take larger batches") && !error.contains("running"), "{error}");

    let empty = Tensor::zeros([0, 2, 3]).variable();
    let y = norm.forward(&empty)?;
    assert_eq!(y.shape(), [0, 2, 3]);
    y.sum().backward()?;
    assert_eq!(norm.weight.as_ref().unwrap().grad().unwrap().to_vec(), [0.0, 0.0]);
    assert_eq!(running(norm.running_var.as_ref()).to_vec(), [1.0, 1.0]);

    // A channel that is constant is normalised to zeros, with a finite gradient.
    let x = Tensor::ones([3, 2]).variable();
    let [dx] = grad(&loss(&norm, &x, &Rng::seed(6).normal([3, 2], 0.0, 1.0))?, [&x])?;
    assert!(dx.to_vec().iter().all(|d| d.is_finite()));
    Ok(())
}

#[test]
fn misuse_is_said() {
    let norm = BatchNorm::<f32>::new(3);
    assert_eq!(norm.parameter_count(), 6);
    for shape in [vec![3], vec![2, 4], vec![]] {
        let x = Tensor::ones(shape);
        let (error, line) = (norm.forward(&x).unwrap_err(), line!());
        let text = format!("the layer takes [n, 3, ..], and the input is {}", x.shape());
        assert!(error.to_string().starts_with(&format!("batch_norm: {text}")), "{error}");
        assert_eq!(error.site().line(), line);
    }
    assert!(std::panic::catch_unwind(|| BatchNorm::<f32>::new(1).momentum(1.5)).is_err());
    assert!(std::panic::catch_unwind(|| BatchNorm::<f32>::new(1).epsilon(f64::NAN)).is_err());
}
