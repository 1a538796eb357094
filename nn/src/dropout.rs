//! Dropout.

use crate::{Layer, Module, is_training};
use autodiff::{Float, Result, Rng, Tensor};
use std::sync::atomic::{AtomicU64, Ordering};

/// Inverted dropout (Srivastava et al., JMLR 15, 2014): in training each element becomes 0 with probability `p`, and is
/// else divided by `1 - p`, so that its expectation stays; in evaluation ([`evaluate`](crate::evaluate)) nothing happens.
///
/// Any shape. The mask of call number `k` is a function of the layer's key, drawn once at construction, and `k`: it
/// depends neither on what other layers draw nor on the number of threads. (Threads that share a layer share the count,
/// and get their masks in the order in which they come.) A clone has the same key and count, and so the same masks.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Dropout, Layer};
/// let dropout = Dropout::new(0.5, &mut Rng::seed(7));
/// let y = dropout.forward(&Tensor::<f32>::ones([100]))?.to_vec();
/// assert!(y.iter().all(|&y| y == 0.0 || y == 2.0));
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Debug, Module)]
pub struct Dropout {
    p: f64,
    #[module(skip)]
    key: Rng,
    #[module(skip)]
    calls: AtomicU64,
}

impl Dropout {
    /// A layer that drops with probability `p`. Draws one number, the key of its masks.
    ///
    /// # Panics
    /// If `p` is not from 0 to 1.
    #[track_caller]
    pub fn new(p: f64, rng: &mut Rng) -> Self {
        assert!((0.0..=1.0).contains(&p), "a dropout probability of {p}: it must be from 0 to 1");
        Self { p, key: Rng::seed(rng.below(usize::MAX) as u64), calls: AtomicU64::new(0) }
    }

    /// How many masks have been drawn: the number of the next one.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Goes to mask number `calls`, to go on where a training that was saved had stopped.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{Dropout, Layer};
    /// let dropout = Dropout::new(0.5, &mut Rng::seed(7));
    /// let x = Tensor::<f32>::ones([100]);
    /// let first = dropout.forward(&x)?;
    /// assert_ne!(dropout.forward(&x)?.to_vec(), first.to_vec());
    /// dropout.seek(0);
    /// assert_eq!(dropout.forward(&x)?.to_vec(), first.to_vec());
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn seek(&self, calls: u64) {
        self.calls.store(calls, Ordering::Relaxed);
    }
}

impl Clone for Dropout {
    fn clone(&self) -> Self {
        Self { p: self.p, key: self.key.clone(), calls: AtomicU64::new(self.calls()) }
    }
}

impl<T: Float> Layer<T> for Dropout {
    /// `x` times the mask, or `x` in evaluation. Never fails.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        if !is_training() || self.p == 0.0 {
            return Ok(x.clone());
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        x.dropout(self.p, &mut self.key.stream(call))
    }
}
