//! Vectors for numbered things, such as words.

use crate::{Init, Module};
use autodiff::{Array, Error, Float, Parameter, Result, Rng, Tensor};

/// A learned vector for each of `count` things: looks rows up in a table. Not a [`Layer`](crate::Layer), as it takes numbers
/// of rows and not a tensor.
///
/// The table is `[count, size]`; an index of any shape `[..]` gives `[.., size]`.
///
/// ```
/// use autodiff::{Array, Rng};
/// use nn::Embedding;
/// let words = Embedding::<f32>::new(1000, 16, &mut Rng::seed(7)).with_padding(0);
/// let sentences = Array::from_vec([4usize, 8, 15, 16, 23, 0], [2, 3])?;
/// let vectors = words.forward(&sentences)?;
/// assert_eq!(vectors.shape(), [2, 3, 16]);
/// assert_eq!(vectors.to_vec()[80..], [0.0; 16]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, Module)]
pub struct Embedding<T: Float = f32> {
    /// The table, `[count, size]`.
    pub weight: Parameter<T>,
    #[module(skip)]
    padding: Option<usize>,
}

impl<T: Float> Embedding<T> {
    /// A table of numbers that are normal with deviation 1.
    ///
    /// # Panics
    /// If it is too large, see [`autodiff::Shape::new`].
    pub fn new(count: usize, size: usize, rng: &mut Rng) -> Self {
        let weight = Parameter::new(Init::Normal(1.0).tensor([count, size], count, size, rng));
        Self { weight, padding: None }
    }

    /// A given table, such as one that was learned elsewhere.
    ///
    /// # Errors
    /// If it is not `[count, size]`.
    ///
    /// ```
    /// use autodiff::{Array, Tensor};
    /// use nn::Embedding;
    /// let table = Embedding::from_pretrained(&Tensor::from_vec([1.0f32, 2.0, 3.0, 4.0], [2, 2])?)?;
    /// assert_eq!(table.forward(&Array::from_vec([1usize], [1])?)?.to_vec(), [3.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn from_pretrained(table: &Tensor<T>) -> Result<Self> {
        if table.rank() != 2 {
            let message = format!("the table must be [count, size], and it is {}", table.shape());
            return Err(Error::new("embedding", message));
        }
        Ok(Self { weight: Parameter::new(table.clone()), padding: None })
    }

    /// The same table, in which row `index` stands for padding: it becomes zeros, and gets no gradient.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    #[track_caller]
    pub fn with_padding(mut self, index: usize) -> Self {
        let shape = self.weight.shape();
        assert!(index < shape.dim(0), "row {index} of a table of {}", shape.dim(0));
        let row = |i: usize| i / shape.dim(1);
        let numbers = self.weight.to_vec().into_iter().enumerate();
        let zeroed = numbers.map(|(i, w)| if row(i) == index { T::ZERO } else { w });
        let zeroed = Tensor::from_vec(zeroed.collect::<Vec<_>>(), shape).expect("as many numbers as before");
        self.weight.set(&zeroed);
        self.padding = Some(index);
        self
    }

    /// The rows of these numbers.
    ///
    /// # Errors
    /// If there is no row of a number.
    #[track_caller]
    pub fn forward(&self, index: &Array<usize>) -> Result<Tensor<T>> {
        let rows = self.weight.embedding(index)?;
        let Some(padding) = self.padding.filter(|&padding| index.to_vec().contains(&padding)) else {
            return Ok(rows);
        };
        let other = index.map(|row| if row == padding { T::ZERO } else { T::ONE });
        Tensor::from(other).unsqueeze(-1)?.select(&rows, &rows.detach())
    }
}
