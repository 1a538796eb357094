//! Layers in a row.

use crate::{Layer, Module};
use autodiff::{Error, Float, Path, Place, PlaceMut, Result, Tensor};
use std::fmt;

/// Layers one after the other, each fed with the output of the one before. Without layers, the identity.
///
/// The places are named by the layers' positions: `0.weight`, `0.bias`, `2.weight`, ..
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Affine, Layer, Module, Relu, Sequential};
/// let mut rng = Rng::seed(7);
/// let model = Sequential::new()
///     .push(Affine::new(4, 8, &mut rng))
///     .push(Relu)
///     .push(Affine::new(8, 2, &mut rng));
/// assert_eq!(model.forward(&Tensor::<f32>::zeros([3, 4]))?.shape(), [3, 2]);
/// assert_eq!(model.parameter_count(), 4 * 8 + 8 + 8 * 2 + 2);
/// # Ok::<(), autodiff::Error>(())
/// ```
pub struct Sequential<T: Float = f32> {
    layers: Vec<Box<dyn Layer<T>>>,
}

impl<T: Float> Sequential<T> {
    /// No layers.
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// The same with `layer` at the end.
    #[must_use]
    pub fn push(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// How many layers there are.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The layers, to look at what is between them.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Affine, Relu, Sequential};
    /// let mut rng = Rng::seed(7);
    /// let model = Sequential::new().push(Affine::new(4, 8, &mut rng)).push(Relu).push(Affine::new(8, 2, &mut rng));
    /// let mut features = Tensor::<f32>::zeros([3, 4]);
    /// for layer in model.iter().take(model.len() - 1) {
    ///     features = layer.forward(&features)?;
    /// }
    /// assert_eq!(features.shape(), [3, 8]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Layer<T>> {
        self.layers.iter().map(|layer| &**layer)
    }
}

impl<T: Float, L: Layer<T> + 'static> FromIterator<L> for Sequential<T> {
    /// Layers of one type, one after the other.
    ///
    /// ```
    /// use autodiff::Rng;
    /// use nn::{Affine, Residual, Sequential};
    /// let mut rng = Rng::seed(7);
    /// let deep: Sequential = (0..10).map(|_| Residual::new(Affine::new(4, 4, &mut rng))).collect();
    /// assert_eq!(deep.len(), 10);
    /// ```
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> Self {
        layers.into_iter().fold(Self::new(), Self::push)
    }
}

impl<T: Float> Default for Sequential<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> Module<T> for Sequential<T> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        self.layers.walk(path, visit);
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        self.layers.walk_mut(path, visit);
    }
}

impl<T: Float> Layer<T> for Sequential<T> {
    /// The output of the last layer.
    ///
    /// # Errors
    /// That of the first layer that reports one. The line is the one that called this, unless it is in a layer of
    /// your own.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let mut x = x.clone();
        for layer in &self.layers {
            x = match layer.forward(&x) {
                Ok(y) => y,
                // A layer of this crate that is called through `dyn` names its own line, which helps nobody.
                Err(error) if is_here(&error) => return Err(error.kind().clone().of(error.op())),
                Err(error) => return Err(error),
            };
        }
        Ok(x)
    }
}

/// Whether the line of an error is one of this crate.
fn is_here(error: &Error) -> bool {
    let folder = |file| std::path::Path::new(file).parent();
    folder(error.site().file()) == folder(file!())
}

impl<T: Float> fmt::Debug for Sequential<T> {
    /// The shape of every parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shapes = f.debug_map();
        self.parameters(&mut |name, parameter| {
            shapes.entry(&name, &parameter.shape());
        });
        shapes.finish()
    }
}
