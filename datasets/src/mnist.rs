//! MNIST, and data sets laid out as it is: Fashion-MNIST, Kuzushiji-MNIST.
//!
//! MNIST: 60,000 + 10,000 handwritten digits, 28x28 grey pixels, ten classes. Fashion-MNIST (Xiao, Rasul and Vollgraf,
//! arXiv:1708.07747): as many pieces of clothing, a harder task of the same form.

use std::path::{Path, PathBuf};

use crate::{Dataset, Error, Result, Split, idx};

/// The folder of the copy of MNIST that ships in this repository, as it was when this crate was compiled.
pub const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");

/// The folder of the copy of Fashion-MNIST, likewise.
pub const SHIPPED_FASHION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/fashion-mnist");

/// What the classes of Fashion-MNIST are.
pub const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

const CLASSES: usize = 10;

/// Reads MNIST from the copy that ships in this repository, in well under a second.
///
/// # Errors
///
/// If the repository was moved after compilation, or its files were changed: see [`load`].
///
/// # Examples
///
/// ```
/// let datasets::Split { train, test } = datasets::mnist::shipped()?;
/// assert_eq!((train.len(), test.len()), (60_000, 10_000));
/// assert_eq!((train.shape(), train.classes()), ([1, 28, 28], 10));
/// assert_eq!(train.labels()[..5], [5, 0, 4, 1, 9]);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn shipped() -> Result<Split> {
    load(SHIPPED)
}

/// Reads Fashion-MNIST from the copy that ships in this repository.
///
/// # Errors
///
/// As [`shipped`].
///
/// # Examples
///
/// ```
/// use datasets::mnist;
///
/// let datasets::Split { train, test } = mnist::fashion()?;
/// assert_eq!((train.len(), test.len()), (60_000, 10_000));
/// assert_eq!(mnist::FASHION_CLASSES[train.labels()[0]], "Ankle boot");
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn fashion() -> Result<Split> {
    load(SHIPPED_FASHION)
}

/// Reads the four IDX files of MNIST, or of a data set laid out as it is, from a folder.
///
/// They are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each with `.gz` at the end or without (with, if both are there). Labels must be
/// below 10; images of any size will do, bytes are divided by 255.
///
/// # Errors
///
/// If a file is missing, cannot be read, or is not sound (see [`idx::read_images`]), a label is 10 or more,
/// or images and labels differ in number.
///
/// # Examples
///
/// ```no_run
/// // Kuzushiji-MNIST, downloaded from https://github.com/rois-codh/kmnist
/// let characters = datasets::mnist::load("kmnist")?;
/// assert_eq!(characters.train.len(), 60_000);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn load(folder: impl AsRef<Path>) -> Result<Split> {
    let folder = folder.as_ref();
    Ok(Split {
        train: read(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte")?,
        test: read(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")?,
    })
}

fn read(folder: &Path, images: &'static str, labels: &'static str) -> Result<Dataset> {
    let (images_path, labels_path) = (find(folder, images)?, find(folder, labels)?);
    let images = idx::read_images(&images_path)?;
    let labels = idx::read_labels(&labels_path)?;
    let shape = [1, images.rows, images.columns];
    let (images_file, labels_file) = (images_path.display().to_string(), labels_path.display().to_string());
    Dataset::from_files(&images_file, &labels_file, shape, images.pixels, labels, CLASSES)
}

fn find(folder: &Path, file: &'static str) -> Result<PathBuf> {
    [folder.join(format!("{file}.gz")), folder.join(file)]
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| Error::Missing { folder: folder.display().to_string(), file })
}
