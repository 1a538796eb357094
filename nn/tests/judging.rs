//! Losses and metrics.
#![allow(missing_docs)]

use autodiff::{ErrorKind, Result, Tensor, grad};
use nn::{loss, metrics};

#[test]
fn mean_squared_error_and_its_gradient() -> Result<()> {
    let y = Tensor::from_vec([1.0, 2.0, 3.0, 4.0], [2, 2])?.variable();
    let t = Tensor::from_vec([1.0, 0.0, 0.0, 4.0], [2, 2])?.variable();
    let error = loss::mean_squared_error(&y, &t)?;
    assert_eq!(error.item(), (4.0 + 9.0) / 4.0);
    let [dy, dt] = grad(&error, [&y, &t])?;
    assert_eq!(dy.to_vec(), [0.0, 1.0, 1.5, 0.0]);
    assert_eq!(dt.to_vec(), [0.0, -1.0, -1.5, 0.0]);
    Ok(())
}

#[test]
fn a_target_is_not_broadcast() {
    let (y, t) = (Tensor::<f32>::ones([4, 1]), Tensor::ones([4]));
    let (error, line) = (loss::mean_squared_error(&y, &t).unwrap_err(), line!());
    let text = "mean_squared_error: prediction and target must have one shape: [4, 1] against [4]";
    assert!(error.to_string().starts_with(text), "{error}");
    assert_eq!(error.site().line(), line);
}

#[test]
fn cross_entropies_agree() -> Result<()> {
    let logits = Tensor::from_vec([1.0, 2.0, 0.5, -1.0, 0.0, 3.0], [2, 3])?.variable();
    let hard = loss::cross_entropy(&logits, &[1, 0])?;
    let soft = loss::soft_cross_entropy(&logits, &Tensor::one_hot(&[1, 0], 3)?)?;
    let p = logits.softmax(-1)?.to_vec();
    let by_hand = -(f64::ln(p[1]) + f64::ln(p[3])) / 2.0;
    assert!((hard.item() - by_hand).abs() < 1e-12 && (soft.item() - by_hand).abs() < 1e-12);
    let ([a], [b]) = (grad(&hard, [&logits])?, grad(&soft, [&logits])?);
    assert!(a.to_vec().iter().zip(b.to_vec()).all(|(a, b)| (a - b).abs() < 1e-12));

    let (error, line) = (loss::cross_entropy(&logits, &[1, 3]).unwrap_err(), line!());
    assert!(matches!(error.kind(), ErrorKind::Label { label: 3, position: 1, classes: 3 }));
    assert_eq!(error.site().line(), line);
    Ok(())
}

#[test]
fn accuracy_counts_first_largest() -> Result<()> {
    let logits = Tensor::from_vec([0.0f32, 1.0, 1.0, 5.0, 5.0, 0.0, -1.0, -2.0, -3.0], [3, 3])?;
    assert_eq!(metrics::correct(&logits, &[1, 0, 0])?, 3);
    assert_eq!(metrics::correct(&logits, &[2, 1, 0])?, 1);
    assert_eq!(metrics::accuracy(&logits, &[1, 0, 2])?, 2.0 / 3.0);
    assert_eq!(metrics::accuracy(&logits.reshape([1, 3, 3])?, &[1, 0, 0])?, 1.0);
    assert!(metrics::accuracy(&Tensor::<f32>::zeros([0, 3]), &[])?.is_nan());
    Ok(())
}

#[test]
fn accuracy_says_what_does_not_fit() {
    let logits = Tensor::<f32>::zeros([2, 3]);
    let text = |labels: &[usize]| metrics::accuracy(&logits, labels).unwrap_err().to_string();
    assert!(text(&[0]).starts_with("accuracy: 1 labels for the 2 rows of [2, 3]"));
    assert!(text(&[0, 3]).starts_with("accuracy: label 3 at position 1 is out of range for 3 classes"));
    let (error, line) = (metrics::correct(&Tensor::scalar(1.0f32), &[0]).unwrap_err(), line!());
    assert!(error.to_string().starts_with("correct: the logits are a single number"));
    assert_eq!(error.site().line(), line);
}
