//! How arrays and tensors are written: as NumPy prints them with a precision of 4.
//!
//! Powers of ten begin at 10⁸ for any type; NumPy 2.4 begins at 10⁶ for `f32`. Where `{:?}` writes
//! them, zeros fill up the shorter numbers, where NumPy goes on with digits of the binary value.

use crate::array::Array;
use crate::float::Float;
use crate::kernel::buffer::Element;
use crate::shape::MAX_RANK;
use crate::tensor::Tensor;
use std::any::type_name;
use std::fmt;

/// An array with more elements than this is summarised: only the edges of its axes are shown.
const SUMMARISED: usize = 1000;
/// So many entries are shown at either end of an axis.
const EDGE: usize = 3;
/// Characters a line.
const WIDTH: usize = 75;
/// Digits behind the point, at most.
const PRECISION: usize = 4;

impl<T: Element + fmt::Display> fmt::Display for Array<T> {
    /// The numbers in columns, as NumPy prints them: at most four digits behind the point, as many in each number of the
    /// array; powers of ten where the largest number is 10⁸ or more, the smallest below 10⁻⁴, or one more than a thousand
    /// times the other; of more than 1,000 elements the first and last three along each axis; lines of at most 75
    /// characters.
    ///
    /// `{:.2}` shows two digits behind the point, and never powers of ten. A single number, of rank 0, is shown as that
    /// number itself, with all digits and all that a format may ask for.
    ///
    /// ```
    /// use autodiff::{Array, array};
    /// let x = array![[1.0, -0.5], [f64::NAN, 1.0 / 3.0]];
    /// assert_eq!(x.to_string(), "[[ 1.     -0.5   ]\n [    nan  0.3333]]");
    /// assert_eq!(format!("{x:.1}"), "[[ 1.0 -0.5]\n [ nan  0.3]]");
    /// assert_eq!(array![1e-5, 20.0].to_string(), "[1.e-05 2.e+01]");
    /// assert_eq!((0..2000usize).collect::<Array<_>>().to_string(), "[   0    1    2 ... 1997 1998 1999]");
    /// assert_eq!(format!("{:6.2}", Array::scalar(0.125)), "  0.12");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rank() == 0 {
            return fmt::Display::fmt(&self.item(), f);
        }
        let digits = f.precision().map_or(Digits::AtMost(PRECISION), Digits::Exactly);
        f.write_str(&Page::new(self, digits, " ").write(0))
    }
}

impl<T: Float> fmt::Display for Tensor<T> {
    /// The numbers, as those of an [`Array`] are shown.
    ///
    /// ```
    /// use autodiff::tensor;
    /// assert_eq!(tensor![[1.0, 2.5], [3.0, 4.0]].to_string(), "[[1.  2.5]\n [3.  4. ]]");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.array, f)
    }
}

impl<T: Element> fmt::Debug for Array<T> {
    /// The numbers, with all digits that tell them from their neighbours, or as many as `{:.2?}` asks for; their type;
    /// the shape.
    ///
    /// ```
    /// use autodiff::array;
    /// assert_eq!(format!("{:?}", array![0.1f32, 1.0 / 3.0]), "Array([0.1       , 0.33333334], f32[2])");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        described("Array", self, "", f)
    }
}

impl<T: Float> fmt::Debug for Tensor<T> {
    /// The numbers, with all digits that tell them from their neighbours, or as many as `{:.2?}` asks for; their type;
    /// the shape; and whether the tensor is tracked.
    ///
    /// ```
    /// use autodiff::{Tensor, tensor};
    /// let x: Tensor = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(format!("{x:?}"), "Tensor([[1., 2.],\n        [3., 4.]], f32[2, 2])");
    /// assert_eq!(format!("{:?}", x.variable().sum()), "Tensor(10.0, f32[], tracked)");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        described("Tensor", &self.array, if self.is_tracked() { ", tracked" } else { "" }, f)
    }
}

fn described<T: Element>(name: &str, array: &Array<T>, end: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{name}(")?;
    if array.rank() == 0 {
        array.item().fmt(f)?;
    } else {
        let digits = f.precision().map_or(Digits::All, Digits::Exactly);
        f.write_str(&Page::new(array, digits, ", ").write(name.len() + 1))?;
    }
    write!(f, ", {}{}{end})", type_name::<T>(), array.shape())
}

/// How many digits stand behind the point.
#[derive(Clone, Copy)]
enum Digits {
    /// As many as tell the number from its neighbours, but no more than these.
    AtMost(usize),
    /// These, without powers of ten.
    Exactly(usize),
    /// As many as tell the number from its neighbours.
    All,
}

/// What is to be written: which entries along each axis, and their texts.
struct Page {
    /// The entries along each axis; `None` stands for those left out.
    entries: Vec<Vec<Option<usize>>>,
    /// The texts of the elements shown, in row-major order.
    words: std::vec::IntoIter<String>,
    separator: &'static str,
    out: String,
}

impl Page {
    fn new<T: Element>(array: &Array<T>, digits: Digits, separator: &'static str) -> Self {
        let entries = |size: usize| -> Vec<Option<usize>> {
            if array.size() > SUMMARISED && size > 2 * EDGE {
                let ends = |range: std::ops::Range<usize>| range.map(Some);
                ends(0..EDGE).chain([None]).chain(ends(size - EDGE..size)).collect()
            } else {
                (0..size).map(Some).collect()
            }
        };
        let entries: Vec<_> = array.shape().iter().map(entries).collect();
        let mut shown = Vec::new();
        gather(array, &entries, 0, &mut [0; _], &mut shown);
        Self { words: words(&shown, digits).into_iter(), entries, separator, out: String::new() }
    }

    /// The text, whose first line begins in column `column`.
    fn write(mut self, column: usize) -> String {
        if self.entries.iter().any(Vec::is_empty) {
            return "[]".into();
        }
        self.write_axis(0, column + 1);
        self.out
    }

    /// Writes the entries along `axis` in brackets; lines after the first are indented by `indent`.
    fn write_axis(&mut self, axis: usize, indent: usize) {
        let entries = self.entries[axis].clone();
        let inner = self.entries.len() - axis - 1;
        let limit = WIDTH - self.entries.len();
        let mut column = indent;
        self.out.push('[');
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 && inner > 0 {
                self.out.push_str(self.separator.trim_end());
                self.out.extend(std::iter::repeat_n('\n', inner));
                self.out.extend(std::iter::repeat_n(' ', indent));
            } else if number > 0 {
                self.out.push_str(self.separator);
                column += self.separator.len();
            }
            if inner > 0 && entry.is_some() {
                self.write_axis(axis + 1, indent + 1);
                continue;
            }
            let word = match entry {
                Some(_) => self.words.next().expect("a text for each element shown"),
                None => "...".into(),
            };
            if column + word.len() > limit && column > indent {
                self.out.truncate(self.out.trim_end().len());
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            }
            column += word.len();
            self.out.push_str(&word);
        }
        self.out.push(']');
    }
}

/// Adds the elements at the entries of the axes from `axis` on, in row-major order.
fn gather<T: Element>(
    array: &Array<T>,
    entries: &[Vec<Option<usize>>],
    axis: usize,
    index: &mut [usize; MAX_RANK],
    shown: &mut Vec<T>,
) {
    if axis == entries.len() {
        shown.push(array.at(index));
        return;
    }
    for &entry in entries[axis].iter().flatten() {
        index[axis] = entry;
        gather(array, entries, axis + 1, index, shown);
    }
}

/// The texts of the elements, all of one width, with their points below each other.
fn words<T: Element>(elements: &[T], digits: Digits) -> Vec<String> {
    let numbers: Vec<Number> = elements.iter().map(|&element| Number::new(element)).collect();
    let powers = !matches!(digits, Digits::Exactly(_)) && want_powers(&numbers);
    let texts: Vec<Text> = numbers.iter().map(|number| number.text(digits, powers)).collect();

    let places = texts.iter().filter_map(|text| text.fraction.as_ref()).map(String::len).max().unwrap_or(0);
    let power = |text: &Text| text.power.map_or(0, |power| power.unsigned_abs().to_string().len());
    let power = texts.iter().map(power).max().unwrap_or(0).max(2);
    let tails: Vec<String> = texts.iter().map(|text| text.tail(places, power)).collect();
    let right = tails.iter().map(String::len).max().unwrap_or(0);
    let needed = |(text, tail): (&Text, &String)| text.head.len() + if tail.is_empty() { 0 } else { right };
    let width = texts.iter().zip(&tails).map(needed).max().unwrap_or(0);
    let word = |(text, tail): (&Text, &String)| format!("{:>1$}{tail}", text.head, width - tail.len());
    texts.iter().zip(&tails).map(word).collect()
}

/// Whether numbers are so large, so small or so far apart that they want powers of ten.
fn want_powers(numbers: &[Number]) -> bool {
    let sizes = numbers.iter().filter(|number| number.exact.is_some()).map(|number| number.value.abs());
    let (least, most) = sizes
        .filter(|&size| size != 0.0 && size.is_finite())
        .fold((f64::INFINITY, 0.0f64), |(least, most), size| (least.min(size), most.max(size)));
    most > 0.0 && (most >= 1e8 || least < 1e-4 || most / least > 1000.0)
}

/// A number to be written.
struct Number {
    /// What tells it from its neighbours: the shortest digits that do.
    shortest: String,
    /// The value of these digits.
    value: f64,
    /// The number itself, unless its type has whole numbers only.
    exact: Option<f64>,
}

/// A number in its parts.
struct Text {
    /// What stands before the point, or all that there is.
    head: String,
    /// The digits behind the point, if there is one.
    fraction: Option<String>,
    /// The power of ten that it is multiplied by, if that is written.
    power: Option<i32>,
}

impl Number {
    fn new<T: Element>(element: T) -> Self {
        let shortest = format!("{element:?}");
        Self { value: shortest.parse().unwrap_or(f64::NAN), shortest, exact: element.to_real() }
    }

    fn text(&self, digits: Digits, powers: bool) -> Text {
        let Some(exact) = self.exact.filter(|exact| exact.is_finite()) else {
            return Text { head: self.shortest.to_lowercase(), fraction: None, power: None };
        };
        let shortest = if powers { format!("{:e}", self.value) } else { self.value.to_string() };
        let rounded =
            |places| if powers { format!("{exact:.places$e}") } else { format!("{exact:.places$}") };
        match digits {
            Digits::All => Text::new(&shortest),
            Digits::Exactly(places) => Text::new(&rounded(places)),
            Digits::AtMost(places) => {
                let mut text = Text::new(&shortest);
                if text.fraction.as_ref().is_some_and(|fraction| fraction.len() > places) {
                    text = Text::new(&rounded(places));
                    text.fraction = text.fraction.map(|fraction| fraction.trim_end_matches('0').to_owned());
                }
                text
            }
        }
    }
}

impl Text {
    /// The parts of a number as Rust writes it.
    fn new(text: &str) -> Self {
        let (digits, power) =
            text.split_once('e').map_or((text, None), |(digits, power)| (digits, power.parse().ok()));
        let (head, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        Self { head: head.to_owned(), fraction: Some(fraction.to_owned()), power }
    }

    /// What stands behind the head, for a column with so many digits behind the point and in the power: filled up with
    /// zeros before a power, else with spaces.
    fn tail(&self, places: usize, digits: usize) -> String {
        match (&self.fraction, self.power) {
            (None, _) => String::new(),
            (Some(fraction), None) => format!(".{fraction:<places$}"),
            (Some(fraction), Some(power)) => {
                let sign = if power < 0 { '-' } else { '+' };
                format!(".{fraction:0<places$}e{sign}{:0digits$}", power.unsigned_abs())
            }
        }
    }
}
