//! What a loader takes: data of which it can ask for some, by index.

use std::sync::Arc;

use autodiff::Tensor;

/// Data that a [`Loader`](crate::Loader) cuts into batches.
///
/// [`Dataset`](crate::Dataset) is one; so is a tensor (a sample is what an index along its first axis selects), a vector, and
/// a pair of data sets side by side: the features and the labels of a [table](crate::table), inputs and targets.
///
/// For data of your own say how many samples there are, and make a batch of some of them: a tensor, several, or a `Result`
/// of one if making it can fail. The samples of an index must always be the same; random changes of images belong into
/// [`Loader::augment`](crate::Loader::augment).
///
/// # Examples
///
/// ```
/// use autodiff::Tensor;
/// use datasets::{Loader, Samples};
///
/// /// Points of a sine, made as they are asked for.
/// struct Sine {
///     points: usize,
/// }
///
/// impl Samples for Sine {
///     type Batch = (Tensor, Tensor);
///
///     fn len(&self) -> usize {
///         self.points
///     }
///
///     fn batch(&self, indices: &[usize]) -> (Tensor, Tensor) {
///         let x: Tensor = indices.iter().map(|&i| 0.1 * i as f32).collect();
///         let y = x.sin();
///         (x, y)
///     }
/// }
///
/// for (x, y) in Loader::new(&Sine { points: 100 }, 32).shuffle(7) {
///     assert_eq!(x.shape(), y.shape());
/// }
///
/// // Tensors side by side.
/// let (x, labels) = (Tensor::arange(0.0, 10.0, 1.0)?.reshape([5, 2])?, vec![0, 1, 0, 1, 1]);
/// let (features, kinds) = Loader::new(&(x, labels), 2).iter().nth(1).expect("a second batch");
/// assert_eq!((features.to_vec(), kinds), (vec![4.0, 5.0, 6.0, 7.0], vec![0, 1]));
/// # Ok::<(), autodiff::Error>(())
/// ```
pub trait Samples {
    /// What a loader yields.
    type Batch;

    /// How many samples there are. It must not change while a loader has them.
    fn len(&self) -> usize;

    /// The samples of these indices, each below [`len`](Samples::len), in their order.
    fn batch(&self, indices: &[usize]) -> Self::Batch;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Shared data, for [`Loader::workers`](crate::Loader::workers).
impl<S: Samples + ?Sized> Samples for Arc<S> {
    type Batch = S::Batch;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn batch(&self, indices: &[usize]) -> S::Batch {
        (**self).batch(indices)
    }
}

/// A sample is what an index along the first axis selects. A number has none.
impl Samples for Tensor {
    type Batch = Tensor;

    fn len(&self) -> usize {
        self.shape().iter().next().unwrap_or(0)
    }

    fn batch(&self, indices: &[usize]) -> Tensor {
        self.index_select(0, indices).unwrap_or_else(|error| panic!("loader: {error}"))
    }
}

/// A sample is an element.
impl<T: Clone> Samples for Vec<T> {
    type Batch = Vec<T>;

    fn len(&self) -> usize {
        self.len()
    }

    fn batch(&self, indices: &[usize]) -> Vec<T> {
        indices.iter().map(|&index| self[index].clone()).collect()
    }
}

/// Two data sets side by side. [`Loader::new`](crate::Loader::new) panics if one is longer.
impl<A: Samples, B: Samples> Samples for (A, B) {
    type Batch = (A::Batch, B::Batch);

    #[track_caller]
    fn len(&self) -> usize {
        let (first, second) = (self.0.len(), self.1.len());
        assert_eq!(first, second, "loader: data side by side must be equally long");
        first
    }

    fn batch(&self, indices: &[usize]) -> Self::Batch {
        (self.0.batch(indices), self.1.batch(indices))
    }
}
