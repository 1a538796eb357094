//! Averages of the weights over training.

use crate::engine::{below_one, expect};
use autodiff::{Array, Error, Float, Module, Result, StateDict, Tensor};
use std::collections::HashMap;

/// The average of a model's parameters over the steps of training, which often does better than the last step does.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::{Average, Optimizer, Sgd};
/// let mut w = Parameter::new(Tensor::scalar(1.0f64));
/// let mut optimizer = Sgd::new(1.0); // too much: the weight jumps between 1 and -1
/// let mut average = Average::swa();
/// for _ in 0..10 {
///     w.square().backward()?;
///     optimizer.step(&mut w)?;
///     average.update(&w)?;
/// }
/// average.swap(&mut w)?; // the average in ..
/// assert!(w.item().abs() < 1e-12);
/// average.swap(&mut w)?; // .. and out again, to go on with training
/// assert_eq!(w.item(), 1.0);
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// Parameters are found by their names. The first update copies them, as `AveragedModel` of `PyTorch` does.
///
/// Running statistics, as those of batch normalisation, are not averaged: they stay those of the model, and do not quite
/// fit the averaged weights. After [`swap`](Self::swap), some batches forward in training mode, within
/// [`no_grad`](autodiff::no_grad), bring them up to date; `PyTorch` has `update_bn` for that.
#[derive(Clone, Debug)]
pub struct Average<T: Float = f32> {
    /// The share of the average that an update keeps; none if all updates count alike.
    decay: Option<f64>,
    updates: u64,
    values: HashMap<String, Array<T>>,
    swapped: bool,
}

/// The names in a state dict.
const VALUES: &str = "values";
const UPDATES: &str = "updates";
const SWAPPED: &str = "swapped";

impl<T: Float> Average<T> {
    /// Stochastic weight averaging (Izmailov et al., arXiv:1803.05407): all updates count alike, `a ← a + (w - a) / n`. For the
    /// last part of a training, once an epoch.
    pub fn swa() -> Self {
        Self { decay: None, updates: 0, values: HashMap::new(), swapped: false }
    }

    /// An exponential moving average: `a ← d a + (1 - d) w`. For each step, with a decay `d` of 0.99 to 0.9999.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// let mut w = Parameter::new(Tensor::scalar(1.0f64));
    /// let mut average = optim::Average::ema(0.75);
    /// average.update(&w)?;
    /// w.set(&Tensor::scalar(2.0));
    /// average.update(&w)?;
    /// average.swap(&mut w)?;
    /// assert_eq!(w.item(), 1.25);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the decay is not at least 0 and below 1.
    #[track_caller]
    pub fn ema(decay: f64) -> Self {
        Self { decay: Some(below_one("decay", decay)), ..Self::swa() }
    }

    /// How many updates are in the average.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Takes the present parameters into the average.
    ///
    /// # Errors
    /// If the average is [swapped](Self::swap) into the model, or if a parameter has come, gone, or changed its shape since
    /// the first update. The average is then as it was.
    #[track_caller]
    pub fn update(&mut self, model: &dyn Module<T>) -> Result<()> {
        if self.swapped {
            return Err(Error::new(
                "average",
                "the model holds the average: swap it out again first".to_owned(),
            ));
        }
        if self.updates == 0 {
            self.values.clear();
            model.parameters(&mut |name, parameter| {
                self.values.insert(name.to_owned(), parameter.array().clone());
            });
        } else {
            self.check(model)?;
            let share = T::from_f64(self.decay.map_or(1.0 / (self.updates + 1) as f64, |decay| 1.0 - decay));
            model.parameters(&mut |name, parameter| {
                let average = self.values.get_mut(name).expect("the names were compared");
                Array::update([average], parameter.array(), move |[a], w| [a + share * (w - a)]);
            });
        }
        self.updates += 1;
        Ok(())
    }

    /// Exchanges the parameters of the model and their average: once for evaluation, and once more to go on with training, or
    /// never to keep the average. Gradients of the parameters are dropped.
    ///
    /// # Errors
    /// If there has been no update, or if a parameter has come, gone, or changed its shape since. Nothing is exchanged.
    #[track_caller]
    pub fn swap(&mut self, model: &mut dyn Module<T>) -> Result<()> {
        if self.updates == 0 {
            return Err(Error::new("average", "there is no average yet: call `update` first".to_owned()));
        }
        self.check(model)?;
        model.parameters_mut(&mut |name, parameter| {
            let average = self.values.get_mut(name).expect("the names were compared");
            let values = std::mem::replace(average, parameter.array().clone());
            parameter.set(&Tensor::from(values));
        });
        self.swapped = !self.swapped;
        Ok(())
    }

    /// The average, to be saved: a count `updates`, the arrays as `values.NAME`, sorted by their names, and a count `swapped`,
    /// 1 while the model holds the average and this the model's parameters. Not the decay, which belongs to the program.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use optim::Average;
    /// let mut w = Parameter::new(Tensor::scalar(1.0f64));
    /// let mut average = Average::ema(0.75);
    /// average.update(&w)?;
    ///
    /// let mut resumed = Average::ema(0.75);
    /// resumed.load_state_dict(&average.state_dict())?;
    /// w.set(&Tensor::scalar(2.0));
    /// resumed.update(&w)?;
    /// resumed.swap(&mut w)?;
    /// assert_eq!(w.item(), 1.25);
    /// # Ok::<(), autodiff::Error>(())
    /// ```
    pub fn state_dict(&self) -> StateDict<T> {
        let mut names: Vec<_> = self.values.keys().collect();
        names.sort();
        let mut values = StateDict::new();
        for name in names {
            values.set_array(name, self.values[name].clone());
        }
        let mut state = StateDict::new();
        state.nest(VALUES, &values);
        state.set_count(UPDATES, self.updates);
        state.set_count(SWAPPED, u64::from(self.swapped));
        state
    }

    /// Takes up what [`state_dict`](Self::state_dict) has given, instead of what has been averaged since.
    ///
    /// # Errors
    /// If it is not the state of an average; the error names what is missing and what does not belong there. All is then as
    /// it was. That the parameters are those of the model is found out by the next update.
    #[track_caller]
    pub fn load_state_dict(&mut self, state: &StateDict<T>) -> Result<()> {
        let values = state.part(VALUES);
        let inside = |name: &&str| *name == VALUES || name.starts_with(&format!("{VALUES}."));
        let names: Vec<_> = state.arrays().map(|(name, _)| name).filter(inside).collect();
        expect("average", state, &names, &[UPDATES, SWAPPED])?;
        let count = |name| state.count(name).expect("the names were compared");
        let (updates, swapped) = (count(UPDATES), count(SWAPPED));
        if swapped > 1 || (updates == 0 && (swapped == 1 || !names.is_empty())) {
            let message = format!(
                "no average of {} arrays has {UPDATES} {updates} and {SWAPPED} {swapped}",
                names.len()
            );
            return Err(Error::new("average", message));
        }
        self.values = values.arrays().map(|(name, array)| (name.to_owned(), array.clone())).collect();
        (self.updates, self.swapped) = (updates, swapped == 1);
        Ok(())
    }

    /// Fails unless the parameters are those of the average.
    #[track_caller]
    fn check(&self, model: &dyn Module<T>) -> Result<()> {
        let mut wrong = None;
        let mut count = 0;
        model.parameters(&mut |name, parameter| {
            count += 1;
            let shape = parameter.shape();
            let known = self.values.get(name).map(Array::shape);
            if known != Some(shape) {
                wrong = Some(match known {
                    Some(known) => format!("parameter {name:?} has shape {shape}, its average {known}"),
                    None => format!("parameter {name:?} has no average"),
                });
            }
        });
        if wrong.is_none() && count != self.values.len() {
            wrong = Some(format!("the average has {} parameters, the model {count}", self.values.len()));
        }
        wrong.map_or(Ok(()), |message| Err(Error::new("average", message)))
    }
}
