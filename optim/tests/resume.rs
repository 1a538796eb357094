//! Saved in the middle and taken up again, each thing of this crate that has a state goes on to the same bits. The tables name
//! all there is: one that is new and not in them fails.

use autodiff::{Array, Parameter, Result, StateDict, Tensor};
use optim::{
    AdaDelta, AdaGrad, Adam, AdamW, Adamax, Average, Lamb, Lbfgs, Lion, Momentum, NAdam, OneCycle, Optimizer,
    Plateau, RAdam, RmsProp, Rprop, Schedule, Sgd,
};
use std::collections::BTreeSet;
use std::ops::Range;

type Model = (Parameter<f64>, Parameter<f64>);

const STEPS: u64 = 12;

/// A training that goes through some steps: from its beginning, or from what it has returned.
type Training = Box<dyn Fn(Option<&StateDict<f64>>, Range<u64>) -> StateDict<f64>>;

/// What is trained besides the model, and what it does in a step.
trait Trainer {
    fn go(&mut self, step: u64, model: &mut Model);
    fn save(&self) -> StateDict<f64>;
    fn load(&mut self, state: &StateDict<f64>) -> Result<()>;
}

fn training<R: Trainer>(new: impl Fn() -> R + 'static) -> Training {
    Box::new(move |saved, steps| {
        let start = |values: [f64; 3]| Parameter::new(Tensor::from_vec(values, [3]).unwrap());
        let (mut model, mut trainer) = ((start([2.0, -1.0, 0.5]), start([1.0, 3.0, -2.0])), new());
        if let Some(saved) = saved {
            saved.part("model").load_into(&mut model).unwrap();
            trainer.load(&saved.part("trainer")).unwrap();
        }
        steps.for_each(|step| trainer.go(step, &mut model));
        let mut state = StateDict::new();
        state.nest("model", &StateDict::of(&model));
        state.nest("trainer", &trainer.save());
        state
    })
}

fn stepping<O: Optimizer<f64> + 'static>(new: impl Fn() -> O + 'static) -> Training {
    training(move || Stepping(new()))
}

/// A bent bowl, with another minimum at each step.
fn loss((a, b): &Model, step: u64) -> Tensor<f64> {
    let target = (step as f64).sin();
    ((&**a - target).square() + (&**b - a.square() * 0.1).square()).sum()
}

struct Stepping<O>(O);

impl<O: Optimizer<f64>> Trainer for Stepping<O> {
    fn go(&mut self, step: u64, model: &mut Model) {
        loss(model, step).backward().unwrap();
        self.0.step(model).unwrap();
    }
    fn save(&self) -> StateDict<f64> {
        self.0.state_dict()
    }
    fn load(&mut self, state: &StateDict<f64>) -> Result<()> {
        self.0.load_state_dict(state)
    }
}

/// The model holds the average after every fifth step.
struct Averaged(Stepping<Sgd<f64>>, Average<f64>);

impl Trainer for Averaged {
    fn go(&mut self, step: u64, model: &mut Model) {
        if step % 5 == 4 {
            self.1.swap(model).unwrap();
            return;
        }
        if step.is_multiple_of(5) && step > 0 {
            self.1.swap(model).unwrap();
        }
        self.0.go(step, model);
        self.1.update(model).unwrap();
    }
    fn save(&self) -> StateDict<f64> {
        self.1.state_dict()
    }
    fn load(&mut self, state: &StateDict<f64>) -> Result<()> {
        self.1.load_state_dict(state)
    }
}

impl Trainer for Plateau {
    fn go(&mut self, step: u64, model: &mut Model) {
        let value = loss(model, step).item();
        Stepping(Sgd::new(0.3 * self.observe(value))).go(step, model);
    }
    fn save(&self) -> StateDict<f64> {
        self.state_dict()
    }
    fn load(&mut self, state: &StateDict<f64>) -> Result<()> {
        self.load_state_dict(state)
    }
}

impl Trainer for Lbfgs<f64> {
    fn go(&mut self, step: u64, model: &mut Model) {
        self.step(model, |model| Ok(loss(model, step))).unwrap();
    }
    fn save(&self) -> StateDict<f64> {
        self.state_dict()
    }
    fn load(&mut self, state: &StateDict<f64>) -> Result<()> {
        self.load_state_dict(state)
    }
}

/// A schedule has no state: the number of the step is enough.
impl Trainer for Schedule {
    fn go(&mut self, step: u64, model: &mut Model) {
        Stepping(Sgd::new(0.1 * self.at(step))).go(step, model);
    }
    fn save(&self) -> StateDict<f64> {
        StateDict::new()
    }
    fn load(&mut self, _: &StateDict<f64>) -> Result<()> {
        Ok(())
    }
}

/// All that has a state, by its type and, after a comma, an option that adds to the state.
fn types() -> Vec<(&'static str, Training)> {
    let lbfgs = || Lbfgs::new(0.5).max_iterations(3).history(4);
    vec![
        ("Sgd", stepping(|| Sgd::new(0.1))),
        ("Momentum", stepping(|| Momentum::new(0.02))),
        ("AdaGrad", stepping(|| AdaGrad::new(1.0))),
        ("RmsProp", stepping(|| RmsProp::new(0.1))),
        ("RmsProp, centred, with momentum", stepping(|| RmsProp::new(0.01).centered(true).momentum(0.5))),
        ("AdaDelta", stepping(|| AdaDelta::new(1.0))),
        ("Adam", stepping(|| Adam::new(0.2))),
        ("Adam, AMSGrad", stepping(|| Adam::new(0.2).amsgrad(true))),
        ("AdamW", stepping(|| AdamW::new(0.2))),
        ("Adamax", stepping(|| Adamax::new(0.2))),
        ("NAdam", stepping(|| NAdam::new(0.2))),
        ("RAdam", stepping(|| RAdam::new(0.2))),
        ("Lamb", stepping(|| Lamb::new(0.02))),
        ("Lion", stepping(|| Lion::new(0.02))),
        ("Rprop", stepping(|| Rprop::new(0.1))),
        ("Average", training(|| Averaged(Stepping(Sgd::new(0.1)), Average::swa()))),
        ("Average, exponential", training(|| Averaged(Stepping(Sgd::new(0.1)), Average::ema(0.7)))),
        ("Plateau", training(|| Plateau::new().patience(1).factor(0.7).cooldown(1))),
        ("Lbfgs", training(lbfgs)),
        ("Lbfgs, with a line search", training(move || lbfgs().strong_wolfe(true))),
    ]
}

/// All schedules, by their constructors.
fn schedules() -> Vec<(&'static str, Training)> {
    let schedules = [
        ("constant", Schedule::constant(0.5)),
        ("step", Schedule::step(3, 0.5)),
        ("multi_step", Schedule::multi_step([2, 7], 0.5)),
        ("exponential", Schedule::exponential(0.9)),
        ("polynomial", Schedule::polynomial(20, 2.0)),
        ("linear", Schedule::linear(0.1, 1.0, 8)),
        ("cosine", Schedule::cosine(10, 0.1)),
        ("restarts", Schedule::restarts(3, 2, 0.1)),
        ("one_cycle", Schedule::one_cycle(OneCycle::new(STEPS))),
        ("times", Schedule::cosine(10, 0.1).times(Schedule::exponential(0.9))),
        ("then", Schedule::linear(0.1, 1.0, 4).then(4, Schedule::cosine(8, 0.0))),
    ];
    schedules.map(|(name, schedule)| (name, training(move || schedule.clone()))).into()
}

/// All names and bits.
fn bits(state: &StateDict<f64>) -> String {
    let arrays = state.arrays().map(|(name, array)| {
        let bits: Vec<_> = array.to_vec().into_iter().map(f64::to_bits).collect();
        format!("{name} {} {bits:x?}\n", array.shape())
    });
    arrays.chain(state.counts().map(|(name, count)| format!("{name} {count:x}\n"))).collect()
}

#[test]
fn what_is_saved_in_the_middle_goes_on_to_the_same_bits() {
    for (name, training) in types().into_iter().chain(schedules()) {
        let straight = bits(&training(None, 0..STEPS));
        assert_ne!(straight, bits(&training(None, 0..STEPS - 1)), "{name} stands still");
        for middle in 0..=STEPS {
            let saved = training(None, 0..middle);
            assert_eq!(bits(&training(Some(&saved), middle..middle)), bits(&saved), "{name}, step {middle}");
            assert_eq!(bits(&training(Some(&saved), middle..STEPS)), straight, "{name}, from step {middle}");
        }
    }
}

#[test]
fn what_has_a_state_does_not_go_on_without_it() {
    for (name, training) in types().into_iter().filter(|(name, _)| *name != "Sgd") {
        let saved = training(None, 0..7);
        let mut without = StateDict::new();
        without.nest("model", &saved.part("model"));
        without.nest("trainer", &training(None, 0..0).part("trainer"));
        let differs = bits(&training(Some(&without), 7..STEPS)) != bits(&training(Some(&saved), 7..STEPS));
        assert!(differs, "{name}");
    }
}

#[test]
fn the_tables_name_all_there_is() {
    // These are no trainings by themselves: settings, reports, a trait; and schedules, which have a table of their own.
    let others = ["Group", "LbfgsStep", "OneCycle", "Optimizer", "Schedule", "Step"];
    let tested: Vec<_> = types().into_iter().map(|(name, _)| name).collect();
    let tested = tested.iter().filter_map(|name| name.split(',').next());
    let exports =
        include_str!("../src/lib.rs").split("pub use ").skip(1).filter_map(|text| text.split(';').next());
    let names = exports.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let public: BTreeSet<_> = names.filter(|name| name.starts_with(char::is_uppercase)).collect();
    assert_eq!(tested.chain(others).collect::<BTreeSet<_>>(), public);

    let lines = include_str!("../src/schedule.rs").lines().filter(|line| line.contains("-> Self {"));
    let public: BTreeSet<_> =
        lines.filter_map(|line| line.trim().strip_prefix("pub fn ")?.split('(').next()).collect();
    assert_eq!(schedules().into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), public);
}

#[test]
fn lbfgs_on_f32_goes_on_to_the_same_bits_from_a_state_of_f32() {
    let new = || Lbfgs::new(0.5).max_iterations(3).history(4).strong_wolfe(true);
    let go = |model: &mut Parameter, optimizer: &mut Lbfgs, steps: Range<u64>| {
        for step in steps {
            let target = (step as f64).sin();
            optimizer.step(model, |w| Ok((w.square() * 0.1 + (&**w - target)).square().sum())).unwrap();
        }
    };
    let (mut model, mut optimizer) =
        (Parameter::new(Tensor::from_vec([2.0f32, -1.0, 0.5], [3]).unwrap()), new());
    for middle in 0..STEPS {
        let (mut saved, mut resumed) = (model.clone(), new());
        resumed.load_state_dict(&optimizer.state_dict()).unwrap();
        go(&mut saved, &mut resumed, middle..STEPS);
        let (mut through, mut straight) = (model.clone(), optimizer.clone());
        go(&mut through, &mut straight, middle..STEPS);
        assert_eq!(saved.to_vec(), through.to_vec(), "from step {middle}");
        assert!(resumed.state_dict() == straight.state_dict());
        go(&mut model, &mut optimizer, middle..middle + 1);
    }
}

#[test]
fn what_is_no_state_is_refused_and_changes_nothing() {
    type Damage = fn(&mut StateDict<f64>);
    fn without(state: &StateDict<f64>, removed: &str) -> StateDict<f64> {
        state.renamed(|name| (name != removed).then(|| name.to_owned()))
    }
    fn stranger(state: &mut StateDict<f64>, removed: &str) {
        *state = without(state, removed);
        state.set_array("a", Array::scalar(1.0));
        state.set_count("b", 1);
    }
    let adam = || Box::new(Stepping(Adam::new(0.2)));
    let average = || Box::new(Averaged(Stepping(Sgd::new(0.1)), Average::swa()));
    let plateau = || Box::new(Plateau::new());
    let lbfgs = || Box::new(Lbfgs::new(0.5).max_iterations(3));
    let cases: [(Box<dyn Trainer>, Damage); 10] = [
        (adam(), |state| *state = without(state, "1.v")),
        (adam(), |state| state.set_array("0.h", Array::scalar(1.0))),
        (average(), |state| stranger(state, "updates")),
        (average(), |state| state.set_count("swapped", 2)),
        (average(), |state| state.set_count("updates", 0)),
        (plateau(), |state| stranger(state, "bad")),
        (plateau(), |state| state.set_count("factor", 2f64.to_bits())),
        (lbfgs(), |state| stranger(state, "change")),
        (lbfgs(), |state| state.set_array("last", Array::full(0.0, [3, 6]))),
        (lbfgs(), |state| state.set_array("moved", Array::full(0.0, state.array("moved").unwrap().shape()))),
    ];
    let mut texts = Vec::new();
    for (mut trainer, damage) in cases {
        let start = || Parameter::new(Tensor::from_vec([2.0, -1.0, 0.5], [3]).unwrap());
        let mut model = (start(), start());
        (0..4).for_each(|step| trainer.go(step, &mut model));
        let before = trainer.save();
        let mut damaged = before.clone();
        damage(&mut damaged);
        let error = trainer.load(&damaged).unwrap_err();
        texts.push(format!("{}: {}", error.op(), error.kind()));
        assert_eq!(bits(&trainer.save()), bits(&before));
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    Adam: the state is incomplete: missing ["1.v"]
    Adam: this is no state of Adam, which has counts "Adam" and arrays ["m", "v", "largest"]: ["0.h"]
    average: this is not what `state_dict` gives: missing ["updates"], unexpected ["a", "b"]
    average: no average of 2 arrays has updates 4 and swapped 2
    average: no average of 2 arrays has updates 0 and swapped 0
    Plateau: this is not what `state_dict` gives: missing ["bad"], unexpected ["a", "b"]
    Plateau: the factor must be from 0 to 1, not 2
    Lbfgs: this is not what `state_dict` gives: missing ["change"], unexpected ["a", "b"]
    Lbfgs: moved [7, 6], change [7, 6] and last [3, 6] must be [k, n], [k, n], and [2, n] or [0, n]
    Lbfgs: change 0 of 7 has no curvature, and was never learned from
    "#);
}
