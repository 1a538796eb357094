//! Dropout: how much, how large, when, and always the same.
#![allow(missing_docs)]

use autodiff::{Result, Rng, Tensor, with_threads};
use nn::{Affine, Dropout, Layer, evaluate, evaluating};

fn mask(dropout: &Dropout) -> Vec<f64> {
    dropout.forward(&Tensor::ones([1000])).unwrap().to_vec()
}

#[test]
fn the_share_and_the_scale_are_right() -> Result<()> {
    let mut rng = Rng::seed(1);
    for p in [0.1, 0.5, 0.9] {
        let y = Dropout::new(p, &mut rng).forward(&Tensor::<f64>::ones([50_000]))?.to_vec();
        let zeros = y.iter().filter(|&&y| y == 0.0).count() as f64 / 50_000.0;
        // Five deviations.
        assert!((zeros - p).abs() < 5.0 * (p * (1.0 - p) / 50_000.0).sqrt(), "{zeros} {p}");
        assert!(y.iter().all(|&y| y == 0.0 || y == 1.0 / (1.0 - p)));
    }
    assert_eq!(mask(&Dropout::new(0.0, &mut rng)), [1.0; 1000]);
    assert_eq!(mask(&Dropout::new(1.0, &mut rng)), [0.0; 1000]);
    Ok(())
}

#[test]
fn evaluation_is_the_identity() -> Result<()> {
    let dropout = Dropout::new(0.5, &mut Rng::seed(2));
    let x = Tensor::<f32>::ones([10]).variable();
    assert_eq!(evaluate(|| dropout.forward(&x))?.to_vec(), x.to_vec());
    evaluating(|| dropout.forward(&x))?.sum().backward()?;
    assert_eq!(x.grad().unwrap().to_vec(), [1.0; 10]);
    assert_eq!(dropout.calls(), 0);
    Ok(())
}

#[test]
fn the_gradient_is_the_mask() -> Result<()> {
    let dropout = Dropout::new(0.3, &mut Rng::seed(3));
    let x = Rng::seed(4).uniform::<f64>([20, 5], 1.0, 2.0).variable();
    let y = dropout.forward(&x)?;
    y.sum().backward()?;
    let ratio: Vec<f64> = y.to_vec().iter().zip(x.to_vec()).map(|(y, x)| y / x).collect();
    let mask = x.grad().unwrap().to_vec();
    assert!(ratio.iter().zip(&mask).all(|(a, b)| (a - b).abs() < 1e-12));
    Ok(())
}

#[test]
fn masks_depend_on_seed_and_call_alone() {
    let dropout = Dropout::new(0.5, &mut Rng::seed(5));
    let (first, second) = (mask(&dropout), mask(&dropout));
    assert_ne!(first, second);

    // Other layers draw in between, on another number of threads, and in another precision.
    let mut rng = Rng::seed(5);
    let same = Dropout::new(0.5, &mut rng);
    let _ = Affine::<f32>::new(10, 10, &mut rng);
    let other = Dropout::new(0.5, &mut rng);
    assert_eq!(with_threads(1, || mask(&same)), first);
    assert_ne!(mask(&other), first);
    let single: Vec<f32> = same.forward(&Tensor::ones([1000])).unwrap().to_vec();
    assert!(single.iter().zip(&second).all(|(&a, &b)| f64::from(a) == b));

    // A clone goes on from where the original is; seeking goes to any call.
    let clone = same.clone();
    let third = mask(&same);
    assert_eq!(mask(&clone), third);
    same.seek(1);
    assert_eq!((mask(&same), same.calls()), (second, 2));
}

#[test]
#[should_panic(expected = "a dropout probability of 1.5: it must be from 0 to 1")]
fn a_probability_is_one() {
    let _ = Dropout::new(1.5, &mut Rng::seed(1));
}
