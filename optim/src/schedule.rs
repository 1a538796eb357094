//! Schedules: what the learning rate is multiplied by at each step of training.

mod one_cycle;
mod plateau;

pub use one_cycle::OneCycle;
pub use plateau::Plateau;

use std::f64::consts::PI;

/// A function of the number of the step: the factor of the base learning rate.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::{Optimizer, Schedule, Sgd};
/// // Up from a tenth in 5 steps, then down to zero in 45.
/// let schedule = Schedule::linear(0.1, 1.0, 5).then(5, Schedule::cosine(45, 0.0));
///
/// let mut w = Parameter::new(Tensor::scalar(1.0));
/// let base = 0.2;
/// let mut optimizer = Sgd::new(base);
/// for step in 0..50 {
///     optimizer.set_learning_rate(base * schedule.at(step));
///     w.square().backward()?;
///     optimizer.step(&mut w)?;
/// }
/// assert!(f64::abs(w.item()) < 1e-3);
/// # Ok::<(), autodiff::Error>(())
/// ```
///
/// It has no state: to go on after a pause is to go on with the number. A "step" is what the caller counts: batches, or,
/// as is usual for [`step`](Schedule::step), epochs.
///
/// | here | `PyTorch` |
/// |---|---|
/// | [`constant`](Self::constant) | `ConstantLR`, without end |
/// | [`step`](Self::step) | `StepLR` |
/// | [`multi_step`](Self::multi_step) | `MultiStepLR` |
/// | [`exponential`](Self::exponential) | `ExponentialLR` |
/// | [`polynomial`](Self::polynomial) | `PolynomialLR` |
/// | [`linear`](Self::linear) | `LinearLR` |
/// | [`cosine`](Self::cosine) | `CosineAnnealingLR`, which climbs again after its end: this one stays |
/// | [`restarts`](Self::restarts) | `CosineAnnealingWarmRestarts` |
/// | [`one_cycle`](Self::one_cycle) | `OneCycleLR`, which refuses steps after its end: this one stays; it leaves momentum alone |
/// | [`times`](Self::times) | `ChainedScheduler` |
/// | [`then`](Self::then) | `SequentialLR` |
/// | [`Plateau`] | `ReduceLROnPlateau` |
///
/// What `PyTorch` gives as a learning rate, as `eta_min`, is a part of the base learning rate here. `ChainedScheduler` with a
/// cosine whose floor is not 0 is not quite a product there.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant { factor: f64 },
    Step { every: u64, gamma: f64 },
    MultiStep { milestones: Vec<u64>, gamma: f64 },
    Exponential { gamma: f64 },
    Polynomial { steps: u64, power: f64 },
    Linear { start: f64, end: f64, steps: u64 },
    Cosine { steps: u64, floor: f64 },
    Restarts { first: u64, growth: u64, floor: f64 },
    OneCycle(OneCycle),
    Times(Box<[Schedule; 2]>),
    Then { step: u64, parts: Box<[Schedule; 2]> },
}

#[track_caller]
fn factor(name: &str, value: f64) -> f64 {
    crate::engine::not_negative(name, value)
}

#[track_caller]
fn some(name: &str, steps: u64) -> u64 {
    assert!(steps > 0, "{name} must be above 0");
    steps
}

impl Schedule {
    /// Always `factor`.
    ///
    /// ```
    /// use optim::Schedule;
    /// let half_at_first = Schedule::constant(0.5).then(10, Schedule::constant(1.0));
    /// assert_eq!([0, 9, 10].map(|step| half_at_first.at(step)), [0.5, 0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If it is negative or not finite.
    #[track_caller]
    pub fn constant(factor: f64) -> Self {
        Self(Kind::Constant { factor: self::factor("factor", factor) })
    }

    /// `γ^⌊step / every⌋`: times `gamma` every so many steps.
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::step(30, 0.5);
    /// assert_eq!([0, 29, 30, 60].map(|step| schedule.at(step)), [1.0, 1.0, 0.5, 0.25]);
    /// ```
    ///
    /// # Panics
    /// If `every` is 0, or `gamma` negative or not finite.
    #[track_caller]
    pub fn step(every: u64, gamma: f64) -> Self {
        Self(Kind::Step { every: some("every", every), gamma: factor("gamma", gamma) })
    }

    /// Times `gamma` at each milestone, as often as that is given.
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::multi_step([30, 80], 0.5);
    /// assert_eq!([0, 30, 79, 80].map(|step| schedule.at(step)), [1.0, 0.5, 0.5, 0.25]);
    /// ```
    ///
    /// # Panics
    /// If `gamma` is negative or not finite.
    #[track_caller]
    pub fn multi_step(milestones: impl Into<Vec<u64>>, gamma: f64) -> Self {
        Self(Kind::MultiStep { milestones: milestones.into(), gamma: factor("gamma", gamma) })
    }

    /// `γ^step`
    ///
    /// ```
    /// assert_eq!(optim::Schedule::exponential(0.5).at(3), 0.125);
    /// ```
    ///
    /// # Panics
    /// If `gamma` is negative or not finite.
    #[track_caller]
    pub fn exponential(gamma: f64) -> Self {
        Self(Kind::Exponential { gamma: factor("gamma", gamma) })
    }

    /// `(1 - step / steps)^power`, and from `steps` on what it is there: 0, or 1 if `power` is 0.
    ///
    /// ```
    /// assert_eq!(optim::Schedule::polynomial(10, 2.0).at(5), 0.25);
    /// ```
    ///
    /// # Panics
    /// If `steps` is 0, or `power` negative or not finite.
    #[track_caller]
    pub fn polynomial(steps: u64, power: f64) -> Self {
        Self(Kind::Polynomial { steps: some("steps", steps), power: factor("power", power) })
    }

    /// From `start` to `end` in so many steps, then `end`: a warm-up, if `end` is 1.
    ///
    /// ```
    /// use optim::Schedule;
    /// let warm_up = Schedule::linear(0.0, 1.0, 4);
    /// assert_eq!([0, 1, 2, 3, 4, 100].map(|step| warm_up.at(step)), [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If `steps` is 0, or a factor negative or not finite.
    #[doc(alias = "warm_up")]
    #[track_caller]
    pub fn linear(start: f64, end: f64, steps: u64) -> Self {
        let [start, end] = [factor("start", start), factor("end", end)];
        Self(Kind::Linear { start, end, steps: some("steps", steps) })
    }

    /// `floor + (1 - floor) (1 + cos(π step / steps)) / 2`, and `floor` from `steps` on (Loshchilov and Hutter, *SGDR*,
    /// arXiv:1608.03983, without restarts).
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::cosine(100, 0.1);
    /// assert_eq!([0, 50, 100, 1000].map(|step| schedule.at(step)), [1.0, 0.55, 0.1, 0.1]);
    /// ```
    ///
    /// # Panics
    /// If `steps` is 0, or `floor` negative or not finite.
    #[track_caller]
    pub fn cosine(steps: u64, floor: f64) -> Self {
        Self(Kind::Cosine { steps: some("steps", steps), floor: factor("floor", floor) })
    }

    /// [`cosine`](Self::cosine) over `first` steps, again and again, each `growth` times as long as the one before
    /// (Loshchilov and Hutter, *SGDR*, arXiv:1608.03983).
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::restarts(10, 2, 0.0);
    /// assert_eq!([0, 5, 10, 20, 30].map(|step| schedule.at(step)), [1.0, 0.5, 1.0, 0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If `first` or `growth` is 0, or `floor` negative or not finite.
    #[track_caller]
    pub fn restarts(first: u64, growth: u64, floor: f64) -> Self {
        let [first, growth] = [some("first", first), some("growth", growth)];
        Self(Kind::Restarts { first, growth, floor: factor("floor", floor) })
    }

    /// Up to 1 and down to almost nothing; see [`OneCycle`].
    pub fn one_cycle(cycle: OneCycle) -> Self {
        Self(Kind::OneCycle(cycle))
    }

    /// The product of two schedules.
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::linear(0.0, 1.0, 2).times(Schedule::exponential(0.5));
    /// assert_eq!([0, 1, 2, 3].map(|step| schedule.at(step)), [0.0, 0.25, 0.25, 0.125]);
    /// ```
    pub fn times(self, other: Self) -> Self {
        Self(Kind::Times(Box::new([self, other])))
    }

    /// This one before `step`, and from there on `next`, which counts from 0 again.
    ///
    /// ```
    /// use optim::Schedule;
    /// let schedule = Schedule::constant(0.1).then(2, Schedule::exponential(0.5)).then(4, Schedule::constant(0.0));
    /// assert_eq!([0, 1, 2, 3, 4].map(|step| schedule.at(step)), [0.1, 0.1, 1.0, 0.5, 0.0]);
    /// ```
    pub fn then(self, step: u64, next: Self) -> Self {
        Self(Kind::Then { step, parts: Box::new([self, next]) })
    }

    /// The factor of the base learning rate at this step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        let t = step as f64;
        match &self.0 {
            Kind::Constant { factor } => *factor,
            Kind::Step { every, gamma } => gamma.powf((step / every) as f64),
            Kind::MultiStep { milestones, gamma } => {
                gamma.powf(milestones.iter().filter(|&&at| at <= step).count() as f64)
            }
            Kind::Exponential { gamma } => gamma.powf(t),
            Kind::Polynomial { steps, power } => (1.0 - done(step, *steps)).powf(*power),
            Kind::Linear { start, end, steps } => start + (end - start) * done(step, *steps),
            Kind::Cosine { steps, floor } => swing(1.0, *floor, done(step, *steps)),
            Kind::Restarts { first, growth, floor } => {
                let (mut at, mut length) = (step, *first);
                if *growth == 1 {
                    at %= length;
                }
                while at >= length {
                    at -= length;
                    length = length.saturating_mul(*growth);
                }
                swing(1.0, *floor, done(at, length))
            }
            Kind::OneCycle(cycle) => cycle.at(t),
            Kind::Times(parts) => parts[0].at(step) * parts[1].at(step),
            Kind::Then { step: at, parts } if step < *at => parts[0].at(step),
            Kind::Then { step: at, parts } => parts[1].at(step - at),
        }
    }
}

/// The part of so many steps that is done, 1 after their end.
fn done(step: u64, steps: u64) -> f64 {
    step.min(steps) as f64 / steps as f64
}

/// From `start` to `end` along half a wave.
fn swing(start: f64, end: f64, done: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * done).cos()) / 2.0
}
