//! What can be wrong with data.

use std::io;

/// The result of everything here that reads or checks data.
pub type Result<T> = std::result::Result<T, Error>;

/// What was wrong, in which file (or data set), with figures.
///
/// The text is complete: an error below (of the operating system, of the decompressor) is part of it and is
/// not repeated by [`source`](std::error::Error::source).
///
/// # Examples
///
/// ```
/// let error = datasets::idx::parse_labels("labels", &[0, 0, 8, 1, 0, 0, 0, 3, 7]).unwrap_err();
/// assert_eq!(error.to_string(), "labels: header promises 3 bytes, the file holds 1");
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("{file}: {error}")]
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A folder lacks one of a data set's files.
    #[error("{folder}: holds neither {file}.gz nor {file}")]
    Missing {
        /// The folder.
        folder: String,
        /// The file's name, uncompressed.
        file: &'static str,
    },
    /// The file starts as gzip does and then breaks off, or its checksum is wrong.
    #[error("{file}: odd gzip, cut or damaged after {read} bytes of content: {error}")]
    Gzip {
        /// The file.
        file: String,
        /// How many bytes of content came out before.
        read: usize,
        /// What the decompressor says.
        error: io::Error,
    },
    /// The file, uncompressed, is larger than its reader accepts.
    #[error("{file}: holds more than {limit} bytes, the limit of this reader")]
    TooLarge {
        /// The file.
        file: String,
        /// The most bytes that the reader accepts.
        limit: usize,
    },
    /// An IDX file is shorter than its header.
    #[error("{file}: {found} bytes, too few for the {expected} of the header")]
    Header {
        /// The file.
        file: String,
        /// Bytes in the file.
        found: usize,
        /// Bytes of a header of this kind.
        expected: usize,
    },
    /// An IDX file of another kind, or no IDX file.
    #[error("{file}: magic number {found:#010x} where {expected:#010x} ({kind}) is expected")]
    Magic {
        /// The file.
        file: String,
        /// The number that the file starts with.
        found: u32,
        /// The number that it should start with.
        expected: u32,
        /// What was to be read: `images` or `labels`.
        kind: &'static str,
    },
    /// An IDX header promises more than the reader accepts, or more than can be counted.
    #[error("{file}: header promises {sizes} bytes, more than {limit}, the limit of this reader")]
    Promise {
        /// The file.
        file: String,
        /// The sizes in the header, as `60000 x 28 x 28`.
        sizes: String,
        /// The most bytes that the reader accepts.
        limit: usize,
    },
    /// An IDX file is cut short, or goes on after its last element.
    #[error("{file}: header promises {promised} bytes, the file holds {found}")]
    Length {
        /// The file.
        file: String,
        /// What the header promises, as `60000 x 28 x 28 = 47040000`.
        promised: String,
        /// Bytes that follow the header.
        found: usize,
    },
    /// Images without pixels, or of more pixels than can be counted.
    #[error("{name}: an image cannot have {shape} pixels")]
    Shape {
        /// The file or data set.
        name: String,
        /// The sizes of an image, as `1 x 0 x 28`.
        shape: String,
    },
    /// The pixels do not divide into images.
    #[error("{name}: {pixels} pixels are not a whole number of images of {shape}")]
    Pixels {
        /// The data set.
        name: String,
        /// How many pixels there are.
        pixels: usize,
        /// The sizes of an image, as `1 x 28 x 28`.
        shape: String,
    },
    /// There is not one label for each image.
    #[error("{images}: {image_count} images, but {label_count} labels in {labels}")]
    Counts {
        /// The file or data set of the images.
        images: String,
        /// How many images it holds.
        image_count: usize,
        /// The file or data set of the labels.
        labels: String,
        /// How many labels it holds.
        label_count: usize,
    },
    /// A label is not one of the classes.
    #[error("{name}: label {label} of image {index} is out of range for {classes} classes")]
    Label {
        /// The file or data set of the labels.
        name: String,
        /// The label.
        label: usize,
        /// Which image it belongs to, counted from 0.
        index: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A divisor that does not bring the pixels into 0..1.
    #[error("{name}: divisor {divisor} does not bring pixels of up to {largest} into 0..1")]
    Divisor {
        /// The data set.
        name: String,
        /// The divisor.
        divisor: u8,
        /// The largest pixel.
        largest: u8,
    },
    /// An image that the data set does not have.
    #[error("{name}: index {index} is out of range for {len} images")]
    Index {
        /// The data set.
        name: String,
        /// The index asked for.
        index: usize,
        /// How many images there are.
        len: usize,
    },
    /// A table without a row.
    #[error("{file}: no rows")]
    NoRows {
        /// The file.
        file: String,
    },
    /// A row of a table is longer or shorter than the first.
    #[error("{file}: line {line}: {found} fields where the first row has {expected}")]
    Fields {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// Fields in this row.
        found: usize,
        /// Fields in the first row.
        expected: usize,
    },
    /// A field of a table is not a number, or not a finite one.
    #[error("{file}: line {line}, column {column}: {text:?} is not a finite number")]
    Number {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The field, or its start if it is long.
        text: String,
    },
    /// A value of a table that should count something or name a class does not.
    #[error("{file}: row {row}, column {column}: {value} is not a whole number from 0 up")]
    Whole {
        /// The file.
        file: String,
        /// The row, counted from 0 and without the header, as an index.
        row: usize,
        /// The column, counted from 0, as an index.
        column: usize,
        /// The value.
        value: f64,
    },
    /// Columns that the table does not have.
    #[error("{file}: columns {start}..{end} are not within 0..{columns}")]
    Columns {
        /// The file.
        file: String,
        /// The first column asked for.
        start: usize,
        /// The column after the last one asked for.
        end: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// A folder of images without a folder in it.
    #[error("{folder}: holds no folders, one for each class")]
    NoClasses {
        /// The folder.
        folder: String,
    },
    /// The folder of a class holds no image.
    #[error("{folder}: holds no PNG files")]
    NoImages {
        /// The folder.
        folder: String,
    },
    /// An image of a format that is not read.
    #[error("{file}: only PNG images are read")]
    Format {
        /// The file.
        file: String,
    },
    /// A file is not a PNG file, or damaged.
    #[error("{file}: not a sound PNG file: {error}")]
    Png {
        /// The file.
        file: String,
        /// What the decoder says.
        error: png::DecodingError,
    },
    /// An image with transparent pixels.
    #[error("{file}: has transparency; only grey and RGB images are read")]
    Transparent {
        /// The file.
        file: String,
    },
    /// An image has not the shape of the first.
    #[error("{file}: an image of {found}, where {first} has {expected}")]
    Size {
        /// The file.
        file: String,
        /// Its channels, height and width, as `1 x 28 x 28`.
        found: String,
        /// The file of the first image.
        first: String,
        /// Its channels, height and width.
        expected: String,
    },
    /// A file that was to be downloaded is there, and is another.
    #[error(
        "{file}: is there already, but its SHA-256 is {found}, not {expected}: remove it, or use another folder"
    )]
    Checksum {
        /// The file.
        file: String,
        /// Its SHA-256.
        found: String,
        /// That of the file to download.
        expected: String,
    },
    /// No mirror had a file, or none had the right one.
    #[error("{file}: no mirror has it{}", lines(attempts))]
    Download {
        /// The file.
        file: String,
        /// What was wrong with each mirror, in the order in which they were tried.
        attempts: Vec<Attempt>,
    },
    /// The values do not make a tensor: its own error says why.
    #[error("{name}: {error}")]
    Tensor {
        /// The file or data set.
        name: String,
        /// What the tensor says.
        error: autodiff::Error,
    },
}

/// An address that did not give the file.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The address.
    pub address: String,
    /// Why not.
    pub why: String,
}

/// A line for each attempt.
fn lines(attempts: &[Attempt]) -> String {
    attempts
        .iter()
        .map(|Attempt { address, why }| format!("\n  {address}: {why}"))
        .collect::<Vec<_>>()
        .concat()
}

/// Sizes as a reader of the message multiplies them: `60000 x 28 x 28`.
pub(crate) fn times<T: ToString>(sizes: &[T]) -> String {
    sizes.iter().map(T::to_string).collect::<Vec<_>>().join(" x ")
}
