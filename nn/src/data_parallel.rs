//! A batch in slices, one thread each.

use crate::mode::{evaluating, is_training};
use autodiff::{Float, Result, Tensor, backward_in_parts};
use std::ops::Range;

/// The mean loss `L = Σᵢ nᵢ/n fᵢ` over a batch of `rows` rows that is cut into `parts` slices of `nᵢ` rows, and its gradient,
/// which is added to that of every variable, as [`Tensor::backward`] does.
///
/// `loss` is given the rows of a slice and returns their mean loss `fᵢ`. Slices are computed side by side, forwards and
/// backwards, each with all of its ops on one thread, and their gradients added in order (see [`backward_in_parts`]): the
/// bits depend on the number of slices and not on that of threads. Take as many slices as there are threads, or a multiple of
/// that; more than there are rows are not made.
///
/// # When it pays
/// Without it, each op is cut among the threads, which meet after each op. Models of many ops of some ten microseconds, such
/// as recurrent layers, gain from meeting once in a step. With large ops there is nothing to gain, and each slice has
/// gradients of its own of all parameters, which take memory and are added. Steps of less time than it takes to wake a thread
/// lose. `cargo bench -p examples --bench data_parallel` measures all three.
///
/// # What else changes
/// The sum over a batch is rounded otherwise than that of its slices, and that is all for layers that treat each row by
/// itself. Those that do not are told apart by what they keep:
/// - [`BatchNorm`](crate::BatchNorm) normalises each slice by the slice's own mean and variance, as data-parallel training
///   does elsewhere, and its running statistics are those of the first slice. With few rows in a slice that is another, noisier
///   function: keep slices large, or use [`GroupNorm`](crate::GroupNorm), [`LayerNorm`](crate::LayerNorm) or a batch norm
///   that has been frozen by [`evaluating`].
/// - [`Dropout`](crate::Dropout) draws a mask for each slice; which one depends on the number of the slice, and its count goes
///   up as in one pass.
///
/// # Errors
/// What `loss` reports, for the first slice that fails, or as [`Tensor::backward`]. No gradient has then changed.
///
/// # Panics
/// If `rows` or `parts` is zero.
///
/// ```
/// use autodiff::Rng;
/// use nn::{Affine, Layer};
/// let mut rng = Rng::seed(1);
/// let x = rng.normal::<f64>([5, 3], 0.0, 1.0);
/// let labels = [0, 1, 1, 0, 1];
/// let layer = Affine::new(3, 2, &mut rng);
/// let loss = nn::data_parallel(5, 2, |rows| {
///     layer.forward(&x.slice(0, rows.clone())?)?.cross_entropy(&labels[rows])
/// })?;
/// assert!((loss - layer.forward(&x)?.cross_entropy(&labels)?.item()).abs() < 1e-12);
/// assert!(layer.weight.grad().is_some());
/// # Ok::<(), autodiff::Error>(())
/// ```
#[track_caller]
pub fn data_parallel<T: Float>(
    rows: usize,
    parts: usize,
    loss: impl Fn(Range<usize>) -> Result<Tensor<T>> + Sync,
) -> Result<T> {
    assert!(rows > 0 && parts > 0, "data_parallel: {rows} rows in {parts} parts");
    let parts = parts.min(rows);
    let slice = |i: usize| i * rows / parts..(i + 1) * rows / parts;
    let weights: Vec<T> = (0..parts).map(|i| T::from_f64(slice(i).len() as f64 / rows as f64)).collect();
    let training = is_training();
    let part = |i: usize| if training { loss(slice(i)) } else { evaluating(|| loss(slice(i))) };
    let losses = backward_in_parts(&weights, part)?;
    Ok(losses.iter().zip(&weights).fold(T::ZERO, |sum, (&loss, &weight)| sum + loss * weight))
}
