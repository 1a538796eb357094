//! [`Layer`]: a module with one input and one output.

use autodiff::{Float, Module, Result, Tensor};

/// A module that maps one tensor to one tensor, and can therefore stand in a [`Sequential`](crate::Sequential).
///
/// The layers of this crate mark `forward` with `#[track_caller]`: an error names the line that called the layer, also
/// through generic code. The attribute is on each `impl` and not on the trait, so that in a layer of your own an error
/// names the line inside your `forward` and not the one that called it. A call through `dyn Layer` has no caller to
/// name; [`Sequential`](crate::Sequential) puts the line of its own caller there.
///
/// ```
/// use autodiff::{Float, Result, Rng, Tensor};
/// use nn::{Affine, Layer, Module};
///
/// /// `x f(x)`.
/// #[derive(Module)]
/// struct Gated<L>(L);
///
/// impl<T: Float, L: Layer<T>> Layer<T> for Gated<L> {
///     fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
///         Ok(x * self.0.forward(x)?)
///     }
/// }
///
/// let block = Gated(Affine::new(3, 3, &mut Rng::seed(1)));
/// assert_eq!(block.forward(&Tensor::<f32>::ones([2, 3]))?.shape(), [2, 3]);
/// # Ok::<(), autodiff::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer over elements of type `{T}`",
    label = "not a layer",
    note = "implement `nn::Layer` for it: derive `nn::Module`, and write `forward`"
)]
pub trait Layer<T: Float = f32>: Module<T> + Send + Sync {
    /// The output for the input `x`.
    ///
    /// # Errors
    /// If the shape of `x` does not fit the layer.
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>>;
}

impl<T: Float, L: Layer<T> + ?Sized> Layer<T> for Box<L> {
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        (**self).forward(x)
    }
}
