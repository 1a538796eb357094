//! Tensors made from a rule, held to PyTorch's.

use autodiff::{Rng, Tensor, array, tensor};

#[test]
fn arange_stops_before_the_end() {
    let arange = |start, end, step| Tensor::<f64>::arange(start, end, step).unwrap().to_vec();
    let tenths = [0.0, 0.1, 0.2, 0.300_000_000_000_000_04, 0.4, 0.5, 0.600_000_000_000_000_1];
    assert_eq!(arange(0.0, 0.7, 0.1)[..], tenths);
    assert_eq!(arange(1.0, 2.5, 0.5), [1.0, 1.5, 2.0]);
    assert_eq!(arange(5.0, 0.0, -1.5), [5.0, 3.5, 2.0, 0.5]);
    assert_eq!(arange(-0.3, 0.9, 0.4), [-0.3, 0.100_000_000_000_000_03, 0.5]);
    assert_eq!(arange(2.0, 2.0, 1.0), [0.0; 0]);
}

#[test]
fn arange_refuses_steps_that_lead_nowhere() {
    for (start, end, step) in
        [(0.0, 1.0, 0.0), (0.0, 1.0, -1.0), (0.0, f64::NAN, 1.0), (0.0, f64::INFINITY, 1.0)]
    {
        let error = Tensor::<f32>::arange(start, end, step).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("arange: no steps of {step} lead from {start} to {end}")),
            "{error}"
        );
    }
    let error = Tensor::<f32>::arange(0.0, 1e300, 1.0).unwrap_err().to_string();
    assert!(error.starts_with("arange: sizes ["), "{error}");
}

#[test]
fn linspace_meets_both_ends() {
    let linspace = |start, end, steps| Tensor::<f64>::linspace(start, end, steps).to_vec();
    let third = 0.333_333_333_333_333_37;
    assert_eq!(linspace(-1.0, 1.0, 4), [-1.0, -third, third, 1.0]);
    let down = [
        3.0,
        2.166_666_666_666_666_5,
        1.333_333_333_333_333_3,
        0.500_000_000_000_000_1,
        -0.333_333_333_333_333_26,
        -1.166_666_666_666_666_5,
        -2.0,
    ];
    let close = |(x, y): (&f64, &f64)| (x - y).abs() <= f64::EPSILON; // PyTorch's multiply-add rounds once
    let found = linspace(3.0, -2.0, 7);
    assert!(found.len() == down.len() && found.iter().zip(&down).all(close), "{found:?}");
    assert_eq!((linspace(0.1, 0.9, 1), linspace(0.1, 0.9, 2)), (vec![0.1], vec![0.1, 0.9]));
    assert_eq!(linspace(2.0, 5.0, 0), [0.0; 0]);
    assert_eq!(Tensor::<f32>::linspace(0.0, 0.3, 4).to_vec(), [0.0f32, 0.1, 0.2, 0.3]);
}

#[test]
fn the_identity_changes_no_matrix() {
    let x: Tensor<f64> = Rng::seed(1).normal([3, 4], 0.0, 1.0);
    assert_eq!(Tensor::eye(3).matmul(&x).unwrap().array(), x.array());
    assert_eq!(*Tensor::<f32>::eye(3).array(), array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(Tensor::<f32>::eye(0).shape(), [0, 0]);
}

#[test]
fn what_is_like_a_variable_is_a_constant() {
    let x = tensor![[1.0, 2.0], [3.0, 4.0]].variable().exp();
    for (like, value) in [(x.zeros_like(), 0.0), (x.ones_like(), 1.0), (x.full_like(-2.5), -2.5)] {
        assert_eq!(*like.array(), array![[value; 2]; 2]);
        assert!(!like.is_tracked());
    }
}
