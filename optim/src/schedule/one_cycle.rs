//! The one-cycle schedule.

use super::swing;
use crate::engine::positive;

/// Up to 1 and down to almost nothing, in half waves (Smith and Topin, *Super-Convergence*, arXiv:1708.07120): the learning
/// rate that it multiplies is the largest that training bears. `OneCycleLR` of `PyTorch`, without its cycle of momentum.
///
/// ```
/// use optim::{OneCycle, Schedule};
/// let schedule = Schedule::one_cycle(OneCycle::new(101).peak(0.25).divide(10.0).divide_end(100.0));
/// assert!((schedule.at(0) - 0.1).abs() < 1e-12);
/// let largest = (0..101).max_by(|&a, &b| schedule.at(a).total_cmp(&schedule.at(b)));
/// assert_eq!(largest, Some(24)); // 0.25 · 101 - 1 = 24.25
/// assert!((schedule.at(100) - 0.001).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneCycle {
    steps: u64,
    peak: f64,
    divide: f64,
    divide_end: f64,
    linear: bool,
    three_phases: bool,
}

impl OneCycle {
    /// A cycle of so many steps, with a peak after 0.3 of them.
    ///
    /// # Panics
    /// If there are fewer than two steps.
    #[track_caller]
    pub fn new(steps: u64) -> Self {
        assert!(steps > 1, "a cycle needs two steps or more, not {steps}");
        Self { steps, peak: 0.3, divide: 25.0, divide_end: 1e4, linear: false, three_phases: false }
    }

    /// The part of all steps that goes up. Default: `0.3`. `PyTorch` calls it `pct_start`. With 1, and above about half
    /// with [`three_phases`](Self::three_phases), the last step comes before the end of the way down, and there it stays.
    ///
    /// # Panics
    /// If it is not from 0 to 1.
    #[track_caller]
    pub fn peak(self, peak: f64) -> Self {
        assert!((0.0..=1.0).contains(&peak), "peak must be from 0 to 1, not {peak}");
        Self { peak, ..self }
    }

    /// It starts at 1 divided by this. Default: `25.0`. `PyTorch` calls it `div_factor`.
    ///
    /// # Panics
    /// If it is not finite and above 0.
    #[track_caller]
    pub fn divide(self, divide: f64) -> Self {
        Self { divide: positive("divide", divide), ..self }
    }

    /// It ends at its start divided by this. Default: `1e4`. `PyTorch` calls it `final_div_factor`.
    ///
    /// # Panics
    /// If it is not finite and above 0.
    #[track_caller]
    pub fn divide_end(self, divide_end: f64) -> Self {
        Self { divide_end: positive("divide_end", divide_end), ..self }
    }

    /// Whether it goes along straight lines. Default: `false`.
    pub fn linear(self, linear: bool) -> Self {
        Self { linear, ..self }
    }

    /// Whether it goes down to its start as fast as it went up, and from there to its end. Default: `false`.
    pub fn three_phases(self, three_phases: bool) -> Self {
        Self { three_phases, ..self }
    }

    /// The factor at this step; after the last it stays.
    pub(super) fn at(&self, step: f64) -> f64 {
        let steps = self.steps as f64;
        let start = 1.0 / self.divide;
        let up = self.peak * steps - 1.0;
        let end = (steps - 1.0, start / self.divide_end);
        // Where each phase ends, and at which factor.
        let phases: &[(f64, f64)] =
            if self.three_phases { &[(up, 1.0), (2.0 * up, start), end] } else { &[(up, 1.0), end] };
        let step = step.min(end.0);
        let (mut from, mut old) = (0.0, start);
        for &(to, new) in phases {
            // A way up without length is passed over.
            if step <= to && from < to {
                let done = (step - from) / (to - from);
                return if self.linear { old + (new - old) * done } else { swing(old, new, done) };
            }
            (from, old) = (to, new);
        }
        old
    }
}
