//! Dropout: of elements, of channels, and one that keeps mean and variance.

use crate::{Layer, Module, is_training};
use autodiff::{Counter, Float, Result, Rng, Shape, Tensor};

/// Writes what the layers have in common: the struct, how it is made, and its count of calls.
macro_rules! dropouts {
    ($($(#[$about:meta])* $name:ident;)*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, Module)]
            pub struct $name {
                p: f64,
                #[module(skip)]
                key: Rng,
                calls: Counter,
            }

            impl $name {
                /// A layer that drops with probability `p`. Draws one number, the key of its masks.
                ///
                /// # Panics
                /// If `p` is not from 0 to 1.
                #[track_caller]
                pub fn new(p: f64, rng: &mut Rng) -> Self {
                    assert!((0.0..=1.0).contains(&p), "a dropout probability of {p}: it must be from 0 to 1");
                    Self { p, key: Rng::seed(rng.below(usize::MAX) as u64), calls: Counter::new(0) }
                }

                /// How many masks have been drawn: the number of the next one.
                pub fn calls(&self) -> u64 {
                    self.calls.get()
                }

                /// Goes to mask number `calls`, to go on where a training that was saved had stopped.
                ///
                /// ```
                /// use autodiff::{Rng, Tensor};
                #[doc = concat!("use nn::{", stringify!($name), ", Layer};")]
                #[doc = concat!("let dropout = ", stringify!($name), "::new(0.5, &mut Rng::seed(7));")]
                /// let x = Tensor::<f32>::ones([10, 10]);
                /// let first = dropout.forward(&x)?;
                /// assert_ne!(dropout.forward(&x)?.to_vec(), first.to_vec());
                /// dropout.seek(0);
                /// assert_eq!(dropout.forward(&x)?.to_vec(), first.to_vec());
                /// # Ok::<(), autodiff::Error>(())
                /// ```
                pub fn seek(&self, calls: u64) {
                    self.calls.set(calls);
                }

                /// Whether nothing happens.
                fn is_off(&self) -> bool {
                    !is_training() || self.p == 0.0
                }

                /// The next mask: zeros with probability `p`, else `1 / (1 - p)`.
                fn mask<T: Float>(&self, shape: Shape) -> Result<Tensor<T>> {
                    Tensor::ones(shape).dropout(self.p, &mut self.key.stream(self.calls.next()))
                }
            }
        )*
    };
}

dropouts! {
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
    Dropout;

    /// Dropout of whole channels (Tompson et al., arXiv:1411.4280): in training each channel of each image of `[n, channels, ..]`
    /// becomes 0 with probability `p`, and is else divided by `1 - p`. For images, whose neighbouring pixels say the same.
    ///
    /// Masks are drawn as those of [`Dropout`].
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{ChannelDropout, Layer};
    /// let dropout = ChannelDropout::new(0.5, &mut Rng::seed(7));
    /// let y = dropout.forward(&Tensor::<f32>::ones([10, 10, 3, 3]))?.to_vec();
    /// assert!(y.chunks(9).all(|channel| channel == [0.0; 9] || channel == [2.0; 9]));
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    ChannelDropout;

    /// Dropout that keeps mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515, section on alpha dropout), for networks of
    /// [`Selu`](crate::Selu): in training each element becomes `α = -1.7581` with probability `p`, and then all become
    /// `a x + b` with
    ///
    /// ```text
    /// a = ((1 - p) (1 + p α²))^(-1/2)        b = -a p α
    /// ```
    ///
    /// Any shape. Masks are drawn as those of [`Dropout`]. With `p = 1` everything becomes 0.
    ///
    /// ```
    /// use autodiff::{Rng, Tensor};
    /// use nn::{AlphaDropout, Layer};
    /// let mut rng = Rng::seed(7);
    /// let x: Tensor<f64> = rng.normal([100_000], 0.0, 1.0);
    /// let y = AlphaDropout::new(0.2, &mut rng).forward(&x)?;
    /// assert!(y.mean().item().abs() < 0.02 && (y.square().mean().item() - 1.0).abs() < 0.02);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    AlphaDropout;
}

impl<T: Float> Layer<T> for Dropout {
    /// `x` times the mask, or `x` in evaluation. Never fails.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        if self.is_off() {
            return Ok(x.clone());
        }
        Ok(x * self.mask(x.shape())?)
    }
}

impl<T: Float> Layer<T> for ChannelDropout {
    /// `x` times the mask, or `x` in evaluation. An input without channels, of rank 0 or 1, has one mask for each element.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        if self.is_off() {
            return Ok(x.clone());
        }
        let mut channels = x.shape().to_vec();
        channels.iter_mut().skip(2).for_each(|n| *n = 1);
        Ok(x * self.mask(channels.into())?)
    }
}

impl<T: Float> Layer<T> for AlphaDropout {
    /// What is left of `x`, or `x` in evaluation. Never fails.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        /// `-λ α` of SELU: its limit for large negative numbers.
        const LOW: f64 = -1.758_099_340_847_376_6;
        if self.is_off() {
            return Ok(x.clone());
        }
        if self.p == 1.0 {
            return Ok(x * 0.0);
        }
        let a = ((1.0 - self.p) * (1.0 + self.p * LOW * LOW)).sqrt().recip();
        let mask = self.mask(x.shape())?;
        let left = mask.select(x, &Tensor::scalar(T::from_f64(LOW)))?;
        Ok(left * a - a * self.p * LOW)
    }
}
