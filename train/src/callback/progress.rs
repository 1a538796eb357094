//! A bar on standard error.

use super::{Callback, Run};
use crate::Result;
use autodiff::Float;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::time::Duration;

/// A bar on standard error, if that is a terminal: how much is done, the values of the last steps, steps a second, the time left.
///
/// A value is shown as a mean in which each step counts 1/50, so that it can be read; the learning rate as it is.
#[derive(Debug, Default)]
pub struct Progress {
    bar: Option<ProgressBar>,
    shown: Vec<(String, f64)>,
    /// Steps since the start, which is not that of a training that was taken up.
    steps: u64,
}

impl Progress {
    /// A bar, drawn when the training starts.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T: Float> Callback<T> for Progress {
    fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {speed}  {eta} left")
            .expect("the template is well formed")
            .with_key("speed", |state: &ProgressState, out: &mut dyn Write| {
                // A progress bar that cannot be written is no reason to stop training.
                let _ = write!(out, "{:.0} batches/s", state.per_sec());
            });
        let left = (run.epochs - run.epoch.min(run.epochs)) * run.epoch_steps;
        let done = if run.epoch_steps == 0 { 0 } else { run.steps() % run.epoch_steps };
        let bar = ProgressBar::new(run.steps() - done + left).with_style(style).with_position(run.steps());
        bar.enable_steady_tick(Duration::from_millis(200));
        *self = Self { bar: Some(bar), ..Self::default() };
        Ok(())
    }

    fn step(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        self.steps += 1;
        let weight = (1.0 / self.steps as f64).max(0.02);
        let mut message = format!("epoch {}/{}", run.epoch + 1, run.epochs);
        for (name, value) in run.values {
            if !self.shown.iter().any(|(known, _)| known == name) {
                self.shown.push((name.clone(), *value));
            }
            let (_, shown) = self.shown.iter_mut().find(|(known, _)| known == name).expect("it was put in");
            let weight = if name == "learning_rate" { 1.0 } else { weight };
            *shown += weight * (value - *shown);
            let digits = if name == "learning_rate" { 6 } else { 4 };
            let _ = write!(message, "  {} {shown:.digits$}", name.replace('_', " "));
        }
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.inc(1);
        }
        Ok(())
    }

    fn end(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
        Ok(())
    }
}
