//! What the optimisers share: state by name, the walk over a model, the checks of hyperparameters, and [`optimizer!`],
//! which leaves to each optimiser its formula.

use crate::optimizer::Step;
use autodiff::{Array, Error, Float, Module, Result};
use std::collections::HashMap;

/// What an optimiser knows of one parameter.
#[derive(Clone, Debug)]
pub(crate) struct State<T: Float, const K: usize> {
    /// How often the parameter has been stepped, the present step included.
    pub(crate) steps: u64,
    /// Arrays of the parameter's shape, zeros at first.
    pub(crate) slots: [Array<T>; K],
}

/// What an optimiser knows of the parameters it has stepped, by their names.
#[derive(Clone, Debug)]
pub(crate) struct States<T: Float, const K: usize>(HashMap<String, State<T, K>>);

impl<T: Float, const K: usize> States<T, K> {
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Shows the values, the state and the gradient of each parameter that has one to `update`.
    #[track_caller]
    pub(crate) fn step(
        &mut self,
        optimizer: &'static str,
        model: &mut dyn Module<T>,
        mut update: impl FnMut(&mut Array<T>, &mut State<T, K>, &Array<T>),
    ) -> Result<Step> {
        let mut report = Step::default();
        let mut wrong = None;
        model.parameters_mut(&mut |name, parameter| {
            let had_gradient = parameter.step(|values, grad| {
                let shape = values.shape();
                let state = match self.0.get_mut(name) {
                    Some(state) => state,
                    None => self.0.entry(name.to_owned()).or_insert_with(|| State {
                        steps: 0,
                        slots: std::array::from_fn(|_| Array::full(T::ZERO, shape)),
                    }),
                };
                if let Some(slot) = state.slots.iter().find(|slot| slot.shape() != shape) {
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
                update(values, state, grad);
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

/// The gradient of the loss with a penalty `decay / 2 |w|²`. Without decay it is `g` also where `w` is infinite.
#[inline]
pub(crate) fn decayed<T: Float>(g: T, w: T, decay: T) -> T {
    if decay == T::ZERO { g } else { g + decay * w }
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

/// Lets either pass.
pub(crate) fn either(_: &str, value: bool) -> bool {
    value
}

/// Writes an optimiser: its name and slots of state, its hyperparameters (`name: type = default, check;`), and its
/// formula, a function of the learning rate in `f64` and of the number of the step that returns what is to be done to
/// each element: `|[w, slots], g| [new w, new slots]`.
macro_rules! optimizer {
    (
        $(#[$doc:meta])*
        $name:ident [$($slot:ident),*];
        $($(#[$hyper_doc:meta])* $hyper:ident: $type:ty = $default:expr, $check:ident;)*
        |$rate:ident, $t:pat_param| $formula:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        // A field is named as its builder method, which `Momentum` shares its name with.
        #[allow(clippy::struct_field_names)]
        pub struct $name<T: ::autodiff::Float = f32> {
            learning_rate: f64,
            $($hyper: $type,)*
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
        }

        impl<T: ::autodiff::Float> $crate::Optimizer<T> for $name<T> {
            fn step(&mut self, model: &mut dyn ::autodiff::Module<T>) -> ::autodiff::Result<$crate::Step> {
                let $rate = self.learning_rate;
                $(let $hyper = self.$hyper;)*
                self.states.step(stringify!($name), model, |values, state, grad| {
                    let $t = state.steps;
                    let [$($slot),*] = &mut state.slots;
                    ::autodiff::Array::update([values, $($slot),*], grad, $formula);
                })
            }

            fn learning_rate(&self) -> f64 {
                self.learning_rate
            }

            fn set_learning_rate(&mut self, learning_rate: f64) {
                self.learning_rate = $crate::engine::not_negative("the learning rate", learning_rate);
            }
        }
    };
    (@panics not_negative) => { "\n\n# Panics\nIf it is negative or not finite." };
    (@panics positive) => { "\n\n# Panics\nIf it is not finite and above 0." };
    (@panics below_one) => { "\n\n# Panics\nIf it is not at least 0 and below 1." };
    (@panics either) => { "" };
}
