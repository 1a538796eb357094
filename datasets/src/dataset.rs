//! Images in memory with their labels, and batches of them as tensors.

use std::fmt;
use std::sync::Arc;

use autodiff::{Shape, Tensor};

use crate::error::times;
use crate::{Error, Result, Samples};

/// Images with labels.
///
/// The images are kept as bytes, as in the files: MNIST takes 47 MB. [`batch`](Dataset::batch) and
/// [`all`](Dataset::all) divide each byte by [`divisor`](Dataset::divisor) and give `f32` values from 0
/// (background) to 1 (full ink). A clone shares them.
///
/// A data set is checked when it is made: there is a label for each image, each label is one of the classes,
/// and no pixel exceeds the divisor.
///
/// # Examples
///
/// ```
/// use datasets::Dataset;
///
/// // Two images of 1 channel, 2 rows and 2 columns; three classes.
/// let pixels = vec![0, 255, 51, 0, 255, 255, 0, 0];
/// let data = Dataset::new("corners", [1, 2, 2], pixels, vec![0, 2], 3)?;
/// assert_eq!(data.len(), 2);
///
/// let batch = data.all()?;
/// assert_eq!(batch.images.shape(), [2, 1, 2, 2]);
/// assert_eq!(batch.images.to_vec()[..4], [0.0, 1.0, 0.2, 0.0]);
/// assert_eq!(batch.labels, [0, 2]);
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone)]
pub struct Dataset {
    name: String,
    shape: [usize; 3],
    divisor: u8,
    classes: usize,
    pixels: Arc<Vec<u8>>,
    labels: Arc<Vec<usize>>,
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("len", &self.len())
            .field("shape", &self.shape)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    /// A data set of `labels.len()` images of shape `[channels, height, width]`, one byte a value, image by
    /// image, with labels below `classes`. Its divisor is 255. `name` is what errors call it. For an example
    /// see [`Dataset`].
    ///
    /// # Errors
    ///
    /// If an image would have no pixels, the pixels are not a whole number of images, there are more or fewer
    /// images than labels, or a label is not below `classes`.
    pub fn new(
        name: &str,
        shape: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<usize>,
        classes: usize,
    ) -> Result<Dataset> {
        Dataset::from_files(name, name, shape, pixels, labels, classes)
    }

    /// [`new`](Dataset::new) where images and labels come from two files.
    pub(crate) fn from_files(
        images_file: &str,
        labels_file: &str,
        shape: [usize; 3],
        pixels: Vec<u8>,
        labels: Vec<usize>,
        classes: usize,
    ) -> Result<Dataset> {
        let name = images_file.to_owned();
        let image_len = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let Some(image_len) = image_len.filter(|&image_len| image_len > 0) else {
            return Err(Error::Shape { name, shape: times(&shape) });
        };
        if !pixels.len().is_multiple_of(image_len) {
            return Err(Error::Pixels { name, pixels: pixels.len(), shape: times(&shape) });
        }
        let (image_count, label_count) = (pixels.len() / image_len, labels.len());
        if image_count != label_count {
            return Err(Error::Counts {
                images: name,
                image_count,
                labels: labels_file.to_owned(),
                label_count,
            });
        }
        if let Some((index, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            return Err(Error::Label { name: labels_file.to_owned(), label, index, classes });
        }
        let (pixels, labels) = (Arc::new(pixels), Arc::new(labels));
        Ok(Dataset { name, shape, divisor: u8::MAX, classes, pixels, labels })
    }

    /// The same images, divided by `divisor` rather than 255 when they become `f32`.
    ///
    /// # Errors
    ///
    /// If a pixel exceeds `divisor`, so that it would come out above 1, or `divisor` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::Dataset;
    ///
    /// let grey = Dataset::new("grey", [1, 1, 3], vec![0, 8, 16], vec![0], 1)?.with_divisor(16)?;
    /// assert_eq!(grey.all()?.images.to_vec(), [0.0, 0.5, 1.0]);
    /// assert_eq!(
    ///     grey.with_divisor(15).unwrap_err().to_string(),
    ///     "grey: divisor 15 does not bring pixels of up to 16 into 0..1",
    /// );
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn with_divisor(self, divisor: u8) -> Result<Dataset> {
        let largest = self.pixels.iter().copied().max().unwrap_or(0);
        if divisor == 0 || divisor < largest {
            return Err(Error::Divisor { name: self.name, divisor, largest });
        }
        Ok(Dataset { divisor, ..self })
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The shape of an image: `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// How many classes there are: labels are `0..classes`.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What bytes are divided by when they become `f32`: the byte of full ink, 255 unless said otherwise.
    pub fn divisor(&self) -> u8 {
        self.divisor
    }

    /// The label of each image.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The bytes of an image, `channels * height * width` of them, row by row: to print or to save it.
    ///
    /// # Errors
    ///
    /// If there is no image of this index.
    ///
    /// # Examples
    ///
    /// ```
    /// let digits = datasets::digits::load()?.train;
    /// let rows: Vec<String> = digits
    ///     .image(0)?
    ///     .chunks_exact(8)
    ///     .map(|row| row.iter().map(|&ink| if ink > 7 { '#' } else { '.' }).collect())
    ///     .collect();
    /// assert_eq!(rows[..4], ["...##...", "..####..", "..#..##.", "..#..##."]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn image(&self, index: usize) -> Result<&[u8]> {
        if index >= self.len() {
            return Err(Error::Index { name: self.name.clone(), index, len: self.len() });
        }
        let len = self.image_len();
        Ok(&self.pixels[index * len..][..len])
    }

    /// The images of these indices, in their order: a range, a permutation, a bootstrap sample. Copies them.
    ///
    /// # Errors
    ///
    /// If there is no image of one of the indices.
    ///
    /// # Examples
    ///
    /// ```
    /// let digits = datasets::digits::load()?.train;
    /// let (train, validation) = (digits.subset(0..1_200)?, digits.subset(1_200..1_500)?);
    /// assert_eq!((train.len(), validation.len()), (1_200, 300));
    /// assert_eq!(digits.subset([7, 3, 3])?.labels(), [7, 3, 3]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn subset(&self, indices: impl IntoIterator<Item = usize>) -> Result<Dataset> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for index in indices {
            pixels.extend_from_slice(self.image(index)?);
            labels.push(self.labels[index]);
        }
        Ok(self.with_images(pixels, labels))
    }

    /// The first `count` images, or all if there are fewer. Copies them.
    ///
    /// # Examples
    ///
    /// ```
    /// let digits = datasets::digits::load()?.test;
    /// assert_eq!(digits.take(100).len(), 100);
    /// assert_eq!(digits.take(1_000).len(), 297);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn take(&self, count: usize) -> Dataset {
        let count = count.min(self.len());
        self.with_images(self.pixels[..count * self.image_len()].to_vec(), self.labels[..count].to_vec())
    }

    /// Other images of the same kind.
    fn with_images(&self, pixels: Vec<u8>, labels: Vec<usize>) -> Dataset {
        Dataset { name: self.name.clone(), pixels: Arc::new(pixels), labels: Arc::new(labels), ..*self }
    }

    /// The images of these indices as one tensor, with their labels.
    ///
    /// # Errors
    ///
    /// If there is no image of one of the indices, or the shape is one that a tensor cannot have.
    ///
    /// # Examples
    ///
    /// ```
    /// let batch = datasets::digits::load()?.train.batch(&[9, 0])?;
    /// assert_eq!(batch.images.shape(), [2, 1, 8, 8]);
    /// assert_eq!(batch.labels, [9, 0]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let images = indices.iter().map(|&index| self.image(index)).collect::<Result<Vec<_>>>()?;
        let divisor = f32::from(self.divisor);
        let mut values = Vec::with_capacity(images.len() * self.image_len());
        for image in images {
            values.extend(image.iter().map(|&pixel| f32::from(pixel) / divisor));
        }
        let [channels, height, width] = self.shape;
        let images = Shape::new(&[indices.len(), channels, height, width])
            .and_then(|shape| Tensor::from_vec(values, shape))
            .map_err(|error| Error::Tensor { name: self.name.clone(), error })?;
        Ok(Batch { images, labels: indices.iter().map(|&index| self.labels[index]).collect() })
    }

    /// Everything as one batch: four bytes a value, so four times the memory of the data set.
    ///
    /// # Errors
    ///
    /// If the shape is one that a tensor cannot have.
    ///
    /// # Examples
    ///
    /// ```
    /// let test = datasets::digits::load()?.test.all()?;
    /// assert_eq!(test.images.shape(), [297, 1, 8, 8]);
    /// assert_eq!(test.len(), 297);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn all(&self) -> Result<Batch> {
        self.batch(&(0..self.len()).collect::<Vec<_>>())
    }

    /// Values of an image. The product does not overflow: the shape is checked when the data set is made.
    fn image_len(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Samples for Dataset {
    type Batch = Batch;

    fn len(&self) -> usize {
        self.labels.len()
    }

    // There is no `Result` here, since nothing is left to go wrong: the data set was checked when it was made, and a loader
    // asks for its own indices. A panic is a fault of the caller, or an image of more values than a tensor can hold.
    fn batch(&self, indices: &[usize]) -> Batch {
        self.batch(indices).unwrap_or_else(|error| panic!("loader: {error}"))
    }
}

/// What a data set is usually cut into: images to train on and images to test on.
///
/// # Examples
///
/// ```
/// let datasets::Split { train, test } = datasets::digits::load()?;
/// assert_eq!((train.len(), test.len()), (1_500, 297));
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Split {
    /// The images to train on.
    pub train: Dataset,
    /// The images to test on.
    pub test: Dataset,
}

/// Images as one tensor, with their labels. For an example see [`Dataset`].
#[derive(Clone, Debug)]
pub struct Batch {
    /// Shape `[n, channels, height, width]`, values from 0 to 1.
    pub images: Tensor,
    /// The `n` labels, for `logits.cross_entropy(&batch.labels)`.
    pub labels: Vec<usize>,
}

impl Batch {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}
