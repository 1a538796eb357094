//! Tables of numbers: CSV, plain or gzip, with or without a header line.
//!
//! A row is a line, its fields are separated by commas. Blanks and quotes around a field do not count, nor do
//! empty lines. Every row must have as many fields as the first, each a finite number. The header line is
//! kept as text and may be of another length: some files put the number of samples and the names of the
//! classes there. Gzip is told by its first two bytes, not by the file's name.
//!
//! This is less than all of CSV: a quoted field cannot hold a line break, which no number needs. In return an
//! error names the line that an editor shows, and a hostile file takes no memory but its text and its values.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use autodiff::{Shape, Tensor};

use crate::source::Source;
use crate::{Error, Result};

/// The most bytes a table may hold, uncompressed: 256 MiB. A value takes two bytes
/// there or more, and eight in memory.
pub const LIMIT: usize = 1 << 28;

/// Whether the first line of a table is a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The first line is not data.
    Present,
    /// The first line is the first row.
    Absent,
}

/// Rows of numbers, all of one length.
///
/// # Examples
///
/// ```
/// use datasets::table::{self, Header};
///
/// let flowers = table::parse("flowers.csv", b"length,width,kind\n5.1,3.5,0\n6.5,3.0,2\n", Header::Present)?;
/// assert_eq!(flowers.header().collect::<Vec<_>>(), ["length", "width", "kind"]);
/// assert_eq!((flowers.rows(), flowers.columns()), (2, 3));
///
/// let features = flowers.tensor(0..2)?;
/// assert_eq!(features.shape(), [2, 2]);
/// assert_eq!(features.to_vec(), [5.1, 3.5, 6.5, 3.0]);
/// assert_eq!(flowers.labels(2)?, [0, 2]);
///
/// // In batches: features and labels side by side.
/// let data = (features, flowers.labels(2)?);
/// for (features, labels) in datasets::Loader::new(&data, 1).shuffle(7) {
///     assert_eq!((features.shape().to_vec(), labels.len()), (vec![1, 2], 1));
/// }
/// # Ok::<(), datasets::Error>(())
/// ```
#[derive(Clone)]
pub struct Table {
    file: String,
    header: Option<String>,
    columns: usize,
    values: Vec<f64>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("file", &self.file)
            .field("rows", &self.rows())
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Table {
    /// The fields of the header line; none where there is no such line.
    pub fn header(&self) -> impl Iterator<Item = &str> {
        self.header.iter().flat_map(|line| fields(line))
    }

    /// How many rows there are, without the header; at least one.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// How many columns there are; at least one.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All `rows * columns` values, row by row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Some of the columns as a tensor of shape `[rows, columns.len()]`. For an example see [`Table`].
    ///
    /// # Errors
    ///
    /// If the table lacks one of the columns.
    pub fn tensor(&self, columns: Range<usize>) -> Result<Tensor> {
        let shape = Shape::new(&[self.rows(), columns.len()]);
        let values: Vec<f32> = self.select(columns)?.map(|(_, _, value)| value as f32).collect();
        shape
            .and_then(|shape| Tensor::from_vec(values, shape))
            .map_err(|error| Error::Tensor { name: self.file.clone(), error })
    }

    /// Some of the columns, row by row, as whole numbers: counts, grey levels.
    ///
    /// # Errors
    ///
    /// If the table lacks one of the columns, or holds anything but whole numbers from 0 up there.
    ///
    /// # Examples
    ///
    /// ```
    /// use datasets::table::{self, Header};
    ///
    /// let table = table::parse("counts", b"1,2,0.5\n3,4,0.25\n", Header::Absent)?;
    /// assert_eq!(table.integers(0..2)?, [1, 2, 3, 4]);
    /// assert_eq!(
    ///     table.integers(1..3).unwrap_err().to_string(),
    ///     "counts: row 0, column 2: 0.5 is not a whole number from 0 up",
    /// );
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn integers(&self, columns: Range<usize>) -> Result<Vec<usize>> {
        let whole = |(row, column, value): (usize, usize, f64)| {
            // From 2^53 on an f64 no longer tells neighbours apart.
            if value.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&value) {
                Ok(value as usize)
            } else {
                Err(Error::Whole { file: self.file.clone(), row, column, value })
            }
        };
        self.select(columns)?.map(whole).collect()
    }

    /// A column as labels, one a row. For an example see [`Table`].
    ///
    /// # Errors
    ///
    /// If the table lacks the column, or holds anything but whole numbers from 0 up there.
    pub fn labels(&self, column: usize) -> Result<Vec<usize>> {
        self.integers(column..column.saturating_add(1))
    }

    /// The values of some columns, with the row and the column of each.
    fn select(&self, columns: Range<usize>) -> Result<impl Iterator<Item = (usize, usize, f64)>> {
        let Range { start, end } = columns;
        if start > end || end > self.columns {
            return Err(Error::Columns { file: self.file.clone(), start, end, columns: self.columns });
        }
        let rows = self.values.chunks_exact(self.columns).enumerate();
        Ok(rows.flat_map(move |(row, values)| (start..end).map(move |column| (row, column, values[column]))))
    }
}

/// Reads a file of comma-separated numbers.
///
/// # Errors
///
/// If the file cannot be read, is damaged gzip or larger than [`LIMIT`], has no row, or has a row of another
/// length than the first, or a field that is not a finite number: the error names line and column.
///
/// # Examples
///
/// ```
/// use datasets::table::{self, Header};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("points.csv");
/// std::fs::write(&path, "0.5, 1\n1.5, 2\n")?;
/// let points = table::read(&path, Header::Absent)?;
/// assert_eq!(points.values(), [0.5, 1.0, 1.5, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(path: impl AsRef<Path>, header: Header) -> Result<Table> {
    table(Source::open(path.as_ref(), LIMIT)?, header)
}

/// Reads comma-separated numbers from bytes; `name` is what errors call them. For an example see [`Table`].
///
/// # Errors
///
/// As [`read`].
pub fn parse(name: &str, bytes: &[u8], header: Header) -> Result<Table> {
    table(Source::new(name, bytes, LIMIT)?, header)
}

fn table(mut source: Source<'_>, header: Header) -> Result<Table> {
    let text = source.read_all()?;
    let mut table = Table { file: source.file, header: None, columns: 0, values: Vec::new() };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text); // the byte order mark of some editors
    let mut lines = (1..)
        .zip(text.split(|&byte| byte == b'\n').map(String::from_utf8_lossy))
        .filter(|(_, text)| !text.trim().is_empty());
    if header == Header::Present {
        table.header = lines.next().map(|(_, text)| text.into_owned());
    }
    for (line, text) in lines {
        let found = fields(&text).count();
        if table.values.is_empty() {
            table.columns = found;
        } else if found != table.columns {
            return Err(Error::Fields { file: table.file, line, found, expected: table.columns });
        }
        for (column, field) in (1..).zip(fields(&text)) {
            match field.parse::<f64>() {
                Ok(value) if value.is_finite() => table.values.push(value),
                _ => {
                    let text = field.chars().take(32).collect();
                    return Err(Error::Number { file: table.file, line, column, text });
                }
            }
        }
    }
    if table.values.is_empty() { Err(Error::NoRows { file: table.file }) } else { Ok(table) }
}

/// The fields of a line, without the blanks and quotes around them. A comma inside quotes is text.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let fields = line.split(move |character| {
        quoted ^= character == '"';
        character == ',' && !quoted
    });
    fields.map(str::trim).map(|field| {
        let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
        inner.unwrap_or(field)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_header_may_be_longer_or_shorter_than_a_row() {
        let iris = parse("iris", b"150,4,setosa,versicolor,virginica\n5.1,3.5,0\n", Header::Present).unwrap();
        assert_eq!(iris.header().nth(2), Some("setosa"));
        assert_eq!((iris.rows(), iris.columns()), (1, 3));
    }

    #[test]
    fn blanks_empty_lines_and_windows_line_ends_do_not_count() {
        let table = parse("loose", b"\xef\xbb\xbf 1 ,\t-2e3\r\n\r\n.5,4\r\n\n", Header::Absent).unwrap();
        assert_eq!(table.values(), [1.0, -2000.0, 0.5, 4.0]);
        assert_eq!((table.header().count(), table.rows(), table.columns()), (0, 2, 2));
    }

    #[test]
    fn quotes_do_not_count_and_hide_commas() {
        let table = parse("quoted", b"\"width, mm\",kind\n\"0.5\", \"1\"\n", Header::Present).unwrap();
        assert_eq!(table.header().collect::<Vec<_>>(), ["width, mm", "kind"]);
        assert_eq!(table.values(), [0.5, 1.0]);
    }

    #[test]
    fn the_line_is_the_one_an_editor_shows() {
        for (text, expected) in [
            ("1,2\n\n3\n", 3),
            ("\n\n1,2\n3\n", 4),
            ("1,2\r\n\r\n\r\n3", 4),
            ("\u{feff}1,2\n\n3\n", 3),
            ("\"1\",\"2\"\n\n\n ,4\n", 4),
            ("1,\"2\n2\"\n", 1),
            ("1,2\n\n  \n3,\"4", 4),
        ] {
            let error = parse("lines", text.as_bytes(), Header::Absent).unwrap_err();
            let (Error::Fields { line, .. } | Error::Number { line, .. }) = error else { panic!("{error}") };
            assert_eq!(line, expected, "{text:?}");
        }
    }

    #[test]
    fn no_columns_is_a_tensor_too() {
        let table = parse("two", b"1,2\n3,4\n", Header::Absent).unwrap();
        assert_eq!(table.tensor(2..2).unwrap().shape(), [2, 0]);
        assert_eq!(table.tensor(0..2).unwrap().shape(), [2, 2]);
    }

    #[test]
    fn a_table_beyond_the_limit_is_refused() {
        let error =
            table(Source::new("big.csv", &b"1,2\n3,4\n"[..], 7).unwrap(), Header::Absent).unwrap_err();
        insta::assert_snapshot!(error, @"big.csv: holds more than 7 bytes, the limit of this reader");
        assert!(table(Source::new("just.csv", &b"1,2\n3,4\n"[..], 8).unwrap(), Header::Absent).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            text in "[-0-9.,eE\"\r\n a]{0,40}",
        ) {
            for bytes in [&bytes[..], text.as_bytes()] {
                for header in [Header::Present, Header::Absent] {
                    if let Ok(table) = parse("noise", bytes, header) {
                        prop_assert_eq!(table.values().len(), table.rows() * table.columns());
                        prop_assert!(table.values().iter().all(|value| value.is_finite()));
                        let _ = table.integers(0..table.columns());
                    }
                }
            }
        }

        #[test]
        fn what_is_written_is_read(
            rows in prop::collection::vec(any::<[f64; 3]>(), 1..10),
        ) {
            prop_assume!(rows.as_flattened().iter().all(|value| value.is_finite()));
            let text = rows.iter().map(|[a, b, c]| format!("{a},{b:e},{c}\n")).collect::<Vec<_>>().concat();
            let table = parse("round trip", text.as_bytes(), Header::Absent).unwrap();
            prop_assert_eq!(table.values(), rows.as_flattened());
        }
    }
}
