//! Folders of images, one a class: torchvision's layout.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autodiff::{Shape, Tensor};
use png::{BitDepth, ColorType, Decoder, Transformations};

use crate::error::times;
use crate::{Batch, Error, Result, Samples};

/// The most bytes an image may hold, decoded: 64 MiB.
const LIMIT: usize = 1 << 26;

/// The formats of torchvision's `ImageFolder`. One that is not read is an error, not silently left out.
const FORMATS: [&str; 9] = ["png", "jpg", "jpeg", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// Images in files, one folder a class: `root/cat/1.png`, `root/cat/more/2.png`, `root/dog/1.png`, as torchvision's class of that name.
///
/// The classes are the folders in `root`, sorted by name, and are numbered from 0; the images of a class are the PNG
/// files in its folder and those below (links to folders are not followed), sorted by path. Files that are no images are left out.
///
/// Opening lists the files and reads the size of the first; the others are read when a batch asks for them, so that a folder may
/// be larger than the memory. A [`Loader`](crate::Loader) yields a `Result` of each batch, and reads ahead with
/// [`workers`](crate::Loader::workers).
///
/// Images are grey (one channel) or RGB (three), of 1 to 16 bits or with a palette, without transparency, and all of one size: there
/// is no resizing. Values are `byte / 255` or, of 16 bits, `value / 65535`.
///
/// # Examples
///
/// ```no_run
/// use datasets::{ImageFolder, Loader};
///
/// let pets = ImageFolder::open("pets/train")?;
/// println!("{} images of {:?}", pets.len(), pets.classes());
/// for batch in Loader::new(&pets, 32).shuffle(7).workers(2) {
///     let batch = batch?; // an error names the file
///     println!("{}", batch.images.shape());
/// }
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder {
    listing: Arc<Listing>,
}

#[derive(Debug)]
struct Listing {
    root: PathBuf,
    classes: Vec<String>,
    files: Vec<PathBuf>,
    labels: Vec<usize>,
    shape: [usize; 3],
}

impl ImageFolder {
    /// Lists a folder, and reads its first image for the shape.
    ///
    /// # Errors
    /// If a folder cannot be listed, holds no folder or a class holds no PNG file, there is an image of another format, or the
    /// first image cannot be read.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref();
        let (mut classes, mut files, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for (path, is_folder) in entries(root)? {
            if is_folder {
                let before = files.len();
                list(&path, &mut files)?;
                if files.len() == before {
                    return Err(Error::NoImages { folder: path.display().to_string() });
                }
                labels.resize(files.len(), classes.len());
                classes.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
        }
        let Some(first) = files.first() else {
            return Err(Error::NoClasses { folder: root.display().to_string() });
        };
        let shape = decode(first)?.0;
        Ok(Self { listing: Arc::new(Listing { root: root.to_owned(), classes, files, labels, shape }) })
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.listing.files.len()
    }

    /// Whether there are no images: never.
    pub fn is_empty(&self) -> bool {
        self.listing.files.is_empty()
    }

    /// The shape of an image: `[channels, height, width]`.
    pub fn shape(&self) -> [usize; 3] {
        self.listing.shape
    }

    /// The names of the classes: of label 0, 1 and so on.
    pub fn classes(&self) -> &[String] {
        &self.listing.classes
    }

    /// The label of each image.
    pub fn labels(&self) -> &[usize] {
        &self.listing.labels
    }

    /// The file of each image.
    pub fn files(&self) -> &[PathBuf] {
        &self.listing.files
    }

    /// The images of these indices as one tensor, with their labels, read now.
    ///
    /// # Errors
    /// If there is no image of one of the indices, a file cannot be read or is not a sound PNG file, or an image has another
    /// size than the first. The error names the file.
    pub fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let Listing { root, files, labels, shape, .. } = &*self.listing;
        let mut values = Vec::with_capacity(indices.len() * shape.iter().product::<usize>());
        for &index in indices {
            let Some(path) = files.get(index) else {
                return Err(Error::Index { name: root.display().to_string(), index, len: files.len() });
            };
            let (found, image) = decode(path)?;
            if found != *shape {
                return Err(Error::Size {
                    file: path.display().to_string(),
                    found: times(&found),
                    first: files[0].display().to_string(),
                    expected: times(shape),
                });
            }
            values.extend(image);
        }
        let [channels, height, width] = *shape;
        let images = Shape::new(&[indices.len(), channels, height, width])
            .and_then(|shape| Tensor::from_vec(values, shape))
            .map_err(|error| Error::Tensor { name: root.display().to_string(), error })?;
        Ok(Batch { images, labels: indices.iter().map(|&index| labels[index]).collect() })
    }
}

impl Samples for ImageFolder {
    type Batch = Result<Batch>;

    fn len(&self) -> usize {
        self.len()
    }

    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        self.batch(indices)
    }
}

/// What a folder holds, sorted, and whether each is a folder.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool)>> {
    let list = || -> io::Result<Vec<(PathBuf, bool)>> {
        let of =
            |entry: io::Result<fs::DirEntry>| entry.and_then(|e| Ok((e.path(), e.file_type()?.is_dir())));
        fs::read_dir(folder)?.map(of).collect()
    };
    let mut entries = list().map_err(|error| Error::Io { file: folder.display().to_string(), error })?;
    entries.sort();
    Ok(entries)
}

/// Adds the images in a folder and those below.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for (path, is_folder) in entries(folder)? {
        if is_folder {
            list(&path, files)?;
            continue;
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if ending == "png" {
            files.push(path);
        } else if FORMATS.contains(&&*ending) {
            return Err(Error::Format { file: path.display().to_string() });
        }
    }
    Ok(())
}

/// The shape `[channels, height, width]` of an image, and its values from 0 to 1, channel by channel, row by row.
fn decode(path: &Path) -> Result<([usize; 3], Vec<f32>)> {
    let name = || path.display().to_string();
    let bad = |error| Error::Png { file: name(), error };
    let file = File::open(path).map_err(|error| Error::Io { file: name(), error })?;
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(bad)?;
    let (colour, depth) = reader.output_color_type();
    let channels = match colour {
        ColorType::Grayscale => 1,
        ColorType::Rgb => 3,
        _ => return Err(Error::Transparent { file: name() }),
    };
    let size = reader.output_buffer_size().filter(|&size| size <= LIMIT);
    let mut bytes = vec![0; size.ok_or_else(|| Error::TooLarge { file: name(), limit: LIMIT })?];
    let frame = reader.next_frame(&mut bytes).map_err(bad)?;
    bytes.truncate(frame.buffer_size());
    // EXPAND leaves 8 or 16 bits.
    let pixels: Vec<f32> = if depth == BitDepth::Sixteen {
        let value = |pair: &[u8]| f32::from(u16::from_be_bytes([pair[0], pair[1]])) / f32::from(u16::MAX);
        bytes.chunks_exact(2).map(value).collect()
    } else {
        bytes.into_iter().map(|byte| f32::from(byte) / f32::from(u8::MAX)).collect()
    };
    let (height, width) = (frame.height as usize, frame.width as usize);
    let values =
        (0..channels).flat_map(|channel| pixels.iter().skip(channel).step_by(channels)).copied().collect();
    Ok(([channels, height, width], values))
}
