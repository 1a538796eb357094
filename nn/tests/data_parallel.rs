//! A batch in slices: the gradient of the whole batch, the same bits for any number of threads, and what layers keep.
#![allow(missing_docs)]

use autodiff::{ErrorKind, Module, Result, Rng, Tensor, with_threads};
use nn::{
    Affine, BatchNorm, Conv2d, Dropout, Flatten, GlobalAvgPool, Layer, LayerNorm, Relu, Sequential,
    StateDict, data_parallel, evaluating,
};

const ROWS: usize = 13;

/// A batch of small images with their labels.
fn batch() -> (Tensor<f64>, Vec<usize>) {
    (Rng::seed(1).normal([ROWS, 2, 6, 6], 0.0, 1.0), (0..ROWS).map(|i| i * 7 % 3).collect())
}

/// A network without anything that looks at several rows.
fn by_rows() -> Sequential<f64> {
    let mut rng = Rng::seed(2);
    Sequential::new()
        .push(Conv2d::new(2, 4, 3, &mut rng))
        .push(Relu)
        .push(Flatten)
        .push(LayerNorm::new([64]))
        .push(Affine::new(64, 3, &mut rng))
}

/// A network that normalises over the batch, and draws masks.
fn with_state() -> Sequential<f64> {
    let mut rng = Rng::seed(3);
    Sequential::new()
        .push(Conv2d::new(2, 4, 3, &mut rng))
        .push(BatchNorm::new(4))
        .push(Relu)
        .push(GlobalAvgPool)
        .push(Dropout::new(0.5, &mut rng))
        .push(Affine::new(4, 3, &mut rng))
}

/// The loss of the batch in `parts` slices; gradients stay with the model.
fn step(model: &Sequential<f64>, parts: usize) -> Result<f64> {
    let (images, labels) = batch();
    data_parallel(ROWS, parts, |rows| {
        model.forward(&images.slice(0, rows.clone())?)?.cross_entropy(&labels[rows])
    })
}

fn gradients(model: &Sequential<f64>) -> Vec<Vec<f64>> {
    let mut gradients = Vec::new();
    model.parameters(&mut |_, parameter| gradients.push(parameter.take_grad().unwrap().to_vec()));
    gradients
}

#[test]
fn the_gradient_is_that_of_the_whole_batch() -> Result<()> {
    let (images, labels) = batch();
    let model = by_rows();
    let whole = model.forward(&images)?.cross_entropy(&labels)?;
    whole.backward()?;
    let expected = gradients(&model);
    // Slices of unequal size, as many as rows, and more.
    for parts in [1, 2, 3, 5, ROWS, 40] {
        let loss = step(&model, parts)?;
        assert!((loss - whole.item()).abs() < 1e-12, "{parts} parts: {loss} for {}", whole.item());
        for (found, expected) in gradients(&model).iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-12, "{parts} parts: {found} for {expected}");
        }
    }
    Ok(())
}

#[test]
fn gradients_are_added_to_those_that_are_there() -> Result<()> {
    let model = by_rows();
    step(&model, 3)?;
    let once = gradients(&model);
    step(&model, 3)?;
    step(&model, 3)?;
    let twice = gradients(&model);
    assert!(once.iter().flatten().any(|&g| g != 0.0));
    for (once, twice) in once.iter().flatten().zip(twice.iter().flatten()) {
        assert!((2.0 * once - twice).abs() < 1e-12, "{twice} for twice {once}");
    }
    Ok(())
}

#[test]
fn bits_depend_on_the_parts_and_not_on_the_threads() -> Result<()> {
    type Run = (Vec<f64>, Vec<Vec<f64>>, StateDict<f64>);
    let run = |threads, parts| -> Result<Run> {
        with_threads(threads, || {
            let model = with_state();
            let losses: Vec<f64> = (0..3).map(|_| step(&model, parts)).collect::<Result<_>>()?;
            Ok((losses, gradients(&model), StateDict::of(&model)))
        })
    };
    for parts in [1, 3, 4] {
        let expected = run(1, parts)?;
        for threads in [2, 3, 8] {
            assert!(run(threads, parts)? == expected, "{parts} parts on {threads} threads");
        }
    }
    assert!(run(1, 3)?.0 != run(1, 4)?.0);
    Ok(())
}

#[test]
fn statistics_and_counts_are_those_of_the_first_slice() -> Result<()> {
    let (images, _) = batch();
    let (sliced, alone) = (with_state(), with_state());
    for _ in 0..2 {
        step(&sliced, 4)?;
        alone.forward(&images.slice(0, 0..ROWS / 4)?)?;
    }
    assert_eq!(StateDict::of(&sliced), StateDict::of(&alone));
    Ok(())
}

#[test]
fn slices_have_masks_of_their_own() -> Result<()> {
    let dropout = Dropout::new(0.5, &mut Rng::seed(4));
    let x = Tensor::<f64>::ones([200]).variable();
    let masks = || -> Result<Vec<Vec<f64>>> {
        data_parallel(2, 2, |_| Ok(dropout.forward(&x)?.sum()))?;
        let both = x.take_grad().unwrap();
        // The mask of the first slice is the one that a whole pass would have drawn.
        dropout.seek(dropout.calls() - 1);
        let first = dropout.forward(&Tensor::ones([200]))?;
        Ok(vec![first.to_vec(), (both * 2.0 - first).to_vec()])
    };
    let mut all = masks()?;
    assert_eq!(dropout.calls(), 1);
    all.extend(masks()?);
    assert_eq!(dropout.calls(), 2);
    for (i, mask) in all.iter().enumerate() {
        assert!(mask.iter().all(|&m| m == 0.0 || m == 2.0));
        assert!(all[..i].iter().all(|other| other != mask), "mask {i} has come before");
    }
    Ok(())
}

#[test]
fn evaluation_reaches_the_slices() -> Result<()> {
    let model = with_state();
    let before = StateDict::of(&model);
    let frozen = evaluating(|| step(&model, 3))?;
    let expected = gradients(&model);
    assert_eq!(StateDict::of(&model), before);
    let (images, labels) = batch();
    let whole = evaluating(|| model.forward(&images)?.cross_entropy(&labels))?;
    whole.backward()?;
    assert!((frozen - whole.item()).abs() < 1e-12);
    for (found, expected) in gradients(&model).iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-12);
    }
    Ok(())
}

#[test]
fn the_first_error_is_reported_and_no_gradient_changes() {
    let x = Tensor::<f64>::ones([4]).variable();
    let error = data_parallel(4, 4, |rows| match rows.start {
        0 => Ok(x.sum()),
        1 => Err(ErrorKind::Message("the second slice".into()).into()),
        _ => Ok(x.clone()),
    });
    assert!(error.unwrap_err().to_string().contains("the second slice"));
    assert!(x.grad().is_none());
}

#[test]
#[should_panic(expected = "0 rows in 2 parts")]
fn an_empty_batch_is_refused() {
    let _ = data_parallel(0, 2, |_| Ok(Tensor::<f32>::scalar(0.0).variable()));
}
