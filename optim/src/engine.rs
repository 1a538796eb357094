//! What the optimisers share: state by name, the walk over a model, the checks of hyperparameters, and [`optimizer!`],
//! which leaves to each optimiser its formula.

use crate::group::{Group, Groups};
use crate::optimizer::Step;
use autodiff::{Array, Error, Float, Mismatch, Module, Result, StateDict, Tensor};
use std::collections::HashMap;

/// What an optimiser knows of one parameter.
#[derive(Clone, Debug)]
pub(crate) struct State<T: Float, const K: usize> {
    /// How often the parameter has been stepped, the present step included.
    pub(crate) steps: u64,
    /// Arrays of the parameter's shape; what an option needs that is off is not made.
    pub(crate) slots: [Option<Array<T>>; K],
}

/// What an optimiser knows of the parameters it has stepped, by their names.
#[derive(Clone, Debug)]
pub(crate) struct States<T: Float, const K: usize>(HashMap<String, State<T, K>>);

impl<T: Float, const K: usize> States<T, K> {
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Shows the values, the state, the gradient and the group of each parameter that has a gradient to `update`.
    #[track_caller]
    pub(crate) fn step(
        &mut self,
        optimizer: &'static str,
        groups: &mut Groups,
        model: &mut dyn Module<T>,
        mut update: impl FnMut(&mut Array<T>, &mut State<T, K>, &Array<T>, Group),
    ) -> Result<Step> {
        groups.check(optimizer, model)?;
        let mut report = Step::default();
        let mut wrong = None;
        model.parameters_mut(&mut |name, parameter| {
            let group = groups.of(name);
            if group.is_frozen() {
                parameter.take_grad();
                report.frozen += 1;
                return;
            }
            let had_gradient = parameter.step(|values, grad| {
                let shape = values.shape();
                let state = match self.0.get_mut(name) {
                    Some(state) => state,
                    None => self
                        .0
                        .entry(name.to_owned())
                        .or_insert_with(|| State { steps: 0, slots: std::array::from_fn(|_| None) }),
                };
                if let Some(slot) = state.slots.iter().flatten().find(|slot| slot.shape() != shape) {
                    wrong.get_or_insert_with(|| {
                        format!(
                            "parameter {name:?} has shape {shape}, but its state was made for {}: \
                             make a new optimiser for a changed model",
                            slot.shape()
                        )
                    });
                    return;
                }
                state.steps += 1;
                update(values, state, grad, group);
                report.updated += 1;
            });
            if !had_gradient {
                report.without_gradient.push(name.to_owned());
            }
        });
        match wrong {
            None => Ok(report),
            Some(message) => Err(Error::new(optimizer, message)),
        }
    }
}

impl<T: Float, const K: usize> States<T, K> {
    /// All that is known, the steps as `NAME.OPTIMIZER` and the slots as `NAME.SLOT`, sorted by the names of the parameters.
    /// Many optimisers have slots of the same names: the name of the count tells them apart.
    pub(crate) fn state_dict(&self, optimizer: &str, slots: [&str; K]) -> StateDict<T> {
        let mut names: Vec<_> = self.0.keys().collect();
        names.sort();
        let mut all = StateDict::new();
        for name in names {
            let state = &self.0[name];
            all.set_count(&below(name, optimizer), state.steps);
            for (slot, array) in slots.iter().zip(&state.slots) {
                if let Some(array) = array {
                    all.set_array(&below(name, slot), array.clone());
                }
            }
        }
        all
    }

    /// Takes all of that up again. Of the slots, given with whether the settings need them, those must be there.
    #[track_caller]
    pub(crate) fn load(
        &mut self,
        optimizer: &'static str,
        slots: [(&str, bool); K],
        saved: &StateDict<T>,
    ) -> Result<()> {
        let split = |name: &str| match name.rsplit_once('.') {
            Some((name, slot)) => (name.to_owned(), slot.to_owned()),
            None => (String::new(), name.to_owned()),
        };
        let mut states = HashMap::new();
        let mut foreign = Vec::new();
        for (name, steps) in saved.counts() {
            match split(name) {
                (parameter, kind) if kind == optimizer => {
                    states.insert(parameter, State { steps, slots: std::array::from_fn(|_| None) });
                }
                _ => foreign.push(name),
            }
        }
        for (name, array) in saved.arrays() {
            let (parameter, slot) = split(name);
            let at = slots.iter().position(|(known, _)| *known == slot);
            match (states.get_mut(&parameter), at) {
                (Some(state), Some(at)) => state.slots[at] = Some(array.clone()),
                _ => foreign.push(name),
            }
        }
        if !foreign.is_empty() {
            let slots = slots.map(|(slot, _)| slot);
            let message = format!(
                "this is no state of {optimizer}, which has counts {optimizer:?} and arrays {slots:?}: {foreign:?}"
            );
            return Err(Error::new(optimizer, message));
        }
        let mut missing = Vec::new();
        for (name, state) in &states {
            let empty =
                slots.iter().zip(&state.slots).filter(|((_, needed), slot)| *needed && slot.is_none());
            missing.extend(empty.map(|((slot, _), _)| below(name, slot)));
        }
        if !missing.is_empty() {
            missing.sort();
            return Err(Error::new(optimizer, format!("the state is incomplete: missing {missing:?}")));
        }
        self.0 = states;
        Ok(())
    }
}

/// The name of what belongs to a parameter; a model that is a single parameter has no name for it.
fn below(parameter: &str, slot: &str) -> String {
    if parameter.is_empty() { slot.to_owned() } else { format!("{parameter}.{slot}") }
}

/// Fails unless a state has just these arrays and counts: one error that names all that are missing and all others.
#[track_caller]
pub(crate) fn expect<T: Float>(
    what: &'static str,
    state: &StateDict<T>,
    arrays: &[&str],
    counts: &[&str],
) -> Result<()> {
    let mut mismatch = Mismatch::default();
    let found_arrays: Vec<_> = state.arrays().map(|(name, _)| name).collect();
    let found_counts: Vec<_> = state.counts().map(|(name, _)| name).collect();
    let lacking = |all: &[&str], some: &[&str]| -> Vec<String> {
        all.iter().filter(|name| !some.contains(name)).map(|&name| name.to_owned()).collect()
    };
    for (known, found) in [(arrays, &*found_arrays), (counts, &*found_counts)] {
        mismatch.missing.extend(lacking(known, found));
        mismatch.unexpected.extend(lacking(found, known));
    }
    if mismatch.is_empty() {
        return Ok(());
    }
    Err(Error::new(what, format!("this is not what `state_dict` gives: {mismatch}")))
}

/// A slot of state, made of zeros when it is first asked for.
pub(crate) fn slot<'a, T: Float>(slot: &'a mut Option<Array<T>>, like: &Array<T>) -> &'a mut Array<T> {
    slot.get_or_insert_with(|| Array::full(T::ZERO, like.shape()))
}

/// `f`, known to the compiler as what an optimiser does to the `N` numbers of an element.
pub(crate) fn elementwise<T, const N: usize, F: Fn([T; N], T) -> [T; N] + Sync>(f: F) -> F {
    f
}

/// The Euclidean norm, computed in `f64`: of `f32` it neither overflows nor vanishes.
pub(crate) fn norm<T: Float>(array: &Array<T>) -> f64 {
    square_sum(array, 1.0).sqrt()
}

/// The sum of the squares of all elements times `factor`, in `f64`.
pub(crate) fn square_sum<T: Float>(array: &Array<T>, factor: f64) -> f64 {
    let square = move |x: T| {
        let x = factor * x.to_f64();
        x * x
    };
    Tensor::from(array.map(square)).sum().item()
}

/// The gradient of the loss with a penalty `decay / 2 |w|²`. Without decay it is `g` also where `w` is infinite.
#[inline]
pub(crate) fn decayed<T: Float>(g: T, w: T, decay: T) -> T {
    if decay == T::ZERO { g } else { g + decay * w }
}

/// Weight decay of either kind.
#[derive(Clone, Copy)]
pub(crate) struct Decay<T> {
    coupled: T,
    keep: T,
}

impl<T: Float> Decay<T> {
    pub(crate) fn new(rate: f64, weight_decay: f64, decoupled: bool) -> Self {
        let [coupled, apart] = if decoupled { [0.0, weight_decay] } else { [weight_decay, 0.0] };
        Self { coupled: T::from_f64(coupled), keep: T::from_f64(1.0 - rate * apart) }
    }

    /// The gradient, with the penalty's if decay is coupled.
    #[inline]
    pub(crate) fn gradient(&self, g: T, w: T) -> T {
        decayed(g, w, self.coupled)
    }

    /// What is left of the weight if decay is decoupled.
    #[inline]
    pub(crate) fn weight(&self, w: T) -> T {
        self.keep * w
    }
}

/// Lets pass what is finite and not negative.
#[track_caller]
pub(crate) fn not_negative(name: &str, value: f64) -> f64 {
    assert!(value.is_finite() && value >= 0.0, "{name} must be finite and not negative, not {value}");
    value
}

/// Lets pass what is finite and above zero.
#[track_caller]
pub(crate) fn positive(name: &str, value: f64) -> f64 {
    assert!(value.is_finite() && value > 0.0, "{name} must be finite and above 0, not {value}");
    value
}

/// Lets pass what is at least zero and below one.
#[track_caller]
pub(crate) fn below_one(name: &str, value: f64) -> f64 {
    assert!((0.0..1.0).contains(&value), "{name} must be at least 0 and below 1, not {value}");
    value
}

/// Lets pass a weight decay, which a [`Group`] may replace.
#[track_caller]
pub(crate) fn decay(name: &str, value: f64) -> f64 {
    not_negative(name, value)
}

/// Lets either pass.
pub(crate) fn either(_: &str, value: bool) -> bool {
    value
}

/// Writes an optimiser: its name and slots of state, its hyperparameters (`name: type = default, check;`), and what it
/// does in a step, given the learning rate in `f64` and the number of the step. That is
///
/// - `|rate, t| formula`, where the formula is a function of each element, `|[w, slots], g| [new w, new slots]`. All is
///   read and written in one pass. A slot with a condition, `[m, largest if amsgrad]`, is made only if that holds; else
///   the formula gets 0 for it, and what it returns is dropped;
/// - or `|rate, t; w, g| update`, where whole arrays are at hand: for what no function of an element can say.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident [$($slot:ident $(if $on:expr)?),*];
        $($(#[$hyper_doc:meta])* $hyper:ident: $type:ty = $default:expr, $check:ident;)*
        |$rate:ident, $t:tt| $formula:expr
    ) => {
        optimizer! {
            $(#[$doc])*
            $name [$($slot $(if $on)?),*];
            $($(#[$hyper_doc])* $hyper: $type = $default, $check;)*
            |$rate, $t; w, g| {
                const N: usize = { $(let $slot = 1;)* 1 $(+ $slot)* };
                let formula = $crate::engine::elementwise::<T, N, _>($formula);
                optimizer!(@update w, g, formula, [], [], [$(($slot $($on)?))*])
            }
        }
    };
    (
        $(#[$doc:meta])*
        $name:ident [$($slot:ident $(if $on:expr)?),*];
        $($(#[$hyper_doc:meta])* $hyper:ident: $type:ty = $default:expr, $check:ident;)*
        |$rate:ident, $t:tt; $w:ident, $g:ident| $update:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        // A field is named as its builder method, which `Momentum` shares its name with.
        #[allow(clippy::struct_field_names, clippy::struct_excessive_bools)]
        pub struct $name<T: ::autodiff::Float = f32> {
            learning_rate: f64,
            $($hyper: $type,)*
            groups: $crate::group::Groups,
            states: $crate::engine::States<T, { $(let $slot = 1;)* 0 $(+ $slot)* }>,
        }

        impl<T: ::autodiff::Float> $name<T> {
            /// An optimiser with this learning rate `η`, and the other hyperparameters at their defaults.
            ///
            /// # Panics
            /// If the learning rate is negative or not finite.
            #[track_caller]
            pub fn new(learning_rate: f64) -> Self {
                Self {
                    learning_rate: $crate::engine::not_negative("the learning rate", learning_rate),
                    $($hyper: $default,)*
                    groups: $crate::group::Groups::default(),
                    states: $crate::engine::States::new(),
                }
            }

            $(
                $(#[$hyper_doc])*
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`.")]
                #[doc = optimizer!(@panics $check)]
                #[track_caller]
                pub fn $hyper(mut self, $hyper: $type) -> Self {
                    self.$hyper = $crate::engine::$check(stringify!($hyper), $hyper);
                    self
                }
            )*

            /// The same, with settings of their own for the parameters whose name matches `pattern`; see
            /// [`Group`](crate::Group).
            ///
            /// # Panics
            /// If the group sets a weight decay and this optimiser has none.
            #[track_caller]
            pub fn group(mut self, pattern: &str, set: impl FnOnce($crate::Group) -> $crate::Group) -> Self {
                let group = set($crate::Group::default());
                let decays = [$(stringify!($check)),*].contains(&"decay");
                assert!(decays || !group.decays(), "{} has no weight decay", stringify!($name));
                self.groups.push(pattern, group);
                self
            }
        }

        impl<T: ::autodiff::Float> $crate::Optimizer<T> for $name<T> {
            fn step(&mut self, model: &mut dyn ::autodiff::Module<T>) -> ::autodiff::Result<$crate::Step> {
                let learning_rate = self.learning_rate;
                $(let $hyper = self.$hyper;)*
                self.states.step(stringify!($name), &mut self.groups, model, |$w, state, $g, group| {
                    let $t = state.steps;
                    let $rate = learning_rate * group.factor();
                    $(let $hyper = optimizer!(@of $check, $hyper, group);)*
                    let [$($slot),*] = &mut state.slots;
                    $(let $slot = optimizer!(@slot $slot, $w $(, $on)?);)*
                    $update
                })
            }

            fn state_dict(&self) -> ::autodiff::StateDict<T> {
                self.states.state_dict(stringify!($name), [$(stringify!($slot)),*])
            }

            // Which hyperparameters the conditions of the slots read is theirs.
            #[allow(unused_variables)]
            fn load_state_dict(&mut self, state: &::autodiff::StateDict<T>) -> ::autodiff::Result<()> {
                $(let $hyper = self.$hyper;)*
                let slots = [$((stringify!($slot), optimizer!(@needed $($on)?))),*];
                self.states.load(stringify!($name), slots, state)
            }

            fn learning_rate(&self) -> f64 {
                self.learning_rate
            }

            fn set_learning_rate(&mut self, learning_rate: f64) {
                self.learning_rate = $crate::engine::not_negative("the learning rate", learning_rate);
            }
        }
    };
    // The value of a hyperparameter for a parameter of this group.
    (@of decay, $hyper:ident, $group:ident) => { $group.decay($hyper) };
    (@of $check:ident, $hyper:ident, $group:ident) => { $hyper };
    // Whether the settings need a slot.
    (@needed) => { true };
    (@needed $on:expr) => { $on };
    // An array, or, under a condition, an option of one.
    (@slot $slot:ident, $w:ident) => { $crate::engine::slot($slot, $w) };
    (@slot $slot:ident, $w:ident, $on:expr) => {
        if $on { Some($crate::engine::slot($slot, $w)) } else { None }
    };
    // Goes through the slots, and collects those that are there, and what the formula gets and returns for all.
    (@update $w:ident, $g:ident, $f:ident, [$($on:ident)*], [$($all:tt)*], [($slot:ident) $($rest:tt)*]) => {
        optimizer!(@update $w, $g, $f, [$($on)* $slot], [$($all)* ($slot $slot)], [$($rest)*])
    };
    (@update $w:ident, $g:ident, $f:ident, [$($on:ident)*], [$($all:tt)*], [($slot:ident $condition:expr) $($rest:tt)*]) => {
        match $slot {
            Some($slot) => optimizer!(@update $w, $g, $f, [$($on)* $slot], [$($all)* ($slot $slot)], [$($rest)*]),
            None => optimizer!(@update $w, $g, $f, [$($on)*], [$($all)* (_ T::ZERO)], [$($rest)*]),
        }
    };
    (@update $w:ident, $g:ident, $f:ident, [$($on:ident)*], [$(($new:tt $old:expr))*], []) => {
        ::autodiff::Array::update([$w, $($on),*], $g, move |[$w, $($on),*], $g| {
            let [$w, $($new),*] = $f([$w, $($old),*], $g);
            [$w, $($on),*]
        })
    };
    (@panics not_negative) => { "\n\n# Panics\nIf it is negative or not finite." };
    (@panics decay) => { "\n\n# Panics\nIf it is negative or not finite." };
    (@panics positive) => { "\n\n# Panics\nIf it is not finite and above 0." };
    (@panics below_one) => { "\n\n# Panics\nIf it is not at least 0 and below 1." };
    (@panics either) => { "" };
}
