//! What a training consists of besides its program: named arrays, counts and notes.

use crate::array::Array;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::parameter::{Module, Path, Place, PlaceMut};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Named arrays, counts and notes: what a model, an optimiser or a whole training is saved as, and taken up from.
///
/// The arrays have an order, that of the model. A state shares memory with what it was taken from until that is written to;
/// it does not change with it.
///
/// ```
/// use autodiff::{Parameter, StateDict, Tensor};
/// let mut w = vec![Parameter::new(Tensor::<f32>::ones([2]))];
/// let state = StateDict::of(&w);
/// w[0].set(&Tensor::zeros([2]));
/// state.load_into(&mut w)?;
/// assert_eq!(w[0].to_vec(), [1.0, 1.0]);
///
/// let mut longer = vec![Parameter::new(Tensor::zeros([3])), Parameter::new(Tensor::zeros([1]))];
/// let error = state.load_into(&mut longer).unwrap_err().to_string();
/// assert!(error.starts_with(r#"load_state_dict: missing ["1"], misshapen ["0": [2] for [3]]"#));
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// States are put together and taken apart by prefixes:
///
/// ```
/// # use autodiff::{Parameter, StateDict, Tensor};
/// # let net = vec![Parameter::new(Tensor::<f32>::ones([2]))];
/// let mut all = StateDict::new();
/// all.nest("model", &StateDict::of(&net));
/// all.set_count("epoch", 3);
/// assert!(all.array("model.0").is_some());
/// assert_eq!(all.part("model"), StateDict::of(&net));
/// ```
#[derive(Clone, Debug)]
pub struct StateDict<T: Float = f32> {
    arrays: Vec<(String, Array<T>)>,
    /// Where each name is in `arrays`.
    index: HashMap<String, usize>,
    counts: BTreeMap<String, u64>,
    notes: BTreeMap<String, String>,
}

impl<T: Float> StateDict<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { arrays: Vec::new(), index: HashMap::new(), counts: BTreeMap::new(), notes: BTreeMap::new() }
    }

    /// All places of a model: parameters and running statistics as arrays, counters as counts.
    pub fn of(model: &dyn Module<T>) -> Self {
        let mut state = Self::new();
        model.walk(&mut Path::default(), &mut |name, place| match place {
            Place::Parameter(parameter) => state.set_array(name, parameter.array().clone()),
            Place::Running(running) => state.set_array(name, running.get().array().clone()),
            Place::Counter(counter) => state.set_count(name, counter.get()),
        });
        state
    }

    /// The arrays, in order.
    pub fn arrays(&self) -> impl ExactSizeIterator<Item = (&str, &Array<T>)> {
        self.arrays.iter().map(|(name, array)| (name.as_str(), array))
    }

    /// The counts, by name.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.counts.iter().map(|(name, &count)| (name.as_str(), count))
    }

    /// The notes, by name: texts that say where the rest comes from.
    pub fn notes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.notes.iter().map(|(name, note)| (name.as_str(), note.as_str()))
    }

    /// The array of this name.
    pub fn array(&self, name: &str) -> Option<&Array<T>> {
        self.index.get(name).map(|&at| &self.arrays[at].1)
    }

    /// The count of this name.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.counts.get(name).copied()
    }

    /// The note of this name.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.get(name).map(String::as_str)
    }

    /// Puts an array in, in the place of the one of this name or else at the end.
    pub fn set_array(&mut self, name: &str, array: Array<T>) {
        let at = *self.index.entry(name.to_owned()).or_insert(self.arrays.len());
        match self.arrays.get_mut(at) {
            Some(place) => place.1 = array,
            None => self.arrays.push((name.to_owned(), array)),
        }
    }

    /// Puts a count in, in the place of the one of this name if there is one.
    pub fn set_count(&mut self, name: &str, count: u64) {
        self.counts.insert(name.to_owned(), count);
    }

    /// Puts a note in, in the place of the one of this name if there is one.
    pub fn set_note(&mut self, name: &str, note: &str) {
        self.notes.insert(name.to_owned(), note.to_owned());
    }

    /// Puts all of another state in, its names after `prefix` and a dot.
    pub fn nest(&mut self, prefix: &str, other: &Self) {
        other.arrays().for_each(|(name, array)| self.set_array(&below(prefix, name), array.clone()));
        other.counts().for_each(|(name, count)| self.set_count(&below(prefix, name), count));
        other.notes().for_each(|(name, note)| self.set_note(&below(prefix, name), note));
    }

    /// What was put in under this prefix.
    pub fn part(&self, prefix: &str) -> Self {
        self.renamed(|name| {
            let rest = name.strip_prefix(prefix)?;
            if rest.is_empty() { Some(String::new()) } else { Some(rest.strip_prefix('.')?.to_owned()) }
        })
    }

    /// The same under other names; what `rename` has no name for is left out.
    ///
    /// ```
    /// use autodiff::{Array, StateDict};
    /// let mut state = StateDict::<f32>::new();
    /// state.set_array("features.0.weight", Array::scalar(1.0));
    /// state.set_array("classifier.weight", Array::scalar(2.0));
    /// let body = state.renamed(|name| Some(name.strip_prefix("features.")?.replace("0.", "conv.")));
    /// assert_eq!(body.arrays().map(|(name, _)| name).collect::<Vec<_>>(), ["conv.weight"]);
    /// ```
    #[must_use]
    pub fn renamed(&self, rename: impl Fn(&str) -> Option<String>) -> Self {
        let mut state = Self::new();
        for (name, array) in self.arrays() {
            if let Some(name) = rename(name) {
                state.set_array(&name, array.clone());
            }
        }
        let counts = self.counts().filter_map(|(name, count)| Some((rename(name)?, count)));
        let notes = self.notes().filter_map(|(name, note)| Some((rename(name)?, note.to_owned())));
        (state.counts, state.notes) = (counts.collect(), notes.collect());
        state
    }

    /// Writes the arrays to the places of a model that have their names, and the counts to those counters that have theirs.
    /// Gradients are dropped.
    ///
    /// # Errors
    /// If a place has no array, an array no place, or a place another shape: one error that names all of them. The model is
    /// then as it was. Counts without a counter and counters without a count are no errors, since other libraries count
    /// other things.
    #[track_caller]
    pub fn load_into(&self, model: &mut dyn Module<T>) -> Result<()> {
        let mismatch = self.mismatch(model);
        if !mismatch.is_empty() {
            return Err(Error::new("load_state_dict", mismatch.to_string()));
        }
        self.write(model);
        Ok(())
    }

    /// As [`load_into`](Self::load_into), but writes what fits, and reports the rest.
    ///
    /// ```
    /// use autodiff::{Array, Parameter, StateDict, Tensor};
    /// let mut model = vec![Parameter::new(Tensor::<f32>::zeros([])), Parameter::new(Tensor::zeros([3]))];
    /// let mut state = StateDict::new();
    /// state.set_array("0", Array::scalar(5.0));
    /// state.set_array("head", Array::scalar(1.0));
    /// let mismatch = state.load_matching(&mut model);
    /// assert_eq!(model[0].item(), 5.0);
    /// assert_eq!((mismatch.missing, mismatch.unexpected), (vec!["1".to_owned()], vec!["head".to_owned()]));
    /// ```
    pub fn load_matching(&self, model: &mut dyn Module<T>) -> Mismatch {
        let mismatch = self.mismatch(model);
        self.write(model);
        mismatch
    }

    /// Where the names and shapes of the arrays are not those of the model.
    fn mismatch(&self, model: &dyn Module<T>) -> Mismatch {
        let places = Self::of(model);
        let mut mismatch = Mismatch::default();
        for (name, place) in places.arrays() {
            match self.array(name).map(Array::shape) {
                None => mismatch.missing.push(name.to_owned()),
                Some(found) if found != place.shape() => {
                    mismatch.misshapen.push(Misshapen {
                        name: name.to_owned(),
                        found,
                        needed: place.shape(),
                    });
                }
                Some(_) => {}
            }
        }
        let unexpected = self.arrays().filter(|(name, _)| places.array(name).is_none());
        mismatch.unexpected = unexpected.map(|(name, _)| name.to_owned()).collect();
        mismatch
    }

    /// Writes what fits.
    fn write(&self, model: &mut dyn Module<T>) {
        let fitting = |name: &str, shape| self.array(name).filter(|array| array.shape() == shape);
        model.walk_mut(&mut Path::default(), &mut |name, place| match place {
            PlaceMut::Parameter(parameter) => {
                if let Some(array) = fitting(name, parameter.shape()) {
                    parameter.set(&Tensor::from(array.clone()));
                }
            }
            PlaceMut::Running(running) => running.update(|old| match fitting(name, old.shape()) {
                Some(array) => Tensor::from(array.clone()),
                None => old,
            }),
            PlaceMut::Counter(counter) => {
                if let Some(count) = self.count(name) {
                    counter.set(count);
                }
            }
        });
    }
}

impl<T: Float> Default for StateDict<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> PartialEq for StateDict<T> {
    /// Whether names, their order, shapes and numbers are the same.
    fn eq(&self, other: &Self) -> bool {
        self.arrays == other.arrays && self.counts == other.counts && self.notes == other.notes
    }
}

/// `name` after `prefix` and a dot; a model that is a single place has no name for it.
fn below(prefix: &str, name: &str) -> String {
    if name.is_empty() { prefix.to_owned() } else { format!("{prefix}.{name}") }
}

/// Where a state and a model do not fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Places of the model that the state has no array for.
    pub missing: Vec<String>,
    /// Arrays of the state that the model has no place for.
    pub unexpected: Vec<String>,
    /// Arrays of another shape than their place.
    pub misshapen: Vec<Misshapen>,
}

/// An array of another shape than its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// The name of both.
    pub name: String,
    /// The shape of the array.
    pub found: Shape,
    /// The shape of the place.
    pub needed: Shape,
}

impl Mismatch {
    /// Whether all fits.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for Mismatch {
    /// One line with all names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, names) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            if !names.is_empty() {
                parts.push(format!("{what} {names:?}"));
            }
        }
        if !self.misshapen.is_empty() {
            let shapes: Vec<_> = self.misshapen.iter().map(ToString::to_string).collect();
            parts.push(format!("misshapen [{}]", shapes.join(", ")));
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} for {}", self.name, self.found, self.needed)?;
        if self.found.rank() == 2 && self.found.iter().rev().eq(self.needed.iter()) {
            write!(f, " (transposed: does it come from PyTorch?)")?;
        }
        Ok(())
    }
}
