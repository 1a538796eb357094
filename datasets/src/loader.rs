//! A data set in batches, in order or shuffled, made when they are asked for or ahead of it.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use autodiff::{Rng, Tensor};

use crate::workers::Workers;
use crate::{Augment, Dataset, ImageBatch, Samples};

/// The use that keys the random stream ("shuffle" in ASCII): a model that is seeded with the same number
/// draws others.
const SHUFFLE: u64 = 0x73_6875_6666_6c65;
/// The same for changes to images ("augment").
const AUGMENT: u64 = 0x61_7567_6d65_6e74;

/// One pass over a data set, in batches.
///
/// Each sample comes exactly once, in the order of the data set or, with [`shuffle`](Loader::shuffle), in one
/// that depends on nothing but the length, the seed and the number of the epoch: the same on every machine,
/// and an epoch can be taken up again without those before it. The last batch holds what is left, unless
/// [`drop_last`](Loader::drop_last) leaves it out.
///
/// A loader is a small value that borrows the data set. It can be copied, and iterated as often as one likes.
///
/// # Examples
///
/// ```
/// use datasets::Loader;
///
/// let train = datasets::digits::load()?.train;
/// let loader = Loader::new(&train, 64).shuffle(7);
/// assert_eq!(loader.len(), 24);
/// for epoch in 0..2 {
///     for batch in loader.epoch(epoch) {
///         assert!(batch.len() == 64 || batch.len() == 1_500 % 64);
///     }
/// }
/// # Ok::<(), datasets::Error>(())
/// ```
pub struct Loader<'a, S: Samples = Dataset> {
    samples: &'a S,
    batch_size: usize,
    seed: Option<u64>,
    epoch: u64,
    drop_last: bool,
    augment: Option<(Augment, u64, ImagesOf<S::Batch>)>,
    workers: Option<(usize, Start<S>)>,
}

/// Where the images are in a batch.
type ImagesOf<B> = fn(&mut B) -> Option<&mut Tensor>;

/// Starts so many threads that make the batches from the next one on.
type Start<S> = fn(usize, &Batches<'_, S>) -> Workers<<S as Samples>::Batch>;

impl<S: Samples> Clone for Loader<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Samples> Copy for Loader<'_, S> {}

impl<S: Samples> fmt::Debug for Loader<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("samples", &self.samples.len())
            .field("batch_size", &self.batch_size)
            .field("seed", &self.seed)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl<'a, S: Samples> Loader<'a, S> {
    /// Batches of `batch_size` samples, in the order of the data set.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0, or two data sets side by side are not equally long.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::Loader;
    ///
    /// let test = datasets::digits::load()?.test;
    /// let sizes: Vec<usize> = Loader::new(&test, 100).into_iter().map(|batch| batch.len()).collect();
    /// assert_eq!(sizes, [100, 100, 97]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    #[track_caller]
    pub fn new(samples: &'a S, batch_size: usize) -> Self {
        assert!(batch_size > 0, "loader: a batch size of 0 makes no batches");
        let _ = samples.len(); // panics here, not at the first batch, if two data sets do not fit
        Loader { samples, batch_size, seed: None, epoch: 0, drop_last: false, augment: None, workers: None }
    }

    /// Shuffles the samples, by this seed and the number of the epoch.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::Loader;
    ///
    /// let train = datasets::digits::load()?.train;
    /// let order = |seed| Loader::new(&train, 1_500).shuffle(seed).iter().next().map(|batch| batch.labels);
    /// assert_eq!(order(7), order(7));
    /// assert_ne!(order(7), order(8));
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn shuffle(self, seed: u64) -> Self {
        Loader { seed: Some(seed), ..self }
    }

    /// Takes the order of epoch `number` (0, unless said otherwise). Without [`shuffle`](Loader::shuffle) all
    /// epochs are alike. For an example see [`Loader`].
    pub fn epoch(self, number: u64) -> Self {
        Loader { epoch: number, ..self }
    }

    /// Whether to leave out the last batch if it is smaller than the others. Which samples that leaves out
    /// changes from epoch to epoch if they are shuffled.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::Loader;
    ///
    /// let test = datasets::digits::load()?.test;
    /// assert_eq!(Loader::new(&test, 100).len(), 3);
    /// assert_eq!(Loader::new(&test, 100).drop_last(true).len(), 2);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn drop_last(self, drop_last: bool) -> Self {
        Loader { drop_last, ..self }
    }

    /// Changes each image at random, by this seed, the number of the epoch and the index of the image.
    ///
    /// # Panics
    ///
    /// The iterator panics if the images of a batch are not a tensor of shape `[n, channels, height, width]` with one for
    /// each sample.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::{Augment, Loader};
    ///
    /// let train = datasets::digits::load()?.train;
    /// let loader = Loader::new(&train, 64).shuffle(7).augment(Augment::new().shift(1.0).rotation(10.0), 7);
    /// let batch = loader.iter().next().expect("a batch");
    /// assert_eq!(batch.images.shape(), [64, 1, 8, 8]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn augment(self, augment: Augment, seed: u64) -> Self
    where
        S::Batch: ImageBatch,
    {
        Loader { augment: Some((augment, seed, S::Batch::images_mut)), ..self }
    }

    /// Lets so many threads make batches ahead; with 0, which is the default, a batch is made when it is asked for.
    ///
    /// The batches and their order are the same, to the bit, for any number. At most two a thread are kept ahead. The threads
    /// start with the first batch that is asked for, hold a clone of the data set, and end with the iterator: dropped early, it waits
    /// for the batches that are being made. A panic in [`Samples::batch`] reaches the caller when that batch's turn comes, with the
    /// batches before it delivered; asked again, the iterator tries that batch again.
    ///
    /// The data sets of this crate share what they hold when they are cloned. Put one of your own, if it is large, into an
    /// [`Arc`].
    ///
    /// Memory is that of the batches that are kept ahead: one that is dropped goes back to the threads that make them.
    /// `cargo bench -p datasets --bench loader` measures it.
    ///
    /// # Panics
    ///
    /// The iterator panics if the system cannot start a thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::Loader;
    ///
    /// let train = datasets::digits::load()?.train;
    /// let loader = Loader::new(&train, 64).shuffle(7);
    /// for (ahead, here) in loader.workers(2).iter().zip(loader) {
    ///     assert_eq!(ahead.images.to_vec(), here.images.to_vec());
    /// }
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn workers(self, number: usize) -> Self
    where
        S: Clone + Send + Sync + 'static,
        S::Batch: Send + 'static,
    {
        Loader { workers: (number > 0).then_some((number, start as Start<S>)), ..self }
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        let samples = self.samples.len();
        if self.drop_last { samples / self.batch_size } else { samples.div_ceil(self.batch_size) }
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches. `for batch in loader` does the same.
    pub fn iter(&self) -> Batches<'a, S> {
        let samples = self.samples.len();
        let mut order = match self.seed {
            Some(seed) => Rng::seed(seed).stream(SHUFFLE).stream(self.epoch).permutation(samples),
            None => (0..samples).collect(),
        };
        if self.drop_last {
            order.truncate(samples - samples % self.batch_size);
        }
        let augment = self.augment.map(|(augment, seed, images)| {
            (augment, Rng::seed(seed).stream(AUGMENT).stream(self.epoch), images)
        });
        Batches {
            samples: self.samples,
            plan: Arc::new(Plan { order, batch_size: self.batch_size, augment }),
            next: 0,
            workers: self.workers,
            running: None,
        }
    }
}

impl<'a, S: Samples> IntoIterator for Loader<'a, S> {
    type Item = S::Batch;
    type IntoIter = Batches<'a, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, S: Samples> IntoIterator for &Loader<'a, S> {
    type Item = S::Batch;
    type IntoIter = Batches<'a, S>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What the batches of an epoch are, whoever makes them and when.
struct Plan<B> {
    order: Vec<usize>,
    batch_size: usize,
    augment: Option<(Augment, Rng, ImagesOf<B>)>,
}

impl<B> Plan<B> {
    /// How many batches there are.
    fn len(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Batch `number`, below the length.
    fn make(&self, samples: &impl Samples<Batch = B>, number: usize) -> B {
        let indices = &self.order[number * self.batch_size..];
        let indices = &indices[..indices.len().min(self.batch_size)];
        let mut batch = samples.batch(indices);
        if let Some((augment, rng, images)) = &self.augment
            && let Some(images) = images(&mut batch)
        {
            augment.apply_all(images, indices, rng);
        }
        batch
    }
}

fn start<S>(number: usize, batches: &Batches<'_, S>) -> Workers<S::Batch>
where
    S: Samples<Batch: Send + 'static> + Clone + Send + Sync + 'static,
{
    let (samples, plan, first) = (batches.samples.clone(), Arc::clone(&batches.plan), batches.next);
    Workers::start(number, batches.len(), move |batch| plan.make(&samples, first + batch))
}

/// The batches of a [`Loader`], in order. A clone goes on from the same batch, with threads of its own.
pub struct Batches<'a, S: Samples = Dataset> {
    samples: &'a S,
    plan: Arc<Plan<S::Batch>>,
    next: usize,
    workers: Option<(usize, Start<S>)>,
    running: Option<Workers<S::Batch>>,
}

impl<S: Samples> Clone for Batches<'_, S> {
    fn clone(&self) -> Self {
        Batches { plan: Arc::clone(&self.plan), running: None, ..*self }
    }
}

impl<S: Samples> fmt::Debug for Batches<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("next", &self.next).field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<S: Samples> Iterator for Batches<'_, S> {
    type Item = S::Batch;

    fn next(&mut self) -> Option<S::Batch> {
        if self.len() == 0 {
            return None;
        }
        let batch = if let Some((number, start)) = self.workers {
            // If this panics, the threads end, and the next call starts others at the same batch.
            let mut running = self.running.take().unwrap_or_else(|| start(number, self));
            let batch = running.take();
            self.running = (self.len() > 1).then_some(running);
            batch
        } else {
            self.plan.make(self.samples, self.next)
        };
        self.next += 1;
        Some(batch)
    }

    /// Leaves batches out without making them: `skip` takes an epoch up where it was left.
    fn nth(&mut self, n: usize) -> Option<S::Batch> {
        if n > 0 {
            self.running = None;
            self.next = self.next.saturating_add(n).min(self.plan.len());
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.plan.len() - self.next;
        (left, Some(left))
    }
}

impl<S: Samples> ExactSizeIterator for Batches<'_, S> {}

impl<S: Samples> FusedIterator for Batches<'_, S> {}
