//! A data set in batches, in order or shuffled.

use std::iter::FusedIterator;

use autodiff::Rng;

use crate::{Augment, Batch, Dataset};

/// The use that keys the random stream ("shuffle" in ASCII): a model that is seeded with the same number
/// draws others.
const SHUFFLE: u64 = 0x73_6875_6666_6c65;
/// The same for changes to images ("augment").
const AUGMENT: u64 = 0x61_7567_6d65_6e74;

/// One pass over a data set, in batches.
///
/// Each image comes exactly once, in the order of the data set or, with [`shuffle`](Loader::shuffle), in one
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
#[derive(Clone, Copy, Debug)]
pub struct Loader<'a> {
    dataset: &'a Dataset,
    batch_size: usize,
    seed: Option<u64>,
    epoch: u64,
    drop_last: bool,
    augment: Option<(Augment, u64)>,
}

impl<'a> Loader<'a> {
    /// Batches of `batch_size` images, in the order of the data set.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
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
    pub fn new(dataset: &'a Dataset, batch_size: usize) -> Loader<'a> {
        assert!(batch_size > 0, "loader: a batch size of 0 makes no batches");
        Loader { dataset, batch_size, seed: None, epoch: 0, drop_last: false, augment: None }
    }

    /// Shuffles the images, by this seed and the number of the epoch.
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
    pub fn shuffle(self, seed: u64) -> Loader<'a> {
        Loader { seed: Some(seed), ..self }
    }

    /// Takes the order of epoch `number` (0, unless said otherwise). Without [`shuffle`](Loader::shuffle) all
    /// epochs are alike. For an example see [`Loader`].
    pub fn epoch(self, number: u64) -> Loader<'a> {
        Loader { epoch: number, ..self }
    }

    /// Whether to leave out the last batch if it is smaller than the others. Which images that leaves out
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
    pub fn drop_last(self, drop_last: bool) -> Loader<'a> {
        Loader { drop_last, ..self }
    }

    /// Changes each image at random, by this seed, the number of the epoch and the index of the image.
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
    pub fn augment(self, augment: Augment, seed: u64) -> Loader<'a> {
        Loader { augment: Some((augment, seed)), ..self }
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        let images = self.dataset.len();
        if self.drop_last { images / self.batch_size } else { images.div_ceil(self.batch_size) }
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches, each made when it is asked for. `for batch in loader` does the same.
    pub fn iter(&self) -> Batches<'a> {
        let images = self.dataset.len();
        let order = match self.seed {
            Some(seed) => Rng::seed(seed).stream(SHUFFLE).stream(self.epoch).permutation(images),
            None => (0..images).collect(),
        };
        let end = if self.drop_last { images - images % self.batch_size } else { images };
        let augment =
            self.augment.map(|(augment, seed)| (augment, Rng::seed(seed).stream(AUGMENT).stream(self.epoch)));
        Batches { dataset: self.dataset, batch_size: self.batch_size, order, next: 0, end, augment }
    }
}

impl<'a> IntoIterator for Loader<'a> {
    type Item = Batch;
    type IntoIter = Batches<'a>;

    fn into_iter(self) -> Batches<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Loader<'a> {
    type Item = Batch;
    type IntoIter = Batches<'a>;

    fn into_iter(self) -> Batches<'a> {
        self.iter()
    }
}

/// The batches of a [`Loader`], in order.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    dataset: &'a Dataset,
    batch_size: usize,
    order: Vec<usize>,
    next: usize,
    end: usize,
    augment: Option<(Augment, Rng)>,
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let indices = &self.order[self.next..self.end];
        let indices = &indices[..indices.len().min(self.batch_size)];
        if indices.is_empty() {
            return None;
        }
        self.next += indices.len();
        // Batches carry no `Result`, since nothing is left to go wrong: the data set was checked when it was
        // made, and these indices are its own. A panic here is a fault of this crate, or an image of more
        // values than a tensor can hold.
        let change = |index: usize, image: &mut [f32]| {
            if let Some((augment, stream)) = &self.augment {
                augment.apply(image, self.dataset.shape(), &mut stream.stream(index as u64));
            }
        };
        Some(self.dataset.batch_with(indices, change).unwrap_or_else(|error| panic!("loader: {error}")))
    }

    /// Leaves batches out without making them: `skip` takes an epoch up where it was left.
    fn nth(&mut self, n: usize) -> Option<Batch> {
        self.next = n.saturating_mul(self.batch_size).saturating_add(self.next).min(self.end);
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.end - self.next).div_ceil(self.batch_size);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches<'_> {}

impl FusedIterator for Batches<'_> {}
