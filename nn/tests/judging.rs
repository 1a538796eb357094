//! Losses and metrics.
#![allow(missing_docs)]

use autodiff::{ErrorKind, Result, Rng, Tensor, grad};
use nn::metrics::{Confusion, Mean, Scores};
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

#[test]
fn among_the_k_largest() -> Result<()> {
    let nan = f64::NAN;
    let logits = Tensor::from_vec([0.1, 0.4, 0.3, 0.2, 1.0, 1.0, 1.0, 0.0, 2.0, nan, nan, 3.0], [3, 4])?;
    let ranks = [[3, 0, 1, 2], [0, 1, 2, 3], [3, 0, 1, 2]];
    for label in 0..4 {
        for k in 1..6 {
            let expected = ranks.iter().filter(|ranks| ranks[label] < k).count() as f64 / 3.0;
            assert_eq!(metrics::top_k_accuracy(&logits, &[label; 3], k)?, expected, "{label} {k}");
        }
        assert_eq!(
            metrics::top_k_accuracy(&logits, &[label; 3], 1)?,
            metrics::accuracy(&logits, &[label; 3])?
        );
    }
    assert!(metrics::top_k_accuracy(&Tensor::<f32>::zeros([0, 3]), &[], 2)?.is_nan());
    assert!(metrics::top_k_accuracy(&Tensor::<f32>::zeros([0, 0]), &[], 2)?.is_nan());

    let text = |labels: &[usize], k| metrics::top_k_accuracy(&logits, labels, k).unwrap_err().to_string();
    assert!(text(&[0; 3], 0).starts_with("top_k_accuracy: no label is among the 0 largest"));
    assert!(text(&[0; 2], 1).starts_with("top_k_accuracy: 2 labels for the 3 rows of [3, 4]"));
    assert!(text(&[0, 4, 0], 1).starts_with("top_k_accuracy: label 4 at position 1"));
    Ok(())
}

fn close(scores: Scores, expected: [f64; 3], support: u64) {
    let found = [scores.precision, scores.recall, scores.f1];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}, not {expected:?}");
    assert_eq!(scores.support, support);
}

/// The example of scikit-learn's guide to `precision_recall_fscore_support` and two classes that lack something.
#[test]
fn scores_by_hand() -> Result<()> {
    let mut confusion = Confusion::new(3);
    confusion.add_predictions(&[0, 2, 1, 0, 0, 1], &[0, 1, 2, 0, 1, 2])?;
    assert_eq!([0, 1, 2].map(|label| confusion.row(label).to_vec()), [[2, 0, 0], [1, 0, 1], [0, 2, 0]]);
    close(confusion.class(0), [2.0 / 3.0, 1.0, 0.8], 2);
    close(confusion.class(1), [0.0, 0.0, 0.0], 2);
    close(confusion.macro_average(), [2.0 / 9.0, 1.0 / 3.0, 4.0 / 15.0], 6);
    close(confusion.micro_average(), [1.0 / 3.0; 3], 6);
    close(confusion.weighted_average(), [2.0 / 9.0, 1.0 / 3.0, 4.0 / 15.0], 6);
    assert_eq!((confusion.correct(), confusion.total(), confusion.accuracy()), (2, 6, 1.0 / 3.0));

    // Class 1 has no samples, class 2 is never taken.
    let mut confusion = Confusion::new(3);
    confusion.add_predictions(&[0, 0, 1, 0], &[0, 0, 0, 2])?;
    close(confusion.class(0), [2.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0], 3);
    close(confusion.class(1), [0.0; 3], 0);
    close(confusion.class(2), [0.0; 3], 1);
    close(confusion.macro_average(), [2.0 / 9.0; 3], 4);
    close(confusion.micro_average(), [0.5; 3], 4);
    close(confusion.weighted_average(), [0.5; 3], 4);
    Ok(())
}

#[test]
fn a_confusion_matrix_adds_up() -> Result<()> {
    const CLASSES: usize = 5;
    let mut rng = Rng::seed(3);
    let (mut batches, mut once) = (Confusion::new(CLASSES), Confusion::new(CLASSES));
    let (mut of_label, mut of_predicted, mut right) = ([0; CLASSES], [0; CLASSES], 0);
    for size in [1, 7, 0, 400] {
        let logits: Tensor = rng.normal([size, CLASSES], 0.0, 1.0);
        let labels: Vec<usize> = (0..size).map(|_| rng.below(CLASSES)).collect();
        let predicted = logits.arg_max(-1)?.to_vec();
        batches.add(&logits, &labels)?;
        once.add_predictions(&predicted, &labels)?;
        for (&label, &predicted) in labels.iter().zip(&predicted) {
            of_label[label] += 1;
            of_predicted[predicted] += 1;
        }
        right += metrics::correct(&logits, &labels)?;
    }
    assert_eq!(batches, once);
    for class in 0..CLASSES {
        assert_eq!(batches.row(class).iter().sum::<u64>(), of_label[class]);
        assert_eq!((0..CLASSES).map(|label| batches.row(label)[class]).sum::<u64>(), of_predicted[class]);
        let Scores { precision, recall, f1, .. } = batches.class(class);
        assert!((f1 - 2.0 * precision * recall / (precision + recall)).abs() < 1e-12, "class {class}");
    }
    assert_eq!((batches.correct(), batches.total()), (right as u64, 408));
    assert!((batches.weighted_average().recall - batches.accuracy()).abs() < 1e-12);
    Ok(())
}

#[test]
fn a_confusion_matrix_of_nothing_and_of_what_does_not_fit() {
    let mut confusion = Confusion::new(2);
    assert!(confusion.accuracy().is_nan());
    for scores in [
        confusion.class(0),
        confusion.macro_average(),
        confusion.micro_average(),
        confusion.weighted_average(),
    ] {
        close(scores, [0.0; 3], 0);
    }
    let row = |a: f32, b: f32| Tensor::from_vec([a, b], [1, 2]).unwrap();
    confusion.add(&row(1.0, f32::NAN), &[0]).unwrap();
    assert_eq!(confusion.row(0), [0, 1]);
    let before = confusion.clone();

    let (error, line) = (confusion.add(&Tensor::<f32>::zeros([1, 3]), &[0]).unwrap_err(), line!());
    assert!(error.to_string().starts_with("confusion: logits of 3 classes for a matrix of 2"));
    assert_eq!(error.site().line(), line);
    let mut text = |predicted: &[usize], labels: &[usize]| {
        confusion.add_predictions(predicted, labels).unwrap_err().to_string()
    };
    assert!(text(&[0], &[]).starts_with("confusion: 0 labels for 1 predictions"));
    assert!(text(&[0, 2], &[0, 0]).starts_with("confusion: label 2 at position 1 is out of range"));
    assert!(text(&[0, 0], &[0, 5]).starts_with("confusion: label 5 at position 1 is out of range"));
    assert_eq!(confusion, before);
}

#[test]
fn means_are_weighted_and_stable() {
    let mean = |values: &[(f64, f64)]| {
        let mut mean = Mean::new();
        for &(value, weight) in values {
            mean.add(value, weight);
        }
        mean.value()
    };
    assert!(mean(&[]).is_nan() && mean(&[(1.0, 0.0)]).is_nan());
    assert_eq!(mean(&[(1.0, 1.0), (4.0, 3.0), (f64::NAN, 0.0)]), 3.25);
    assert_eq!(mean(&[(0.1, 3.0); 1000]), 0.1, "the mean of equal numbers is that number");
    // A sum of these would have lost the last three bits of each number.
    let far = mean(&[(1e15 + 0.125, 1.0), (1e15 + 0.375, 1.0)].repeat(50_000));
    assert!((far - (1e15 + 0.25)).abs() <= 0.125, "{far}");

    let (inf, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(mean(&[(1.0, 1.0), (inf, 1.0), (inf, 1.0), (2.0, 1.0)]), inf);
    assert!(mean(&[(inf, 1.0), (-inf, 1.0), (2.0, 1.0)]).is_nan());
    assert!(mean(&[(nan, 1.0), (2.0, 1.0)]).is_nan());

    // In parts it is the same, to rounding; taken up from its parts, to the bit.
    let mut rng = Rng::seed(5);
    let values: Tensor<f64> = rng.normal([100], 3.0, 2.0);
    let (mut all, mut parts) = (Mean::new(), [Mean::new(); 2]);
    for (i, &value) in values.to_vec().iter().enumerate() {
        all.add(value, i as f64);
        parts[i % 2].add(value, i as f64);
    }
    let mut merged = Mean::new();
    merged.merge(&parts[0]);
    assert_eq!(merged, parts[0]);
    merged.merge(&parts[1]);
    assert!((merged.value() - all.value()).abs() < 1e-12 && merged.weight() == all.weight());
}

#[test]
#[should_panic(expected = "a weight of -1 must be finite and not negative")]
fn a_weight_is_not_negative() {
    Mean::new().add(1.0, -1.0);
}
