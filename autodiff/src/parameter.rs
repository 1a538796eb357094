//! Places that training writes to, and the walk that finds them by name.

use crate::array::Array;
use crate::float::Float;
use crate::parts;
use crate::tensor::Tensor;
use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A place that holds a variable: read by deref, written through `&mut`.
///
/// A tensor is a value and never changes; a parameter does. The borrow checker forbids a step of the optimiser during a
/// forward pass, and a tape that still holds the old values keeps them (copy on write).
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// let mut w = Parameter::new(Tensor::from_vec([3.0, 4.0], [2])?);
/// w.square().sum().backward()?;
/// w.step(|value, grad| *value = value.zip(grad, |w, g| w - 0.5 * g).unwrap());
/// assert_eq!(w.to_vec(), [0.0, 0.0]);
/// assert!(w.grad().is_none()); // a step takes the gradient
/// # Ok::<(), autodiff::Error>(())
/// ```
#[derive(Debug)]
pub struct Parameter<T: Float = f32> {
    tensor: Tensor<T>,
    transposed: bool,
}

impl<T: Float> Parameter<T> {
    /// A parameter that starts with these values.
    pub fn new(values: Tensor<T>) -> Self {
        Self { tensor: Tensor::from(values.array).variable(), transposed: false }
    }

    /// The same, marked as one that others keep with its last two axes exchanged: `[inputs, outputs]` here, `[outputs,
    /// inputs]` in `PyTorch`. That changes nothing but what is written for others and read from them; of a square matrix
    /// nothing else could tell.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// let weight = Parameter::new(Tensor::<f32>::zeros([2, 2])).transposed();
    /// assert!(weight.is_transposed() && weight.clone().is_transposed());
    /// ```
    pub fn transposed(self) -> Self {
        Self { transposed: true, ..self }
    }

    /// Whether this is marked by [`transposed`](Self::transposed).
    pub fn is_transposed(&self) -> bool {
        self.transposed
    }

    /// Replaces the values. The shape may change; the gradient, if there is one, is dropped, and tapes that hold the old
    /// values do not reach the new ones.
    pub fn set(&mut self, values: &Tensor<T>) {
        self.tensor = Self::new(values.clone()).tensor;
    }

    /// Takes the gradient and lets `update` write the values from it, in place if no tape holds them.
    ///
    /// Returns whether there was a gradient.
    pub fn step(&mut self, update: impl FnOnce(&mut Array<T>, &Array<T>)) -> bool {
        match self.tensor.take_grad() {
            Some(grad) => {
                update(&mut self.tensor.array, &grad.array);
                true
            }
            None => false,
        }
    }

    /// Lets `update` write the gradient before a step takes it, to clip or to scale it. Returns whether there is one.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// let mut w = Parameter::new(Tensor::from_vec([3.0, 4.0], [2])?);
    /// assert!(!w.update_grad(|_| unreachable!("there is no gradient yet")));
    /// w.square().sum().backward()?;
    /// assert!(w.update_grad(|grad| *grad = grad.map(|g| 0.5 * g)));
    /// assert_eq!(w.grad().unwrap().to_vec(), [3.0, 4.0]);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `update` changes the shape.
    #[track_caller]
    pub fn update_grad(&mut self, update: impl FnOnce(&mut Array<T>)) -> bool {
        self.tensor.update_grad(update)
    }
}

impl<T: Float> Clone for Parameter<T> {
    /// Another place with the same values, and no gradient yet: what happens to one does not reach the other.
    fn clone(&self) -> Self {
        Self { transposed: self.transposed, ..Self::new(self.tensor.clone()) }
    }
}

impl<T: Float> Deref for Parameter<T> {
    type Target = Tensor<T>;
    fn deref(&self) -> &Tensor<T> {
        &self.tensor
    }
}

/// A place that the forward pass writes to without a gradient: running statistics.
#[derive(Debug)]
pub struct Running<T: Float = f32>(Mutex<Array<T>>);

impl<T: Float> Running<T> {
    /// A place that starts with these values.
    pub fn new(values: Tensor<T>) -> Self {
        Self(Mutex::new(values.array))
    }

    /// The present values, as a constant.
    pub fn get(&self) -> Tensor<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().into()
    }

    /// Replaces the values by what `update` makes of them; no other thread comes between. Of the parts of
    /// [`backward_in_parts`](crate::backward_in_parts), only the first does.
    pub fn update(&self, update: impl FnOnce(Tensor<T>) -> Tensor<T>) {
        if parts::is_later() {
            return;
        }
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = update(place.clone().into()).array;
    }
}

impl<T: Float> Clone for Running<T> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

/// A place that counts what the forward pass has done, where that decides what it does next: the masks that a dropout has
/// drawn.
///
/// ```
/// let counter = autodiff::Counter::new(3);
/// assert_eq!((counter.next(), counter.get()), (3, 4));
/// counter.set(0);
/// assert_eq!(counter.clone().next(), 0);
/// ```
#[derive(Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// A place that starts with this number.
    pub fn new(count: u64) -> Self {
        Self(Arc::new(AtomicU64::new(count)))
    }

    /// The present number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// The present number, which no other call gets: the count goes up by one. Each part of
    /// [`backward_in_parts`](crate::backward_in_parts) gets numbers of its own.
    pub fn next(&self) -> u64 {
        parts::next(&self.0).unwrap_or_else(|| self.0.fetch_add(1, Ordering::Relaxed))
    }

    /// Replaces the number.
    pub fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }
}

impl Clone for Counter {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

/// A place that a walk shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Place<'a, T: Float> {
    /// A trained parameter.
    Parameter(&'a Parameter<T>),
    /// Running statistics.
    Running(&'a Running<T>),
    /// A count.
    Counter(&'a Counter),
}

/// A place that a walk shows for writing.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlaceMut<'a, T: Float> {
    /// A trained parameter.
    Parameter(&'a mut Parameter<T>),
    /// Running statistics.
    Running(&'a mut Running<T>),
    /// A count.
    Counter(&'a mut Counter),
}

/// Anything with named places: a layer, a model, a vector of layers.
///
/// `#[derive(Module)]` of the crate `nn` writes it for structs and enums, naming each place by its field path, as in
/// `"blocks.2.conv.weight"`. Numbers, strings and the like have no places.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no places to walk over elements of type `{T}`",
    label = "not a module",
    note = "derive `nn::Module` for it, or leave the field out with `#[module(skip)]`"
)]
pub trait Module<T: Float = f32> {
    /// Shows every place below `path`, always in the same order.
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>));

    /// The same, for writing.
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>));

    /// Shows every parameter with its name.
    ///
    /// ```
    /// use autodiff::{Module, Parameter, Tensor};
    /// let layers = vec![Parameter::new(Tensor::<f32>::ones([2])), Parameter::new(Tensor::zeros([3]))];
    /// let mut names = Vec::new();
    /// layers.parameters(&mut |name, p| names.push(format!("{name} {}", p.shape())));
    /// assert_eq!(names, ["0 [2]", "1 [3]"]);
    /// ```
    fn parameters(&self, visit: &mut dyn FnMut(&str, &Parameter<T>)) {
        self.walk(&mut Path::default(), &mut |name, place| {
            if let Place::Parameter(parameter) = place {
                visit(name, parameter);
            }
        });
    }

    /// Shows every parameter with its name, for writing.
    fn parameters_mut(&mut self, visit: &mut dyn FnMut(&str, &mut Parameter<T>)) {
        self.walk_mut(&mut Path::default(), &mut |name, place| {
            if let PlaceMut::Parameter(parameter) = place {
                visit(name, parameter);
            }
        });
    }

    /// The number of trained numbers.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.parameters(&mut |_, parameter| count += parameter.size());
        count
    }
}

/// The dotted name of the place that a walk is at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// Runs `body` one level below, under `name`.
    ///
    /// ```
    /// let mut path = autodiff::Path::default();
    /// path.scope("conv", |path| path.scope("weight", |path| assert_eq!(path.as_str(), "conv.weight")));
    /// assert_eq!(path.as_str(), "");
    /// ```
    pub fn scope<R>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> R) -> R {
        self.below(|path| path.push_str(name), body)
    }

    /// Runs `body` one level below, under a number.
    pub fn element<R>(&mut self, index: usize, body: impl FnOnce(&mut Self) -> R) -> R {
        self.below(|path| write!(path, "{index}").expect("a string can be written to"), body)
    }

    fn below<R>(&mut self, add: impl FnOnce(&mut String), body: impl FnOnce(&mut Self) -> R) -> R {
        let len = self.0.len();
        if len > 0 {
            self.0.push('.');
        }
        add(&mut self.0);
        let result = body(self);
        self.0.truncate(len);
        result
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T: Float> Module<T> for Parameter<T> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        visit(path.as_str(), Place::Parameter(self));
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        visit(path.as_str(), PlaceMut::Parameter(self));
    }
}

impl<T: Float> Module<T> for Running<T> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        visit(path.as_str(), Place::Running(self));
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        visit(path.as_str(), PlaceMut::Running(self));
    }
}

impl<T: Float> Module<T> for Counter {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        visit(path.as_str(), Place::Counter(self));
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        visit(path.as_str(), PlaceMut::Counter(self));
    }
}

impl<T: Float, M: Module<T> + ?Sized> Module<T> for Box<M> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        (**self).walk(path, visit);
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        (**self).walk_mut(path, visit);
    }
}

impl<T: Float, M: Module<T>> Module<T> for Option<M> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        if let Some(module) = self {
            module.walk(path, visit);
        }
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        if let Some(module) = self {
            module.walk_mut(path, visit);
        }
    }
}

impl<T: Float, M: Module<T>> Module<T> for [M] {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        for (i, module) in self.iter().enumerate() {
            path.element(i, |path| module.walk(path, visit));
        }
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        for (i, module) in self.iter_mut().enumerate() {
            path.element(i, |path| module.walk_mut(path, visit));
        }
    }
}

impl<T: Float, M: Module<T>> Module<T> for Vec<M> {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        self.as_slice().walk(path, visit);
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        self.as_mut_slice().walk_mut(path, visit);
    }
}

impl<T: Float, M: Module<T>, const N: usize> Module<T> for [M; N] {
    fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
        self.as_slice().walk(path, visit);
    }
    fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
        self.as_mut_slice().walk_mut(path, visit);
    }
}

macro_rules! tuple_module {
    ($($name:ident $index:tt),+) => {
        impl<T: Float, $($name: Module<T>),+> Module<T> for ($($name,)+) {
            fn walk(&self, path: &mut Path, visit: &mut dyn FnMut(&str, Place<'_, T>)) {
                $(path.scope(stringify!($index), |path| self.$index.walk(path, visit));)+
            }
            fn walk_mut(&mut self, path: &mut Path, visit: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {
                $(path.scope(stringify!($index), |path| self.$index.walk_mut(path, visit));)+
            }
        }
    };
}

tuple_module!(A 0);
tuple_module!(A 0, B 1);
tuple_module!(A 0, B 1, C 2);
tuple_module!(A 0, B 1, C 2, D 3);
tuple_module!(A 0, B 1, C 2, D 3, E 4);
tuple_module!(A 0, B 1, C 2, D 3, E 4, F 5);

macro_rules! no_places {
    ($($type:ty),+) => {
        $(impl<T: Float> Module<T> for $type {
            fn walk(&self, _: &mut Path, _: &mut dyn FnMut(&str, Place<'_, T>)) {}
            fn walk_mut(&mut self, _: &mut Path, _: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {}
        })+
    };
}

no_places!(
    (),
    bool,
    char,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64,
    String,
    &'static str
);

impl<T: Float, X: ?Sized> Module<T> for PhantomData<X> {
    fn walk(&self, _: &mut Path, _: &mut dyn FnMut(&str, Place<'_, T>)) {}
    fn walk_mut(&mut self, _: &mut Path, _: &mut dyn FnMut(&str, PlaceMut<'_, T>)) {}
}
