//! The IDX format of MNIST and its relatives, plain or gzip.
//!
//! Big-endian. Images: `u32` magic number 0x00000803, `u32` count, `u32` rows, `u32` columns, then one byte a
//! pixel, image by image, row by row. Labels: `u32` magic number 0x00000801, `u32` count, then one byte a
//! label. Nothing may follow. Gzip is told by its first two bytes, not by the file's name.
//!
//! A header is not believed: memory grows with the bytes that arrive, and [`LIMIT`] and [`LABEL_LIMIT`] cap
//! both what a header may promise and what a compressed file may unfold into.

use std::fmt;
use std::path::Path;

use crate::error::times;
use crate::source::Source;
use crate::{Error, Result};

/// The most bytes a file of images may hold, uncompressed and with its header: 1 GiB. MNIST's largest holds
/// 47 MB.
pub const LIMIT: usize = 1 << 30;

/// The most bytes a file of labels may hold, uncompressed and with its header: 128 MiB, which as `usize` take
/// 1 GiB.
pub const LABEL_LIMIT: usize = 1 << 27;

/// Grey images, one byte a pixel.
///
/// # Examples
///
/// ```
/// let file = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];
/// let images = datasets::idx::parse_images("two.idx", &file)?;
/// assert_eq!((images.count, images.rows, images.columns), (2, 1, 3));
/// assert_eq!(images.pixels, [10, 20, 30, 40, 50, 60]);
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Images {
    /// How many images there are.
    pub count: usize,
    /// The height of an image, in pixels.
    pub rows: usize,
    /// The width of an image, in pixels.
    pub columns: usize,
    /// `count * rows * columns` pixels: image by image, row by row.
    pub pixels: Vec<u8>,
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Images { count, rows, columns, .. } = self;
        f.debug_struct("Images")
            .field("count", count)
            .field("rows", rows)
            .field("columns", columns)
            .finish_non_exhaustive()
    }
}

/// Reads a file of images.
///
/// # Errors
///
/// If the file cannot be read, is not an IDX file of images, is cut short or goes on after the last image, is
/// damaged gzip, has images without pixels, or is larger than [`LIMIT`].
///
/// # Examples
///
/// ```
/// use std::path::Path;
/// use datasets::{idx, mnist};
///
/// let images = idx::read_images(Path::new(mnist::SHIPPED).join("t10k-images-idx3-ubyte.gz"))?;
/// assert_eq!((images.count, images.rows, images.columns), (10_000, 28, 28));
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn read_images(path: impl AsRef<Path>) -> Result<Images> {
    images(Source::open(path.as_ref(), LIMIT)?)
}

/// Reads images from bytes; `name` is what errors call them. For an example see [`Images`].
///
/// # Errors
///
/// As [`read_images`].
pub fn parse_images(name: &str, bytes: &[u8]) -> Result<Images> {
    images(Source::new(name, bytes, LIMIT)?)
}

/// Reads a file of labels.
///
/// # Errors
///
/// If the file cannot be read, is not an IDX file of labels, is cut short or goes on after the last label, is
/// damaged gzip, or is larger than [`LABEL_LIMIT`].
///
/// # Examples
///
/// ```
/// use std::path::Path;
/// use datasets::{idx, mnist};
///
/// let labels = idx::read_labels(Path::new(mnist::SHIPPED).join("t10k-labels-idx1-ubyte.gz"))?;
/// assert_eq!(labels[..5], [7, 2, 1, 0, 4]);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<usize>> {
    labels(Source::open(path.as_ref(), LABEL_LIMIT)?)
}

/// Reads labels from bytes; `name` is what errors call them.
///
/// # Errors
///
/// As [`read_labels`].
///
/// # Examples
///
/// ```
/// let labels = datasets::idx::parse_labels("three.idx", &[0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4])?;
/// assert_eq!(labels, [5, 0, 4]);
/// # Ok::<(), datasets::Error>(())
/// ```
pub fn parse_labels(name: &str, bytes: &[u8]) -> Result<Vec<usize>> {
    labels(Source::new(name, bytes, LABEL_LIMIT)?)
}

fn images(mut source: Source<'_>) -> Result<Images> {
    let sizes = header::<3>(&mut source, 0x0803, "images")?;
    let [count, rows, columns] = sizes.map(|size| size as usize);
    if rows == 0 || columns == 0 {
        return Err(Error::Shape { name: source.file, shape: times(&[rows, columns]) });
    }
    let mut pixels = Vec::new();
    body(&mut source, &sizes, &mut pixels)?;
    Ok(Images { count, rows, columns, pixels })
}

fn labels(mut source: Source<'_>) -> Result<Vec<usize>> {
    let sizes = header::<1>(&mut source, 0x0801, "labels")?;
    let mut labels = Vec::new();
    body(&mut source, &sizes, &mut labels)?;
    Ok(labels.into_iter().map(usize::from).collect())
}

/// The `N` sizes that follow the magic number.
fn header<const N: usize>(source: &mut Source<'_>, expected: u32, kind: &'static str) -> Result<[u32; N]> {
    let file = source.file.clone();
    let mut bytes = Vec::new();
    source.read(4 + 4 * N, &mut bytes)?;
    let words: Vec<u32> = bytes.as_chunks().0.iter().map(|&word| u32::from_be_bytes(word)).collect();
    match words[..] {
        [found, ..] if found != expected => Err(Error::Magic { file, found, expected, kind }),
        [_, ref sizes @ ..] if sizes.len() == N => Ok(std::array::from_fn(|axis| sizes[axis])),
        _ => Err(Error::Header { file, found: bytes.len(), expected: 4 + 4 * N }),
    }
}

/// Appends the elements to `elements`: exactly as many as the header promises, and nothing after them.
fn body(source: &mut Source<'_>, sizes: &[u32], elements: &mut Vec<u8>) -> Result<()> {
    let promised = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size as usize));
    let room = source.limit.saturating_sub(4 + 4 * sizes.len());
    let Some(promised) = promised.filter(|&promised| promised <= room) else {
        let (file, limit) = (source.file.clone(), source.limit);
        return Err(Error::Promise { file, sizes: times(sizes), limit });
    };
    source.read(promised, elements)?;
    let found = elements.len() + source.count_rest()?;
    if found != promised {
        let promised =
            if sizes.len() == 1 { promised.to_string() } else { format!("{} = {promised}", times(sizes)) };
        return Err(Error::Length { file: source.file.clone(), promised, found });
    }
    elements.shrink_to_fit();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    /// A sound file of `count` images of `rows` x `columns`.
    fn file(count: u32, rows: u32, columns: u32) -> Vec<u8> {
        let header = [0x0803, count, rows, columns].into_iter().flat_map(u32::to_be_bytes);
        header.chain((0..count * rows * columns).map(|pixel| pixel as u8)).collect()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// Reads the bytes as images and says how much memory the pixels were given, sound or not.
    fn allocated(bytes: &[u8], limit: usize) -> usize {
        let mut pixels = Vec::new();
        let mut source = Source::new("allocated", bytes, limit).unwrap();
        if let Ok(sizes) = header::<3>(&mut source, 0x0803, "images") {
            let _ = body(&mut source, &sizes, &mut pixels);
        }
        pixels.capacity()
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let mut bomb = file(9, 10, 10);
        bomb.resize(1_000_000, 0);
        let bomb = gzip(&bomb);
        assert!(bomb.len() < 2_000);

        let error = images(Source::new("bomb.gz", &bomb[..], 1_000).unwrap()).unwrap_err();
        insta::assert_snapshot!(error, @"bomb.gz: holds more than 1000 bytes, the limit of this reader");
        assert!(allocated(&bomb, 1_000) <= 2_000);
    }

    #[test]
    fn a_promise_beyond_the_limit_is_not_read() {
        let bytes = file(9, 10, 10);
        let error = images(Source::new("big", &bytes[..], 915).unwrap()).unwrap_err();
        insta::assert_snapshot!(
            error,
            @"big: header promises 9 x 10 x 10 bytes, more than 915, the limit of this reader"
        );
        assert_eq!(allocated(&bytes, 915), 0);
        assert!(images(Source::new("just right", &bytes[..], 916).unwrap()).is_ok());
    }

    proptest! {
        /// Whatever the header says, memory follows the bytes that are there.
        #[test]
        fn memory_grows_with_the_bytes_not_with_the_header(
            sizes in any::<[u32; 3]>(),
            shifts in prop::array::uniform3(0u32..32),
            content in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let sizes: [u32; 3] = std::array::from_fn(|axis| sizes[axis] >> shifts[axis]);
            let header = [0x0803].into_iter().chain(sizes).flat_map(u32::to_be_bytes);
            let bytes: Vec<u8> = header.chain(content).collect();
            prop_assert!(allocated(&bytes, LIMIT) <= 2 * bytes.len() + 64);
            prop_assert!(allocated(&gzip(&bytes), LIMIT) <= 2 * bytes.len() + 64);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(parse_images("noise", &bytes).is_err());
            let gzipped = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], &bytes[..]].concat();
            prop_assert!(parse_images("noise.gz", &gzipped).is_err());
            prop_assert!(parse_labels("noise.gz", &gzipped).is_err());
        }

        /// A byte of a sound file is replaced: the reader fails, or reads just what the file then says.
        #[test]
        fn a_damaged_file_is_refused_or_read_as_it_is(at in any::<prop::sample::Index>(), byte: u8) {
            let sound = file(3, 4, 5);
            let mut plain = sound.clone();
            plain[at.index(sound.len())] = byte;
            if let Ok(images) = parse_images("plain", &plain) {
                prop_assert_eq!((images.count * images.rows, images.columns), (12, 5));
                prop_assert_eq!(&images.pixels, &plain[16..]);
            }
            let mut zipped = gzip(&sound);
            let at = at.index(zipped.len());
            zipped[at] = byte;
            // What the compressed header says of name and time does not matter; damage to the content shows.
            if let Ok(images) = parse_images("zipped", &zipped) {
                prop_assert_eq!(&images.pixels, &sound[16..]);
            }
        }

        #[test]
        fn what_is_written_is_read(count in 0u32..5, rows in 1u32..6, columns in 1u32..6) {
            let bytes = file(count, rows, columns);
            let images = parse_images("plain", &bytes).unwrap();
            let sizes = [images.count, images.rows, images.columns];
            prop_assert_eq!(sizes, [count, rows, columns].map(|size| size as usize));
            prop_assert_eq!(&images.pixels, &bytes[16..]);
            prop_assert_eq!(parse_images("zipped", &gzip(&bytes)).unwrap(), images);
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let images = file(3, 4, 5);
        let labels: Vec<u8> = [0, 0, 8, 1, 0, 0, 0, 5, 3, 1, 4, 1, 5].into();
        for whole in [images.clone(), gzip(&images)] {
            assert!(parse_images("whole", &whole).is_ok());
            for length in 0..whole.len() {
                assert!(parse_images("cut", &whole[..length]).is_err(), "{length} of {} bytes", whole.len());
            }
        }
        for whole in [labels.clone(), gzip(&labels)] {
            assert_eq!(parse_labels("whole", &whole).unwrap(), [3, 1, 4, 1, 5]);
            for length in 0..whole.len() {
                assert!(parse_labels("cut", &whole[..length]).is_err(), "{length} of {} bytes", whole.len());
            }
        }
    }
}
