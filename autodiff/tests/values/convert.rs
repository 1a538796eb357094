//! What arrays and tensors are made from.

use autodiff::{Array, MAX_RANK, Tensor, array, tensor};

#[test]
fn literals_nest_up_to_the_largest_rank() {
    let x: Tensor = tensor![1.0, 2.0,];
    assert_eq!((x.shape().to_vec(), x.to_vec()), (vec![2], vec![1.0, 2.0]));
    let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0],];
    assert_eq!((x.shape().to_vec(), x.to_vec()), (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    assert_eq!(tensor![[[1.0f32], [2.0]]].shape(), [1, 2, 1]);
    assert_eq!(tensor![[[[1.0f32], [2.0]]]].shape(), [1, 1, 2, 1]);
    assert_eq!(tensor![[[[[1.0f32, 2.0]]]]].shape(), [1, 1, 1, 1, 2]);
    let deep = tensor![[[[[[1.0f32], [2.0], [3.0]]]]], [[[[[4.0], [5.0], [6.0]]]]]];
    assert_eq!((deep.shape().to_vec(), deep.rank()), (vec![2, 1, 1, 1, 3, 1], MAX_RANK));
    assert_eq!(deep.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn literals_take_expressions_and_repeat() {
    let half = 0.5f32;
    assert_eq!(tensor![half, half.sqrt(), -half].to_vec(), [0.5, 0.5f32.sqrt(), -0.5]);
    assert_eq!(*tensor![[half; 3]; 2].array(), array![[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]);
    let nothing: Tensor<f64> = tensor![];
    assert_eq!(nothing.shape(), [0]);
    let index: Array<usize> = array![[1, 2]; 3];
    assert_eq!((index.shape().to_vec(), index.to_vec()), (vec![3, 2], vec![1, 2, 1, 2, 1, 2]));
}

#[test]
fn numbers_slices_and_vectors_have_their_shapes() {
    assert_eq!(Tensor::from(2.5f32).shape(), [0; 0]);
    assert_eq!(Array::from(7usize).item(), 7);
    let rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let expected = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    assert_eq!(Array::from(rows), expected);
    assert_eq!(Array::from(&rows[..]), expected);
    assert_eq!(Array::from(rows.to_vec()), expected);
    assert_eq!(*Tensor::from(&rows[1..]).array(), array![[3.0, 4.0], [5.0, 6.0]]);
    assert_eq!(Tensor::from(vec![1.0f32, 2.0]).shape(), [2]);
    assert_eq!(Tensor::from(Vec::<[f32; 3]>::new()).shape(), [0, 3]);
    assert_eq!(Tensor::from([[0.0f32; 0]; 2]).shape(), [2, 0]);
    assert_eq!((0..3).map(f64::from).collect::<Tensor<_>>().to_vec(), [0.0, 1.0, 2.0]);
}

#[test]
fn vectors_of_vectors_have_rows_of_one_length() {
    let rows = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    assert_eq!(Array::try_from(&rows[..]).unwrap(), array![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(Array::try_from(vec![rows.clone(); 3]).unwrap(), array![[[1.0, 2.0], [3.0, 4.0]]; 3]);
    let four = Tensor::try_from(vec![vec![rows.clone()]; 2]).unwrap();
    assert_eq!(*four.array(), array![[[[1.0, 2.0], [3.0, 4.0]]]; 2]);
    assert_eq!(Tensor::try_from(Vec::<Vec<Vec<f32>>>::new()).unwrap().shape(), [0, 0, 0]);
}

#[test]
fn rows_that_differ_are_named() {
    let (error, line) = (Tensor::try_from(vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err(), line!());
    let text = "try_from: the rows differ: number 0 is of shape [2], number 1 of shape [1]";
    assert_eq!(error.to_string(), format!("{text} at autodiff/tests/values/convert.rs:{line}"));
    let matrices = vec![vec![vec![1.0]], vec![vec![1.0], vec![2.0]]];
    let error = Array::try_from(matrices).unwrap_err().to_string();
    assert!(error.contains("number 0 is of shape [1, 1], number 1 of shape [2, 1]"), "{error}");
}
