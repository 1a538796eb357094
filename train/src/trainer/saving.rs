//! A training as a checkpoint, and back.

use super::{Epoch, Position};
use crate::callback::Callback;
use crate::{Error, Result};
use autodiff::{Array, Float, Module, StateDict};
use nn::metrics::Mean;
use nn::save::Checkpoints;
use optim::Optimizer;

/// Where a training is saved to, and how often.
pub(super) struct Saving {
    pub(super) checkpoints: Checkpoints,
    pub(super) every: u64,
    pub(super) run: String,
}

type Callbacks<'a, T> = Vec<Box<dyn Callback<T> + 'a>>;

impl Saving {
    pub(super) fn save_if_due<T: Float>(
        &self,
        model: &dyn Module<T>,
        optimizer: &dyn Optimizer<T>,
        callbacks: &mut Callbacks<'_, T>,
        at: &Position,
        over: bool,
    ) -> Result<()> {
        let step = at.history.losses.len() as u64;
        if !over && !step.is_multiple_of(self.every) {
            return Ok(());
        }
        let mut state = StateDict::new();
        state.nest("model", &StateDict::of(model));
        state.nest("optimizer", &optimizer.state_dict());
        let losses: Vec<T> = at.history.losses.iter().map(|&loss| T::from_f64(loss)).collect();
        let shape = [losses.len()];
        state.set_array("losses", Array::from_vec(losses, shape)?);
        state.set_note("run", &self.run);
        state.set_count("epoch", at.epoch);
        state.set_count("batch", at.batch as u64);
        for (i, (name, mean)) in at.means.0.iter().enumerate() {
            // NaN if nothing has weight.
            set_value(&mut state, &format!("means.{i}"), name, mean.value());
            set_number(&mut state, &format!("means.{i}.weight"), mean.weight());
        }
        for (e, epoch) in at.history.epochs.iter().enumerate() {
            state.set_count(&format!("epochs.{e}.steps"), epoch.steps);
            for (i, (name, value)) in epoch.values.iter().enumerate() {
                set_value(&mut state, &format!("epochs.{e}.{i}"), name, *value);
            }
        }
        for (i, callback) in callbacks.iter_mut().enumerate() {
            state.nest(&format!("callbacks.{i}"), &callback.state()?);
        }
        Ok(self.checkpoints.save(step, &state)?)
    }

    /// Takes up the newest checkpoint, if there is one.
    pub(super) fn resume<T: Float>(
        &self,
        model: &mut dyn Module<T>,
        optimizer: &mut dyn Optimizer<T>,
        callbacks: &mut Callbacks<'_, T>,
    ) -> Result<Position> {
        let mut at = Position::start();
        let Some((step, state)) = self.checkpoints.latest::<T>()? else { return Ok(at) };
        let file = self.checkpoints.path(step);
        let fail = |message: String| Error::format(&file, message);
        let run = state.note("run").unwrap_or("another program");
        if run != self.run {
            return Err(fail(format!("this is a run of [{run}], not of [{}]", self.run)));
        }
        let losses = state.array("losses").filter(|losses| losses.shape() == [step as usize]);
        let losses = losses.ok_or_else(|| fail("the losses are missing".into()))?;
        at.history.losses = losses.to_vec().iter().map(|loss| loss.to_f64()).collect();
        let count = |name: &str| state.count(name).ok_or_else(|| fail(format!("the {name} is missing")));
        (at.epoch, at.batch) = (count("epoch")?, count("batch")? as usize);
        for (i, (name, value)) in values(&state, "means").into_iter().enumerate() {
            let weight = f64::from_bits(count(&format!("means.{i}.weight"))?);
            let mut mean = Mean::new();
            mean.add(value, weight);
            at.means.0.push((name, mean));
        }
        while let Some(steps) = state.count(&format!("epochs.{}.steps", at.history.epochs.len())) {
            let values = values(&state, &format!("epochs.{}", at.history.epochs.len()));
            at.history.epochs.push(Epoch { steps, values });
        }
        state.part("model").load_into(model).map_err(|error| fail(error.to_string()))?;
        optimizer.load_state_dict(&state.part("optimizer")).map_err(|error| fail(error.to_string()))?;
        for (i, callback) in callbacks.iter_mut().enumerate() {
            callback.load_state(&state.part(&format!("callbacks.{i}")))?;
        }
        Ok(at)
    }
}

/// A number of 64 bits, as a count of the same bits: the arrays of a state may be of 32.
fn set_number<T: Float>(state: &mut StateDict<T>, key: &str, number: f64) {
    state.set_count(key, number.to_bits());
}

fn set_value<T: Float>(state: &mut StateDict<T>, key: &str, name: &str, value: f64) {
    state.set_note(key, name);
    set_number(state, key, value);
}

/// The named values `prefix.0`, `prefix.1`, ..
fn values<T: Float>(state: &StateDict<T>, prefix: &str) -> Vec<(String, f64)> {
    let value = |i: usize| {
        let key = format!("{prefix}.{i}");
        Some((state.note(&key)?.to_owned(), f64::from_bits(state.count(&key)?)))
    };
    (0..).map_while(value).collect()
}
