//! Training or evaluation: the flag that dropout and batch normalisation read.

use autodiff::no_grad;
use std::cell::Cell;

thread_local! {
    static TRAINING: Cell<bool> = const { Cell::new(true) };
}

/// Whether this thread is training: dropout drops, and batch normalisation uses the statistics of the batch.
///
/// Every thread starts in training, those of a thread pool too: a closure given to rayon inside [`evaluate`] must
/// call [`evaluate`] itself.
///
/// ```
/// assert!(nn::is_training());
/// nn::evaluate(|| assert!(!nn::is_training()));
/// ```
#[inline]
pub fn is_training() -> bool {
    TRAINING.get()
}

/// Runs `body` in evaluation and without recording: dropout does nothing, batch normalisation uses its running
/// statistics, and results are constants.
///
/// Both flags belong to the thread (see [`is_training`]). They are restored when `body` returns or panics, so calls
/// nest.
///
/// ```
/// use autodiff::{Rng, Tensor};
/// use nn::{Dropout, Layer};
/// let dropout = Dropout::new(0.5, &mut Rng::seed(1));
/// let x = Tensor::<f32>::ones([4]).variable();
/// let y = nn::evaluate(|| dropout.forward(&x))?;
/// assert_eq!(y.to_vec(), x.to_vec());
/// # Ok::<(), autodiff::Error>(())
/// ```
pub fn evaluate<R>(body: impl FnOnce() -> R) -> R {
    no_grad(|| evaluating(body))
}

/// Runs `body` in evaluation, but recorded: for gradients of the model as it is used, such as saliency maps,
/// adversarial examples, or training on top of frozen statistics.
///
/// ```
/// use autodiff::{Tensor, grad};
/// use nn::{BatchNorm, Layer};
/// let norm = BatchNorm::new(1);
/// let x = Tensor::from_vec([2.0f32], [1, 1])?.variable();
/// let [dx] = grad(&nn::evaluating(|| norm.forward(&x))?, [&x])?;
/// assert!((dx.item() - 1.0).abs() < 1e-5); // the running variance is still 1
/// # Ok::<(), autodiff::Error>(())
/// ```
pub fn evaluating<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            TRAINING.set(self.0);
        }
    }
    let _restore = Restore(TRAINING.replace(false));
    body()
}
