//! Dropout.

use crate::error::{Error, Result};
use crate::float::Float;
use crate::random::{Rng, STEPS};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// Inverted dropout (Srivastava et al., JMLR 15, 2014): each element becomes 0 with probability `p`, and is else divided
    /// by `1 - p`, so that its expectation stays.
    ///
    /// The mask depends on what `rng` draws and on the shape alone: neither on the element type nor on the number of threads. What
    /// is not finite becomes NaN in place of 0, as it is multiplied by 0.
    ///
    /// # Errors
    /// If `p` is not from 0 to 1.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// let y = Tensor::<f32>::ones([100]).dropout(0.5, &mut Rng::seed(7))?.to_vec();
    /// assert!(y.iter().all(|&y| y == 0.0 || y == 2.0));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    #[track_caller]
    pub fn dropout(&self, p: f64, rng: &mut Rng) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::new("dropout", format!("a probability of {p}: it must be from 0 to 1")));
        }
        let (dropped, kept) = ((p * f64::from(STEPS)).ceil() as u32, T::from_f64(1.0 / (1.0 - p)));
        Ok(self * rng.draw(self.shape(), |drawn| if drawn < dropped { T::ZERO } else { kept }))
    }
}
