//! The loop.

mod history;
mod saving;

pub(crate) use history::value;
pub use history::{Epoch, History};

use crate::callback::{Callback, Run};
use crate::{Error, Result};
use autodiff::{Float, Module, Tensor};
use nn::metrics::Mean;
use nn::save::Checkpoints;
use optim::{Optimizer, Schedule, clip_norm, clip_values};
use saving::Saving;
use std::time::Instant;

const LOSS: &str = "loss";
const GRADIENT_NORM: &str = "gradient_norm";
const LEARNING_RATE: &str = "learning_rate";
/// Before the names of what the validation has found.
const VALID: &str = "valid_";
/// The names that are not the closures': those above, and the first columns of the logs.
const RESERVED: [&str; 5] = [LOSS, GRADIENT_NORM, LEARNING_RATE, "epoch", "steps"];

/// What a closure makes of a batch: the loss, and what else is to be seen, by name.
///
/// A closure may return the loss alone. Then each batch counts alike in the means over an epoch.
///
/// ```
/// use autodiff::Tensor;
/// use train::Outcome;
/// let outcome: Outcome = Outcome::new(Tensor::scalar(0.7)).value("accuracy", 0.5).of(64);
/// ```
#[derive(Clone, Debug)]
pub struct Outcome<T: Float = f32> {
    loss: Tensor<T>,
    values: Vec<(String, f64)>,
    weight: f64,
}

impl<T: Float> Outcome<T> {
    /// A loss, a tensor of one number.
    pub fn new(loss: Tensor<T>) -> Self {
        Self { loss, values: Vec::new(), weight: 1.0 }
    }

    /// The same with one more named value, a mean over the batch.
    ///
    /// # Panics
    /// If there is a value of this name, or the name is one that the trainer gives: `epoch`, `steps`, `loss`, `gradient_norm`,
    /// `learning_rate`, or what begins with `valid_`.
    #[must_use]
    #[track_caller]
    pub fn value(mut self, name: impl Into<String>, value: f64) -> Self {
        let name = name.into();
        // They would be averaged with the trainer's, and hide them or be hidden in its history and logs.
        let reserved = RESERVED.contains(&name.as_str()) || name.starts_with(VALID);
        assert!(!reserved, "{name:?} is a name that the trainer gives itself");
        assert!(self.values.iter().all(|(known, _)| *known != name), "two values are called {name:?}");
        self.values.push((name, value));
        self
    }

    /// The same, of a batch of so many examples: its weight in the means over an epoch.
    #[must_use]
    pub fn of(self, examples: usize) -> Self {
        Self { weight: examples as f64, ..self }
    }
}

impl<T: Float> From<Tensor<T>> for Outcome<T> {
    fn from(loss: Tensor<T>) -> Self {
        Self::new(loss)
    }
}

/// How gradients are cut down before a step.
#[derive(Clone, Copy, Debug)]
enum Clip {
    Norm(f64),
    Values(f64),
}

type Validation<'a, M> = Box<dyn FnMut(&M) -> Result<Vec<(String, f64)>> + 'a>;

/// The loop over epochs and batches, with what surrounds it.
///
/// It does what the plain loop does, to the same bits; see the [crate](crate). In this order, for each batch:
///
/// 1. if there is a [`schedule`](Self::schedule), the learning rate becomes that with which the optimiser came, times
///    `schedule.at(step)`, the steps counted from 0 over all epochs;
/// 2. the closure makes the loss of model and batch; `backward`;
/// 3. the gradients are clipped, if that is asked for;
/// 4. the optimiser steps; a parameter without gradient is an error unless they are [allowed](Self::allow_without_gradient);
/// 5. [`Callback::step`] of each callback, in order.
///
/// After the last batch of an epoch comes the [`validate`](Self::validate) closure, then [`Callback::epoch`]. A checkpoint is
/// written after all that.
///
/// The values of a step are `loss`, those that the closure has named, `gradient_norm` if it is clipped (before that), and
/// `learning_rate`; those of an epoch are their means, weighted by [`Outcome::of`], but the last `learning_rate`, and those of
/// the validation, as `valid_loss`.
///
/// ```
/// use autodiff::Rng;
/// use datasets::{Batch, Loader, digits};
/// use nn::{Affine, Flatten, Layer, Relu, Sequential, metrics};
/// use optim::{Adam, Schedule};
/// use train::{EarlyStopping, Outcome, Progress, Trainer};
///
/// let data = digits::load()?;
/// let loader = Loader::new(&data.train, 50).shuffle(7);
/// let mut rng = Rng::seed(7);
/// let (hidden, output) = (Affine::new(64, 32, &mut rng), Affine::new(32, 10, &mut rng));
/// let mut model: Sequential = Sequential::new().push(Flatten).push(hidden).push(Relu).push(output);
/// let judge = |model: &Sequential, batch: Batch| {
///     let logits = model.forward(&batch.images)?;
///     let accuracy = metrics::accuracy(&logits, &batch.labels)?;
///     Ok(Outcome::new(logits.cross_entropy(&batch.labels)?).value("accuracy", accuracy).of(batch.len()))
/// };
/// let history = Trainer::new(5)
///     .schedule(Schedule::cosine(5 * 30, 0.0))
///     .clip_norm(5.0)
///     .validate(|| Loader::new(&data.test, 100), judge)
///     .callback(Progress::new())
///     .callback(EarlyStopping::largest("valid_accuracy").patience(3).restore_best())
///     .fit(&mut model, &mut Adam::new(0.01), |epoch| loader.epoch(epoch), judge)?;
/// assert_eq!(history.losses.len(), 5 * 30);
/// assert!(history.last("valid_accuracy").unwrap() > 0.85);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<'a, M, T: Float = f32> {
    epochs: u64,
    schedule: Option<Schedule>,
    clip: Option<Clip>,
    allow_without_gradient: bool,
    validation: Option<Validation<'a, M>>,
    callbacks: Vec<Box<dyn Callback<T> + 'a>>,
    saving: Option<Saving>,
}

/// Where a training is; all of it is in a checkpoint.
struct Position {
    epoch: u64,
    /// Batches of this epoch that are done.
    batch: usize,
    /// Of this epoch so far.
    means: Means,
    history: History,
}

/// Means by name, in the order in which the names have come up.
#[derive(Default)]
struct Means(Vec<(String, Mean)>);

impl Means {
    fn add(&mut self, values: &[(String, f64)], weight: f64) {
        for (name, value) in values {
            let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                self.0.push((name.clone(), Mean::new()));
                self.0.len() - 1
            });
            self.0[at].1.add(*value, weight);
        }
    }

    fn values(&self) -> Vec<(String, f64)> {
        self.0.iter().map(|(name, mean)| (name.clone(), mean.value())).collect()
    }
}

impl<'a, M: Module<T>, T: Float> Trainer<'a, M, T> {
    /// So many passes over the data, with nothing around them.
    pub fn new(epochs: u64) -> Self {
        Self {
            epochs,
            schedule: None,
            clip: None,
            allow_without_gradient: false,
            validation: None,
            callbacks: Vec::new(),
            saving: None,
        }
    }

    /// The factor of the learning rate at each step.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }

    /// Clips the gradients by [`optim::clip_norm`] before each step. In the place of another clipping.
    ///
    /// # Panics
    /// If `max` is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn clip_norm(self, max: f64) -> Self {
        assert!(max >= 0.0 && max.is_finite(), "a largest norm of {max} must be finite and not negative");
        Self { clip: Some(Clip::Norm(max)), ..self }
    }

    /// Clips the gradients by [`optim::clip_values`] before each step. In the place of another clipping.
    ///
    /// # Panics
    /// If `limit` is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn clip_values(self, limit: f64) -> Self {
        assert!(limit >= 0.0 && limit.is_finite(), "a limit of {limit} must be finite and not negative");
        Self { clip: Some(Clip::Values(limit)), ..self }
    }

    /// Lets parameters be without gradient: for losses that do not always reach all of the model.
    #[must_use]
    pub fn allow_without_gradient(self) -> Self {
        Self { allow_without_gradient: true, ..self }
    }

    /// Judges the model after each epoch, inside [`nn::evaluate`]: `judge` is called with each of these batches. Its values and its
    /// loss are averaged as those of the training, and named with `valid_` before. The closure that trains serves as well.
    #[must_use]
    pub fn validate<I: IntoIterator, O: Into<Outcome<T>>>(
        self,
        batches: impl Fn() -> I + 'a,
        judge: impl Fn(&M, I::Item) -> Result<O> + 'a,
    ) -> Self {
        let validation: Validation<'a, M> = Box::new(move |model| {
            let mut means = Means::default();
            nn::evaluate(|| {
                for batch in batches() {
                    let Outcome { loss, mut values, weight } = judge(model, batch)?.into();
                    values.insert(0, (LOSS.into(), loss.item().to_f64()));
                    means.add(&values, weight);
                }
                Ok(means
                    .values()
                    .into_iter()
                    .map(|(name, value)| (format!("{VALID}{name}"), value))
                    .collect())
            })
        });
        Self { validation: Some(validation), ..self }
    }

    /// One more callback, after those that are there. To look at it after the training, lend it: `callback(&mut stopping)`.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback<T> + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Saves the training every so many steps and at its end, and goes on from the newest checkpoint that is there, to the same
    /// bytes.
    ///
    /// In a checkpoint is all that changes in a training: the model with its running statistics and counters, what the optimiser
    /// has gathered, epoch and batch, the means so far, the history, and what the callbacks remember. Random numbers that the
    /// closures draw must be keyed by what they are for, as those of a loader are by the epoch. `run` says what is trained on what
    /// and how: a checkpoint of another run is refused.
    ///
    /// That a callback has [stopped](Run::stop) the training is not in it. Whether it goes on is for the callbacks to say anew, from
    /// [`Callback::start`] on: time may have been up, and there is more of it now, or the patience of an
    /// [`EarlyStopping`](crate::EarlyStopping) has become larger; with the same patience it stops before the first step.
    ///
    /// ```
    /// use autodiff::{Parameter, Tensor};
    /// use nn::save::Checkpoints;
    /// use optim::Adam;
    /// use train::{Result, Trainer};
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let train = |epochs: u64, name: &str| -> Result<f32> {
    ///     let mut w = Parameter::new(Tensor::scalar(1.0));
    ///     Trainer::new(epochs).checkpoints(Checkpoints::new(folder.join(name)), 10, "a parabola").fit(
    ///         &mut w,
    ///         &mut Adam::new(0.1),
    ///         |_| [1.0, 2.0, 3.0],
    ///         |w, factor| Ok(w.square() * factor),
    ///     )?;
    ///     Ok(w.item())
    /// };
    /// let at_once = train(6, "a")?;
    /// train(4, "b")?; // stopped ..
    /// assert_eq!(train(6, "b")?, at_once); // .. and taken up
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If `every` is 0.
    #[must_use]
    #[track_caller]
    pub fn checkpoints(self, checkpoints: Checkpoints, every: u64, run: impl Into<String>) -> Self {
        assert!(every > 0, "a checkpoint every 0 steps");
        Self { saving: Some(Saving { checkpoints, every, run: run.into() }), ..self }
    }

    /// Trains.
    ///
    /// `batches` gives those of an epoch, which is all that is asked of data: `|epoch| loader.epoch(epoch)`, or
    /// `|_| batches.iter()` of a vector. A training that is taken up leaves out, by [`Iterator::nth`], those that are done.
    ///
    /// The learning rate of the optimiser is afterwards what it was before.
    ///
    /// # Errors
    /// If a closure or a callback fails, an epoch has no batches, no gradient has arrived at a parameter, gradients to be clipped
    /// are not finite, or a checkpoint cannot be written, read, or is of another run.
    pub fn fit<I, O>(
        &mut self,
        model: &mut M,
        optimizer: &mut dyn Optimizer<T>,
        batches: impl FnMut(u64) -> I,
        step: impl FnMut(&M, I::Item) -> Result<O>,
    ) -> Result<History>
    where
        I: IntoIterator,
        I::IntoIter: ExactSizeIterator,
        O: Into<Outcome<T>>,
    {
        let base = optimizer.learning_rate();
        let result = self.run(model, optimizer, base, batches, step);
        optimizer.set_learning_rate(base);
        result
    }

    fn run<I, O>(
        &mut self,
        model: &mut M,
        optimizer: &mut dyn Optimizer<T>,
        base: f64,
        mut batches: impl FnMut(u64) -> I,
        mut step: impl FnMut(&M, I::Item) -> Result<O>,
    ) -> Result<History>
    where
        I: IntoIterator,
        I::IntoIter: ExactSizeIterator,
        O: Into<Outcome<T>>,
    {
        let started = Instant::now();
        let epochs = self.epochs;
        let mut at = match &self.saving {
            Some(saving) => saving.resume(model, optimizer, &mut self.callbacks)?,
            None => Position::start(),
        };
        let mut call = Calls { callbacks: &mut self.callbacks, epochs, length: 0 };
        let mut begun = false;
        while at.epoch < epochs && at.history.stopped.is_none() {
            let waiting = Instant::now();
            let mut iterator = batches(at.epoch).into_iter();
            call.length = iterator.len() as u64;
            if at.batch > 0 {
                iterator.nth(at.batch - 1);
            }
            at.history.loading += waiting.elapsed();
            if !begun {
                call.all(model, optimizer, &mut at, &[], |callback, run| callback.start(run))?;
                begun = true;
                if at.history.stopped.is_some() {
                    break;
                }
            }
            loop {
                let waiting = Instant::now();
                let Some(batch) = iterator.next() else {
                    return Err(Error::Training(format!("epoch {} has no batches", at.epoch)));
                };
                at.history.loading += waiting.elapsed();

                if let Some(schedule) = &self.schedule {
                    optimizer.set_learning_rate(base * schedule.at(at.history.losses.len() as u64));
                }
                let Outcome { loss, values: named, weight } = step(model, batch)?.into();
                loss.backward()?;
                let mut values = vec![(LOSS.to_owned(), loss.item().to_f64())];
                // Else the tape would hold the values that the step is to write.
                drop(loss);
                values.extend(named);
                match self.clip {
                    Some(Clip::Norm(max)) => values.push((GRADIENT_NORM.into(), clip_norm(model, max)?)),
                    Some(Clip::Values(limit)) => clip_values(model, limit),
                    None => {}
                }
                let report = optimizer.step(model)?;
                if !self.allow_without_gradient {
                    report.require_all()?;
                }

                at.batch += 1;
                at.history.losses.push(values[0].1);
                at.means.add(&values, weight);
                let rate = (LEARNING_RATE.to_owned(), optimizer.learning_rate());
                values.push(rate.clone());
                call.all(model, optimizer, &mut at, &values, |callback, run| callback.step(run))?;

                let whole = iterator.len() == 0;
                if whole {
                    let mut values = std::mem::take(&mut at.means).values();
                    values.push(rate);
                    if let Some(validation) = &mut self.validation {
                        values.extend(validation(model)?);
                    }
                    let steps = at.history.losses.len() as u64;
                    at.history.epochs.push(Epoch { steps, values: values.clone() });
                    call.all(model, optimizer, &mut at, &values, |callback, run| callback.epoch(run))?;
                    (at.epoch, at.batch) = (at.epoch + 1, 0);
                }
                let over = at.epoch == epochs || at.history.stopped.is_some();
                if let Some(saving) = &self.saving {
                    saving.save_if_due(model, optimizer, &mut *call.callbacks, &at, over)?;
                }
                if whole || over {
                    break;
                }
            }
        }
        if !begun {
            call.all(model, optimizer, &mut at, &[], |callback, run| callback.start(run))?;
        }
        at.history.total = started.elapsed();
        call.all(model, optimizer, &mut at, &[], |callback, run| callback.end(run))?;
        Ok(at.history)
    }
}

impl Position {
    fn start() -> Self {
        Self { epoch: 0, batch: 0, means: Means::default(), history: History::default() }
    }
}

/// The callbacks, and what they are told of the training as a whole.
struct Calls<'c, 'a, T: Float> {
    callbacks: &'c mut Vec<Box<dyn Callback<T> + 'a>>,
    epochs: u64,
    /// Batches of an epoch.
    length: u64,
}

impl<T: Float> Calls<'_, '_, T> {
    /// Calls a hook of each. One that asks for a stop does not keep the others from being called.
    fn all(
        &mut self,
        model: &mut dyn Module<T>,
        optimizer: &mut dyn Optimizer<T>,
        at: &mut Position,
        values: &[(String, f64)],
        mut hook: impl FnMut(&mut dyn Callback<T>, &mut Run<'_, T>) -> Result<()>,
    ) -> Result<()> {
        let mut stop = None;
        for callback in &mut *self.callbacks {
            let mut run = Run {
                model: &mut *model,
                optimizer: &mut *optimizer,
                history: &at.history,
                values,
                epoch: at.epoch,
                epochs: self.epochs,
                epoch_steps: self.length,
                stop: &mut stop,
            };
            hook(callback.as_mut(), &mut run)?;
        }
        at.history.stopped = at.history.stopped.take().or(stop);
        Ok(())
    }
}
