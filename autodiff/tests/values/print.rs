//! What is printed, held to what NumPy 2.4 prints: `np.array2string` with a precision of 4, for `{:.2}` also with
//! `floatmode='fixed', suppress=True`, for `{:?}` with `floatmode='unique', separator=', ', prefix='Tensor('`.

use autodiff::{Array, Element, Tensor, array, tensor};
use std::fmt::Display;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// `0, 1, 2, ..` in this shape, each multiplied by `scale`.
fn count<const N: usize>(shape: [usize; N], scale: f64) -> Array<f64> {
    Array::from_vec((0..shape.iter().product()).map(|i| i as f64 * scale).collect::<Vec<_>>(), shape).unwrap()
}

#[track_caller]
fn prints<T: Element + Display>(array: &Array<T>, text: &str) {
    assert_eq!(array.to_string(), text, "\nours:\n{array}\nNumPy's:\n{text}");
}

#[test]
fn the_points_of_a_column_stand_below_each_other() {
    prints(&array![[1.0, -0.5], [1000.0 / 3.0, 2.0]], "[[  1.      -0.5   ]\n [333.3333   2.    ]]");
    prints(&array![1.0, 2.0, -3.0], "[ 1.  2. -3.]");
    prints(&array![1.0f32 / 3.0, 2.0 / 3.0, 1.0], "[0.3333 0.6667 1.    ]");
    prints(&array![0.0, -0.0], "[ 0. -0.]");
}

#[test]
fn powers_of_ten_are_written_where_the_numbers_want_them() {
    prints(&array![1.5, 12_345_678.9], "[1.5000e+00 1.2346e+07]");
    prints(&array![1e8, -1.5e8], "[ 1.0e+08 -1.5e+08]");
    // As NumPy prints them in `float64`, and PyTorch in either; in `float32` NumPy writes powers from 10⁶ on.
    prints(&array![2e6f32, 3e6], "[2000000. 3000000.]");
    prints(&array![1e-5, 0.00025], "[1.0e-05 2.5e-04]");
    prints(&array![0.0001, 0.05], "[0.0001 0.05  ]");
    prints(&array![0.5, 600.0], "[5.e-01 6.e+02]");
    prints(&array![1e-300, 2.5, -3.25e10], "[ 1.00e-300  2.50e+000 -3.25e+010]");
}

#[test]
fn what_is_not_a_number_is_aligned_to_the_right() {
    prints(&array![[NAN, 1.25], [INF, -INF]], "[[ nan 1.25]\n [ inf -inf]]");
    prints(&array![NAN, NAN], "[nan nan]");
    prints(&array![-INF, NAN], "[-inf  nan]");
    prints(&array![NAN, 1e-9, -INF], "[   nan 1.e-09   -inf]");
}

#[test]
fn whole_numbers_have_no_point() {
    prints::<usize>(&array![[1, 20], [300, 4]], "[[  1  20]\n [300   4]]");
    prints::<u8>(&array![0, 255], "[  0 255]");
    prints(&(0..2000usize).collect(), "[   0    1    2 ... 1997 1998 1999]");
}

#[test]
fn each_axis_has_its_brackets() {
    let three = "[[[ 0.  1.]
  [ 2.  3.]
  [ 4.  5.]]

 [[ 6.  7.]
  [ 8.  9.]
  [10. 11.]]]";
    prints(&count([2, 3, 2], 1.0), three);
    prints(&count([2, 1, 2, 1], 1.0), "[[[[0.]\n   [1.]]]\n\n\n [[[2.]\n   [3.]]]]");
    prints(&count([1, 1, 1, 1, 1, 1], 1.0), "[[[[[[0.]]]]]]");
    prints(&count([0, 3], 1.0), "[]");
    // Views are written in the order of their own axes.
    prints(&count([2, 3], 1.0).permute(&[1, 0]).unwrap(), "[[0. 3.]\n [1. 4.]\n [2. 5.]]");
}

#[test]
fn a_line_has_at_most_75_characters() {
    let row = "[0.     0.1429 0.2857 0.4286 0.5714 0.7143 0.8571 1.     1.1429 1.2857
 1.4286 1.5714 1.7143 1.8571 2.     2.1429 2.2857 2.4286 2.5714 2.7143
 2.8571 3.     3.1429 3.2857 3.4286 3.5714 3.7143 3.8571 4.     4.1429]";
    prints(&count([30], 1.0 / 7.0), row);
    let rows = "[[-2.     -1.8571 -1.7143 -1.5714 -1.4286 -1.2857 -1.1429 -1.     -0.8571
  -0.7143 -0.5714 -0.4286 -0.2857 -0.1429  0.      0.1429  0.2857  0.4286
   0.5714  0.7143]
 [ 0.8571  1.      1.1429  1.2857  1.4286  1.5714  1.7143  1.8571  2.
   2.1429  2.2857  2.4286  2.5714  2.7143  2.8571  3.      3.1429  3.2857
   3.4286  3.5714]]";
    prints(&count([2, 20], 1.0 / 7.0).map(|x| x - 2.0), rows);
}

#[test]
fn beyond_a_thousand_elements_the_edges_are_shown() {
    prints(&count([1001], 0.125), "[  0.      0.125   0.25  ... 124.75  124.875 125.   ]");
    assert!(!count([1000], 0.125).to_string().contains("..."));
    let matrix = "[[0.000e+00 1.000e-02 2.000e-02 ... 2.700e-01 2.800e-01 2.900e-01]
 [3.000e-01 3.100e-01 3.200e-01 ... 5.700e-01 5.800e-01 5.900e-01]
 [6.000e-01 6.100e-01 6.200e-01 ... 8.700e-01 8.800e-01 8.900e-01]
 ...
 [1.110e+01 1.111e+01 1.112e+01 ... 1.137e+01 1.138e+01 1.139e+01]
 [1.140e+01 1.141e+01 1.142e+01 ... 1.167e+01 1.168e+01 1.169e+01]
 [1.170e+01 1.171e+01 1.172e+01 ... 1.197e+01 1.198e+01 1.199e+01]]";
    prints(&count([40, 30], 0.01), matrix);
    // An axis of six is shown whole.
    let short = "[[   0    1    2 ...  197  198  199]
 [ 200  201  202 ...  397  398  399]
 [ 400  401  402 ...  597  598  599]
 [ 600  601  602 ...  797  798  799]
 [ 800  801  802 ...  997  998  999]
 [1000 1001 1002 ... 1197 1198 1199]]";
    prints(&count([6, 200], 1.0).map(|x| x as usize), short);
}

#[test]
fn a_precision_is_kept_to() {
    let x = tensor![[1.0, -0.125], [1e-5, 10.375], [NAN, INF]];
    assert_eq!(format!("{x:.2}"), "[[ 1.00 -0.12]\n [ 0.00 10.38]\n [  nan   inf]]");
    assert_eq!(format!("{:.0}", tensor![0.5, 1.5, -2.25]), "[ 0.  2. -2.]");
    assert_eq!(format!("{:.1?}", tensor![0.25, 3.0]), "Tensor([0.2, 3.0], f64[2])");
}

#[test]
fn a_single_number_is_written_as_that_number() {
    assert_eq!(Tensor::scalar(1.0f32 / 3.0).to_string(), "0.33333334");
    assert_eq!(format!("{:>8.3}|{:+}", Tensor::scalar(2.0), Array::scalar(7usize)), "   2.000|+7");
}

#[test]
fn debug_shows_all_digits_the_type_the_shape_and_whether_it_is_tracked() {
    let sevenths = Tensor::from(count([2, 4], 1.0).map(|x| x / 7.0));
    let text = "Tensor([[0.                 , 0.14285714285714285, 0.2857142857142857 ,
         0.42857142857142855],
        [0.5714285714285714 , 0.7142857142857143 , 0.8571428571428571 ,
         1.                 ]], f64[2, 4], tracked)";
    assert_eq!(format!("{:?}", sevenths.variable()), text);
    let mixed = "Tensor([[0.1               , 0.3333333333333333],
        [2.                ,                nan]], f64[2, 2])";
    assert_eq!(format!("{:?}", tensor![[0.1, 1.0 / 3.0], [2.0, NAN]]), mixed);
    // Numbers that differ look different.
    let (one, next) = (1.0f32, 1.0 + f32::EPSILON);
    assert_ne!(format!("{:?}", tensor![one, 1e-9]), format!("{:?}", tensor![next, 1e-9]));
    let index: Array<usize> = array![3, 10];
    assert_eq!(format!("{index:?}"), "Array([ 3, 10], usize[2])");
    assert_eq!(format!("{:?}", Tensor::<f32>::zeros([0, 3])), "Tensor([], f32[0, 3])");
    assert_eq!(format!("{:?}", Tensor::scalar(0.5f32)), "Tensor(0.5, f32[])");
}
