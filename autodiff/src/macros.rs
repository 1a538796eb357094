//! Literals: tensors and arrays written as nested lists.

/// A constant, written out: the brackets are those of a matrix, row by row.
///
/// Nested up to [`MAX_RANK`](crate::MAX_RANK) deep; rows of different lengths do not compile. The elements may be any
/// expressions of type `f32` or `f64`, and as in `vec!`, `[x; n]` repeats. A single number is `Tensor::from(2.0)`.
///
/// Literals are of the type that the context asks for: `let x: Tensor = tensor![1.0]` is in `f32`. Where nothing asks for
/// one, Rust takes them as `f64`.
///
/// ```
/// use autodiff::{Tensor, tensor};
/// let w: Tensor = tensor![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(w.shape(), [3, 2]);
/// assert_eq!(w.matmul(&tensor![1.0, -1.0])?.to_vec(), [-1.0, -1.0, -1.0]);
/// assert_eq!(tensor![[0.5; 3]; 2].array(), tensor![[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]].array());
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// ```compile_fail,E0308
/// autodiff::tensor![[1.0, 2.0], [3.0]]; // one row is shorter
/// ```
#[macro_export]
macro_rules! tensor {
    () => { $crate::Tensor::zeros([0]) };
    ($x:expr; $n:expr) => { $crate::Tensor::from([$x; $n]) };
    ($($x:expr),+ $(,)?) => { $crate::Tensor::from([$($x),+]) };
}

/// An [`Array`](crate::Array), written out as [`tensor!`](crate::tensor!) writes a tensor; of indices, too.
///
/// ```
/// use autodiff::{Array, array, tensor};
/// let index: Array<usize> = array![[1], [0]];
/// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(x.gather(1, &index)?.to_vec(), [2.0, 3.0]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[macro_export]
macro_rules! array {
    ($x:expr; $n:expr) => { $crate::Array::from([$x; $n]) };
    ($($x:expr),+ $(,)?) => { $crate::Array::from([$($x),+]) };
}
