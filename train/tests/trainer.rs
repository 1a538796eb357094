//! The trainer against the plain loop, and a training in parts against one at once.
#![allow(missing_docs)]

use autodiff::{Parameter, Rng, Tensor};
use datasets::{Augment, Batch, Loader, Split, digits};
use nn::save::{Checkpoints, safetensors};
use nn::{Affine, BatchNorm, Conv2d, Dropout, Layer, Module, StateDict, metrics};
use optim::{Adam, Optimizer, Schedule, Sgd, clip_norm};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use train::{
    BestCheckpoint, Callback, CsvLog, EarlyStopping, History, JsonlLog, Outcome, Progress, Result, Run,
    TensorBoard, Trainer,
};

/// Everything that changes in a training: parameters, running statistics, counters.
#[derive(Module)]
struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    output: Affine,
}

impl Net {
    fn new() -> Self {
        let mut rng = Rng::seed(7);
        Self {
            conv: Conv2d::new(1, 4, 3, &mut rng).stride(2).padding(1),
            norm: BatchNorm::new(4),
            dropout: Dropout::new(0.3, &mut rng),
            output: Affine::new(64, 10, &mut rng),
        }
    }
}

impl Layer for Net {
    fn forward(&self, images: &Tensor) -> autodiff::Result<Tensor> {
        let x = self.norm.forward(&self.conv.forward(images)?)?.relu();
        self.output.forward(&self.dropout.forward(&x.flatten(1)?)?)
    }
}

// What a loader gives is given away.
#[allow(clippy::needless_pass_by_value)]
fn judge(net: &Net, batch: Batch) -> Result<Outcome> {
    let logits = net.forward(&batch.images)?;
    let accuracy = metrics::accuracy(&logits, &batch.labels)?;
    Ok(Outcome::new(logits.cross_entropy(&batch.labels)?).value("accuracy", accuracy).of(batch.len()))
}

const EPOCHS: u64 = 3;
const STEPS: u64 = EPOCHS * 5;

fn data() -> Split {
    let Split { train, test } = digits::load().unwrap();
    Split { train: train.take(300), test: test.take(70) }
}

fn loader(data: &Split) -> Loader<'_> {
    Loader::new(&data.train, 64).shuffle(7).augment(Augment::new().shift(1.0), 7)
}

#[test]
fn the_trainer_and_the_plain_loop_give_the_same_bits() {
    let data = data();
    let loader = loader(&data);
    let schedule = Schedule::cosine(STEPS, 0.1);

    let (mut plain, mut optimizer, mut losses) = (Net::new(), Adam::new(0.01), Vec::new());
    let mut validation = Vec::new();
    for epoch in 0..EPOCHS {
        for batch in loader.epoch(epoch) {
            optimizer.set_learning_rate(0.01 * schedule.at(losses.len() as u64));
            let loss = plain.forward(&batch.images).unwrap().cross_entropy(&batch.labels).unwrap();
            loss.backward().unwrap();
            clip_norm(&mut plain, 0.5).unwrap();
            optimizer.step(&mut plain).unwrap().require_all().unwrap();
            losses.push(f64::from(loss.item()));
        }
        let test = data.test.all().unwrap();
        let logits = nn::evaluate(|| plain.forward(&test.images)).unwrap();
        validation.push(metrics::accuracy(&logits, &test.labels).unwrap());
    }

    let (mut net, mut optimizer) = (Net::new(), Adam::new(0.01));
    let history = Trainer::new(EPOCHS)
        .schedule(schedule)
        .clip_norm(0.5)
        .validate(|| Loader::new(&data.test, 32), judge)
        .callback(Progress::new())
        .fit(&mut net, &mut optimizer, |epoch| loader.epoch(epoch), judge)
        .unwrap();
    assert!(StateDict::of(&net) == StateDict::of(&plain));
    assert_eq!(history.losses, losses);
    assert_eq!(optimizer.learning_rate(), 0.01, "it is what it was");
    for (epoch, expected) in history.epochs.iter().zip(validation) {
        assert!((epoch.value("valid_accuracy").unwrap() - expected).abs() < 1e-12);
    }
    let names: Vec<_> = history.epochs[0].values.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["loss", "accuracy", "gradient_norm", "learning_rate", "valid_loss", "valid_accuracy"];
    assert_eq!(names, expected);
    // Four batches of 64 and one of 44.
    let sizes = [64.0, 64.0, 64.0, 64.0, 44.0];
    let mean = losses[..5].iter().zip(sizes).map(|(loss, size)| loss * size).sum::<f64>() / 300.0;
    assert!((history.epochs[0].value("loss").unwrap() - mean).abs() < 1e-12);
    assert!((0.0..1.0).contains(&history.loading_share()));
}

/// Fails at a step, as if the machine had stopped.
struct Crash(u64);

impl Callback for Crash {
    fn step(&mut self, run: &mut Run<'_>) -> Result<()> {
        if run.steps() == self.0 { Err(train::Error::other("crash")) } else { Ok(()) }
    }
}

/// Trains with all that is written, and crashes after a step.
fn train(folder: &Path, crash: u64) -> Result<(Net, History)> {
    let data = data();
    let loader = loader(&data);
    let mut net = Net::new();
    let history = Trainer::new(EPOCHS)
        .schedule(Schedule::cosine(STEPS, 0.0))
        .validate(|| Loader::new(&data.test, 32), judge)
        .callback(EarlyStopping::largest("valid_accuracy").patience(2).restore_best())
        .callback(BestCheckpoint::smallest("valid_loss", folder.join("best.safetensors")))
        .callback(CsvLog::new(folder.join("log.csv")))
        .callback(JsonlLog::new(folder.join("log.jsonl")).each_step())
        .callback(TensorBoard::new(folder.join("board")).histograms())
        .callback(Crash(crash))
        .checkpoints(Checkpoints::new(folder.join("checkpoints")), 2, "digits")
        .fit(&mut net, &mut Adam::new(0.02), |epoch| loader.epoch(epoch), judge)?;
    Ok((net, history))
}

#[test]
fn a_training_in_parts_writes_the_bytes_of_one_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let through = folder.path().join("through");
    let (net, history) = train(&through, 0).unwrap();
    let last = format!("checkpoints/checkpoint-{STEPS:08}.safetensors");
    let files = ["best.safetensors", "log.csv", "log.jsonl", &last];

    // Before the first checkpoint, between two, at the end of an epoch, and in its middle.
    for (i, crashes) in [vec![1], vec![4, 9], vec![5, 6, 10], vec![3, 15]].into_iter().enumerate() {
        let folder = folder.path().join(i.to_string());
        for &crash in &crashes {
            assert_eq!(train(&folder, crash).err().expect("it crashes").to_string(), "crash");
            // What the machine has left unfinished.
            let log = folder.join("log.jsonl");
            let mut torn = fs::read(&log).unwrap();
            torn.extend(b"{\"epoch\":9,\"st\xc3");
            fs::write(log, torn).unwrap();
        }
        let (resumed, again) = train(&folder, 0).unwrap();
        assert_eq!((&again.losses, &again.epochs), (&history.losses, &history.epochs), "{crashes:?}");
        assert!(StateDict::of(&resumed) == StateDict::of(&net), "{crashes:?}");
        for file in files {
            let [a, b] = [&folder, &through].map(|folder| fs::read(folder.join(file)).unwrap());
            assert!(a == b, "{file} after {crashes:?}");
        }
        let board = |folder: &Path| fs::read(folder.join("board/events.out.tfevents.train")).unwrap().len();
        assert_eq!(board(&folder), board(&through), "all but the times");
    }
    // A training that is over does nothing more.
    let (over, _) = train(&through, 1).unwrap();
    assert!(StateDict::of(&over) == StateDict::of(&net));

    let csv = fs::read_to_string(through.join("log.csv")).unwrap();
    assert_eq!(csv.lines().count() as u64, 1 + EPOCHS);
    assert!(
        csv.starts_with("epoch,steps,loss,accuracy,learning_rate,valid_loss,valid_accuracy\n0,5,"),
        "{csv}"
    );
    let jsonl = fs::read_to_string(through.join("log.jsonl")).unwrap();
    for (i, line) in jsonl.lines().enumerate() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((row["epoch"].as_u64(), row["steps"].as_u64()), (Some(i as u64 / 5), Some(i as u64 + 1)));
        // The crate reads numbers to a bit less than their last digit.
        let loss = line.split("\"loss\":").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
        assert_eq!(loss.parse(), Ok(history.losses[i]));
    }
    assert_eq!(jsonl.lines().count() as u64, STEPS);
}

#[test]
fn the_checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let train = |run: &str, epochs| {
        let mut w = Parameter::new(Tensor::scalar(1.0f32));
        Trainer::new(epochs).checkpoints(Checkpoints::new(folder.path()), 1, run).fit(
            &mut w,
            &mut Sgd::new(0.1),
            |_| [()],
            |w, ()| Ok(w.square()),
        )
    };
    train("a", 1).unwrap();
    let error = train("b", 2).unwrap_err().to_string();
    assert!(error.ends_with("checkpoint-00000001.safetensors: this is a run of [a], not of [b]"), "{error}");
    assert_eq!(train("a", 2).unwrap().losses.len(), 2);
}

/// Trains a number by the losses that a table gives for each epoch; the weight is 1, 2, .. after the epochs.
fn by_table(losses: &[f64], stopping: &mut EarlyStopping<f64>) -> (f64, History) {
    let mut w = Parameter::new(Tensor::scalar(0.0));
    let history = Trainer::new(losses.len() as u64)
        .callback(stopping)
        .fit(
            &mut w,
            &mut Sgd::new(1.0),
            |epoch| [losses[epoch as usize]],
            |w, loss| {
                // Of the gradient -1, whatever the value.
                Ok(w.detach() - &**w + loss)
            },
        )
        .unwrap();
    (w.item(), history)
}

#[test]
fn early_stopping_by_hand() {
    let mut stopping = EarlyStopping::smallest("loss").patience(2);
    let (w, history) = by_table(&[3.0, 2.0, 2.0, 1.0, 1.5, f64::NAN, 0.0], &mut stopping);
    assert_eq!(history.stopped.as_deref(), Some("loss has not improved for 2 epochs"));
    assert_eq!((w, history.epochs.len(), stopping.best()), (6.0, 6, Some(1.0)));

    let mut stopping = EarlyStopping::smallest("loss").patience(2).restore_best();
    let (w, _) = by_table(&[3.0, 2.0, 2.0, 1.0, 1.5, f64::NAN, 0.0], &mut stopping);
    assert_eq!(w, 4.0, "the weight of the best epoch");
    // Not stopped, and restored all the same.
    assert_eq!(by_table(&[3.0, 2.0, 2.5], &mut stopping).0, 2.0);

    let mut stopping = EarlyStopping::smallest("loss").patience(2).min_delta(0.5);
    let (_, history) = by_table(&[3.0, 2.5, 2.6, 0.0], &mut stopping);
    assert_eq!((history.epochs.len(), stopping.best()), (3, Some(3.0)));

    let mut stopping = EarlyStopping::largest("loss").patience(1);
    let (_, history) = by_table(&[1.0, 2.0, f64::INFINITY, 3.0, 4.0], &mut stopping);
    assert_eq!((history.epochs.len(), stopping.best()), (4, Some(f64::INFINITY)));

    let mut w = Parameter::new(Tensor::scalar(1.0f32));
    let error = Trainer::new(1)
        .callback(EarlyStopping::smallest("valid_loss"))
        .fit(&mut w, &mut Sgd::new(0.1), |_| [()], |w, ()| Ok(w.square()))
        .unwrap_err();
    let text = r#"no value is called "valid_loss": there are ["loss", "learning_rate"]"#;
    assert_eq!(error.to_string(), text);
}

/// Has time for so many steps.
struct Time(u64);

impl Callback<f64> for Time {
    fn start(&mut self, run: &mut Run<'_, f64>) -> Result<()> {
        self.step(run)
    }

    fn step(&mut self, run: &mut Run<'_, f64>) -> Result<()> {
        if run.steps() >= self.0 {
            run.stop("time is up");
        }
        Ok(())
    }
}

#[test]
fn a_training_that_was_stopped_goes_on_if_the_callbacks_let_it() {
    let folder = tempfile::tempdir().unwrap();
    // Two steps an epoch, whose loss is largest in the epochs 2 and 3.
    let train = |name: &str, steps: u64, patience: u64| {
        let folder = folder.path().join(name);
        let mut w = Parameter::new(Tensor::scalar(0.0f64));
        let history = Trainer::new(6)
            .callback(EarlyStopping::smallest("loss").patience(patience).restore_best())
            .callback(Time(steps))
            .checkpoints(Checkpoints::new(&folder), 100, "a table")
            .fit(
                &mut w,
                &mut Adam::new(0.1),
                |epoch| [[1.0, 0.5, 3.0, 2.0, 0.25, 0.125][epoch as usize]; 2],
                |w, loss| Ok((&**w - 1.0).square() * 0.01 + loss),
            )
            .unwrap();
        let steps = history.losses.len();
        ((w.item(), history.losses, history.epochs), steps, history.stopped)
    };
    let stopped = |result: &(_, usize, Option<String>)| (result.1, result.2.clone().unwrap_or_default());
    let patience_is_out = || (8, "loss has not improved for 2 epochs".to_owned());
    let time_is_up = |steps| (steps, "time is up".to_owned());

    let whole = train("whole", 99, 3);
    assert_eq!((whole.1, &whole.2), (12, &None));
    // Time before the first step, in the middle of an epoch, and at its end.
    for steps in [0, 3, 4, 4] {
        assert_eq!(stopped(&train("parts", steps, 3)), time_is_up(steps as usize));
    }
    assert!(train("parts", 99, 3) == whole);

    let early = train("early", 99, 2);
    assert_eq!(stopped(&early), patience_is_out());
    let file = Checkpoints::new(folder.path().join("early")).path(8);
    let bytes = fs::read(&file).unwrap();
    // Started again as it was, it is over: with the weights of the best epoch, and the same file.
    assert!(train("early", 99, 2) == early);
    assert_eq!(stopped(&train("early", 99, 1)), patience_is_out());
    assert!(fs::read(file).unwrap() == bytes);
    // With more patience it is the training that has always had it.
    assert!(train("early", 99, 3) == whole);
}

#[test]
fn the_best_model_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/best.safetensors");
    let mut w = Parameter::new(Tensor::scalar(0.0f32));
    let losses = [3.0, 1.0, 2.0];
    let mut best = BestCheckpoint::smallest("loss", &path);
    Trainer::new(3)
        .callback(&mut best)
        .fit(
            &mut w,
            &mut Sgd::new(1.0),
            |epoch| [losses[epoch as usize]],
            |w, loss| Ok(w.detach() - &**w + loss),
        )
        .unwrap();
    let state: StateDict = safetensors::load(&path).unwrap();
    assert_eq!((state.note("epoch"), state.note("loss"), best.best()), (Some("1"), Some("1"), Some(1.0)));
    assert_eq!(state.array("").unwrap().to_vec(), [2.0]);
}

#[test]
fn what_is_wrong_is_said() {
    let fit = |parameters: usize, batches: usize| {
        let mut model: Vec<_> = (0..parameters).map(|_| Parameter::new(Tensor::scalar(1.0f32))).collect();
        let mut trainer = Trainer::new(1);
        let mut run = |trainer: &mut Trainer<'_, Vec<Parameter>>| {
            let step = |model: &Vec<Parameter>, ()| Ok(model[0].square());
            trainer.fit(&mut model, &mut Sgd::new(0.1), |_| vec![(); batches], step)
        };
        let strict = run(&mut trainer).map(|_| ()).map_err(|error| error.to_string());
        let lenient =
            run(&mut trainer.allow_without_gradient()).map(|_| ()).map_err(|error| error.to_string());
        (strict, lenient)
    };
    let (strict, lenient) = fit(2, 1);
    assert!(strict.unwrap_err().starts_with(r#"step: no gradient has arrived at ["1"]"#));
    assert_eq!(lenient, Ok(()));
    assert_eq!(fit(1, 0).0, Err("epoch 0 has no batches".into()));
}

#[test]
fn a_log_has_the_columns_of_its_first_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let train = |late: &str| {
        let mut w = Parameter::new(Tensor::scalar(0.0f32));
        let mut trainer = Trainer::new(2).callback(CsvLog::new(&path).each_step());
        trainer
            .fit(
                &mut w,
                &mut Sgd::new(1.0),
                |epoch| [epoch],
                |w, epoch| {
                    let outcome = Outcome::new(w.detach() - &**w + f64::NAN);
                    let name = if epoch == 0 { "a, \"b\"\n" } else { late };
                    Ok(outcome.value(name, f64::NEG_INFINITY))
                },
            )
            .map(|_| fs::read_to_string(&path).unwrap())
    };
    let expected = "epoch,steps,loss,\"a, \"\"b\"\" \",learning_rate\n0,1,NaN,-inf,1\n1,2,NaN,-inf,1\n";
    assert_eq!(train("a, \"b\"\n").unwrap(), expected);
    let error = train("c").unwrap_err().to_string();
    assert!(error.ends_with("log.csv: there is no column for \"c\", which the first row had not"), "{error}");
}

/// The message of the panic, if there is one.
fn panics(f: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(panic.downcast_ref::<String>().expect("a message").clone())
}

#[test]
fn the_trainers_own_names_are_not_for_values() {
    let refused = |names: &[&str]| {
        panics(|| {
            let outcome = Outcome::new(Tensor::scalar(1.0f32));
            let _ = names.iter().fold(outcome, |outcome, name| outcome.value(*name, 5.0));
        })
    };
    for name in ["loss", "gradient_norm", "learning_rate", "epoch", "steps", "valid_loss", "valid_accuracy"] {
        let message = format!("{name:?} is a name that the trainer gives itself");
        assert_eq!(refused(&["accuracy", name]), Some(message));
    }
    assert_eq!(refused(&["a", "b", "a"]), Some("two values are called \"a\"".into()));
    assert_eq!(refused(&["losses", "validity", "a", "b"]), None);
}

#[test]
fn a_clipping_that_cannot_be_is_refused_where_it_is_asked_for() {
    for limit in [-1.0, f64::NAN, f64::INFINITY] {
        let message = |what: &str| Some(format!("{what} of {limit} must be finite and not negative"));
        let trainer = || Trainer::<Parameter>::new(1);
        assert_eq!(panics(|| drop(trainer().clip_norm(limit))), message("a largest norm"));
        assert_eq!(panics(|| drop(trainer().clip_values(limit))), message("a limit"));
    }
    drop(Trainer::<Parameter>::new(1).clip_norm(0.0).clip_values(0.0));
}
