//! What has come out of a training.

use std::time::Duration;

/// What has come out of a training, step by step and epoch by epoch; a training that was taken up has the steps before too.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The loss of each step.
    pub losses: Vec<f64>,
    /// The epochs that came to their end.
    pub epochs: Vec<Epoch>,
    /// Why a callback has stopped the training, if one has since it was started or taken up.
    pub stopped: Option<String>,
    /// How long the loop has waited for batches, since the training was started or taken up.
    pub loading: Duration,
    /// How long all took, since the training was started or taken up.
    pub total: Duration,
}

/// The values of an epoch, by name: means over its steps, and what the validation has found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// How many steps there were by its end, since the start of the training.
    pub steps: u64,
    /// The values, by name.
    pub values: Vec<(String, f64)>,
}

impl Epoch {
    /// The value of this name.
    pub fn value(&self, name: &str) -> Option<f64> {
        value(&self.values, name)
    }
}

impl History {
    /// The value of this name at the end of the last epoch.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.epochs.last()?.value(name)
    }

    /// The share of the time in which the loop has waited for batches, from 0 to 1; NaN of a training that took no time.
    pub fn loading_share(&self) -> f64 {
        self.loading.as_secs_f64() / self.total.as_secs_f64()
    }
}

pub(crate) fn value(values: &[(String, f64)], name: &str) -> Option<f64> {
    values.iter().find(|(known, _)| known == name).map(|&(_, value)| value)
}
