//! From and to the arrays of the crate `ndarray`.

use autodiff::{Array, MAX_RANK, Rng, Tensor, array, tensor};
use ndarray::{Array2, ArrayD, Axis, Ix2, IxDyn, ShapeBuilder, aview0, s};

/// `0, 1, 2, ..`, three rows of four.
fn theirs() -> Array2<f64> {
    Array2::from_shape_fn((3, 4), |(i, j)| (4 * i + j) as f64)
}

#[test]
fn every_layout_comes_in_as_its_elements_stand() {
    let ours = Array::try_from(theirs()).unwrap();
    assert_eq!(ours, array![[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]);
    let columns = Array2::from_shape_fn((3, 4).f(), |(i, j)| (4 * i + j) as f64);
    assert_eq!(Array::try_from(&columns).unwrap(), ours);
    assert_eq!(Array::try_from(theirs().t()).unwrap(), ours.permute(&[1, 0]).unwrap());
    let view = Tensor::try_from(theirs().slice(s![1.., ..;-2])).unwrap();
    assert_eq!(*view.array(), array![[7.0, 5.0], [11.0, 9.0]]);
    let row = theirs().index_axis_move(Axis(0), 1);
    let broadcast = Tensor::try_from(row.broadcast((2, 4)).unwrap()).unwrap();
    assert_eq!(*broadcast.array(), array![[4.0, 5.0, 6.0, 7.0]; 2]);
    assert_eq!(Tensor::try_from(aview0(&2.5f32)).unwrap().shape(), [0; 0]);
    assert_eq!(Tensor::try_from(Array2::<f32>::zeros((0, 3))).unwrap().shape(), [0, 3]);
    let index: Array<usize> = Array::try_from(ndarray::array![2, 0]).unwrap();
    assert_eq!(index.to_vec(), [2, 0]);
}

#[test]
fn the_standard_layout_goes_out() {
    let ours = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let flipped = ours.t().unwrap();
    let theirs = ArrayD::from(&flipped);
    assert!(theirs.is_standard_layout());
    let fixed = theirs.into_dimensionality::<Ix2>().unwrap();
    assert_eq!(fixed, ndarray::array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    assert_eq!(ArrayD::from(Array::scalar(7usize)).shape(), [0; 0]);
    let x: Tensor = Rng::seed(3).normal([2, 1, 3, 0, 2, 1], 0.0, 1.0);
    assert_eq!(Tensor::try_from(ArrayD::from(x.clone())).unwrap().array(), x.array());
    let x: Tensor = Rng::seed(3).normal([2, 3, 4], 0.0, 1.0);
    assert_eq!(Tensor::try_from(&ArrayD::from(&x)).unwrap().array(), x.array());
}

#[test]
fn too_many_axes_are_an_error() {
    let theirs = ArrayD::<f32>::zeros(IxDyn(&[1; MAX_RANK + 1]));
    let error = Tensor::try_from(&theirs).unwrap_err().to_string();
    assert!(error.starts_with("try_from: sizes [1, 1, 1, 1, 1, 1, 1] are too many"), "{error}");
}
