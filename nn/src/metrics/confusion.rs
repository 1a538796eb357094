//! Which class is taken for which, and what follows from it.

use super::{check_labels, rows_and_classes};
use autodiff::{Error, ErrorKind, Float, Result, Tensor};
use std::fmt;

/// How often each class was taken for each other: `counts[label][predicted]`.
///
/// Precision, recall and F1 are those of scikit-learn with `labels=range(classes)`: of a class, with `TP` samples that are of it
/// and were taken for it, `FP` that are not but were, `FN` that are but were not,
///
/// ```text
/// precision = TP / (TP + FP)     recall = TP / (TP + FN)     F1 = 2 TP / (2 TP + FP + FN)
/// ```
///
/// A quotient of 0 by 0 counts as 0, as there by default (`zero_division`), and stays in the averages: a class that never comes
/// up pulls a macro average down. Only the [`accuracy`](Self::accuracy) of nothing is NaN.
///
/// ```
/// use autodiff::Tensor;
/// use nn::metrics::Confusion;
/// let mut confusion = Confusion::new(2);
/// confusion.add(&Tensor::from_vec([0.9f32, 0.1, 0.2, 0.8, 0.7, 0.3], [3, 2])?, &[0, 1, 1])?;
/// assert_eq!(confusion.row(1), [1, 1]); // of the two samples of class 1, one was taken for class 0
/// assert_eq!(confusion.class(1).precision, 1.0);
/// assert_eq!(confusion.class(1).recall, 0.5);
/// assert_eq!(
///     confusion.to_string(),
///     "\
/// is \\ taken for      0      1  recall
/// 0                   1      0  1.0000
/// 1                   1      1  0.5000
/// precision      0.5000 1.0000  0.6667
/// ",
/// );
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// Row by row.
    counts: Vec<u64>,
    names: Vec<String>,
}

/// What a class, or an average of classes, is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scores {
    /// The share of what was taken for the class that is of it.
    pub precision: f64,
    /// The share of the class that was taken for it.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// How many samples are of the class; of an average, of all classes.
    pub support: u64,
}

impl Confusion {
    /// No samples yet, of so many classes.
    ///
    /// # Panics
    /// If there are no classes.
    #[track_caller]
    pub fn new(classes: usize) -> Self {
        assert!(classes > 0, "a confusion matrix needs a class");
        let names = (0..classes).map(|class| class.to_string()).collect();
        Self { classes, counts: vec![0; classes * classes], names }
    }

    /// The same, printed with these names of the classes.
    ///
    /// ```
    /// let text = nn::metrics::Confusion::new(2).names(["cat", "dog"]).to_string();
    /// assert_eq!(text.lines().nth(2).unwrap(), "dog                 0      0  0.0000");
    /// ```
    ///
    /// # Panics
    /// If there are not as many names as classes.
    #[must_use]
    #[track_caller]
    pub fn names<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        assert_eq!(names.len(), self.classes, "names for other than the number of classes");
        Self { names, ..self }
    }

    /// Takes in a batch: of each row of `logits`, `[.., classes]`, the first largest element says what it was taken for. NaN counts
    /// as the largest.
    ///
    /// # Errors
    /// If the labels are not as many as the rows, a label is not below the number of classes, or the logits are of another number
    /// of classes. Nothing is counted then.
    #[track_caller]
    pub fn add<T: Float>(&mut self, logits: &Tensor<T>, labels: &[usize]) -> Result<()> {
        const OP: &str = "confusion";
        let (rows, classes) = rows_and_classes(logits, OP)?;
        if classes != self.classes {
            let message = format!("logits of {classes} classes for a matrix of {}", self.classes);
            return Err(Error::new(OP, message));
        }
        check_labels(labels, logits.shape(), rows, classes, OP)?;
        self.count(&logits.arg_max(-1)?.to_vec(), labels);
        Ok(())
    }

    /// Takes in what samples were taken for, and their labels.
    ///
    /// ```
    /// let mut confusion = nn::metrics::Confusion::new(3);
    /// confusion.add_predictions(&[0, 2, 2], &[0, 1, 2])?;
    /// assert_eq!(confusion.row(1), [0, 0, 1]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    ///
    /// # Errors
    /// If they are not equally many, or one is not below the number of classes. Nothing is counted then.
    #[track_caller]
    pub fn add_predictions(&mut self, predicted: &[usize], labels: &[usize]) -> Result<()> {
        const OP: &str = "confusion";
        if predicted.len() != labels.len() {
            let message = format!("{} labels for {} predictions", labels.len(), predicted.len());
            return Err(Error::new(OP, message));
        }
        for classes in [predicted, labels] {
            if let Some(position) = classes.iter().position(|&class| class >= self.classes) {
                let (label, classes) = (classes[position], self.classes);
                return Err(ErrorKind::Label { label, position, classes }.of(OP));
            }
        }
        self.count(predicted, labels);
        Ok(())
    }

    fn count(&mut self, predicted: &[usize], labels: &[usize]) {
        for (&predicted, &label) in predicted.iter().zip(labels) {
            self.counts[label * self.classes + predicted] += 1;
        }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// What the samples of a class were taken for: one count for each class.
    ///
    /// # Panics
    /// If there is no such class.
    #[track_caller]
    pub fn row(&self, label: usize) -> &[u64] {
        assert!(label < self.classes, "class {label} of {}", self.classes);
        &self.counts[label * self.classes..][..self.classes]
    }

    /// How many samples there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many of them were taken for what they are.
    pub fn correct(&self) -> u64 {
        self.counts.iter().step_by(self.classes + 1).sum()
    }

    /// The share of samples that were taken for what they are; NaN if there are none.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.total() as f64
    }

    /// What one class is judged by.
    ///
    /// # Panics
    /// If there is no such class.
    #[track_caller]
    pub fn class(&self, class: usize) -> Scores {
        let support = self.row(class).iter().sum();
        let taken = self.counts.iter().skip(class).step_by(self.classes).sum();
        Scores::new(self.row(class)[class], taken, support)
    }

    /// The mean of the scores of the classes, each alike.
    pub fn macro_average(&self) -> Scores {
        self.average(|_| 1.0)
    }

    /// The mean of the scores of the classes, each as much as it has samples. Its recall is the accuracy.
    pub fn weighted_average(&self) -> Scores {
        self.average(|scores| scores.support as f64)
    }

    /// The scores of all classes' `TP`, `FP` and `FN` added up: as each sample is of one class and is taken for one, all three are
    /// the accuracy.
    pub fn micro_average(&self) -> Scores {
        Scores::new(self.correct(), self.total(), self.total())
    }

    fn average(&self, weight: impl Fn(&Scores) -> f64) -> Scores {
        let mut sum = Scores { precision: 0.0, recall: 0.0, f1: 0.0, support: self.total() };
        let mut weights = 0.0;
        for scores in (0..self.classes).map(|class| self.class(class)) {
            let weight = weight(&scores);
            sum.precision += weight * scores.precision;
            sum.recall += weight * scores.recall;
            sum.f1 += weight * scores.f1;
            weights += weight;
        }
        for score in [&mut sum.precision, &mut sum.recall, &mut sum.f1] {
            *score = share(*score, weights);
        }
        sum
    }
}

impl Scores {
    /// From the numbers of samples that are of the class and were taken for it, were taken for it, and are of it.
    fn new(both: u64, taken: u64, support: u64) -> Self {
        let [both, taken, of_it] = [both, taken, support].map(|count| count as f64);
        Self {
            precision: share(both, taken),
            recall: share(both, of_it),
            f1: share(2.0 * both, taken + of_it),
            support,
        }
    }
}

/// A quotient, 0 where both are 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

impl fmt::Display for Confusion {
    /// A table: a row for each class with what it was taken for and its recall; below them the precisions, and in the corner the
    /// accuracy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CORNER: &str = "is \\ taken for";
        let longest =
            |least: usize| self.names.iter().map(|name| name.chars().count()).fold(least, usize::max);
        let digits = self.counts.iter().max().map_or(1, |count| count.to_string().len());
        let (first, width) = (longest(CORNER.len()), longest("0.0000".len().max(digits)));
        write!(f, "{CORNER:<first$}")?;
        for name in &self.names {
            write!(f, " {name:>width$}")?;
        }
        writeln!(f, "  recall")?;
        for (class, name) in self.names.iter().enumerate() {
            write!(f, "{name:<first$}")?;
            for count in self.row(class) {
                write!(f, " {count:>width$}")?;
            }
            writeln!(f, "  {:.4}", self.class(class).recall)?;
        }
        write!(f, "{:<first$}", "precision")?;
        for class in 0..self.classes {
            write!(f, " {:>width$.4}", self.class(class).precision)?;
        }
        writeln!(f, "  {:.4}", self.accuracy())
    }
}
