//! A training that is killed and resumed ends with the bytes of one that was never interrupted.

use autodiff::{Result, Rng, Tensor};
use datasets::{Augment, Loader, digits};
use examples::classifier::{Saving, train};
use nn::save::Checkpoints;
use nn::{Affine, BatchNorm, Conv2d, Dropout, Flatten, Layer, Module, StateDict};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// The variable that tells the process that is to be killed where to save.
const FOLDER: &str = "RESUME_TEST_FOLDER";
const EPOCHS: u64 = 3;
const STEPS: u64 = 3 * 24;

/// Everything that changes in a training: parameters, running statistics, dropout, Adam, shuffling and augmentation.
#[derive(Module)]
struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    output: Affine,
}

impl Layer for Net {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        let x = self.norm.forward(&self.conv.forward(images)?)?.relu();
        self.output.forward(&self.dropout.forward(&x.flatten(1)?)?)
    }
}

/// Trains on the digits, from the newest checkpoint in the folder.
fn run(folder: &Path) {
    let mut rng = Rng::seed(7);
    let mut net = Net {
        conv: Conv2d::new(1, 4, 3, &mut rng).stride(2).padding(1),
        norm: BatchNorm::new(4),
        dropout: Dropout::new(0.3, &mut rng),
        output: Affine::new(64, 10, &mut rng),
    };
    let data = digits::load().unwrap();
    let loader = Loader::new(&data.train, 64).shuffle(7).augment(Augment::new().shift(1.0), 7);
    let saving = Saving { checkpoints: Checkpoints::new(folder), every: 5, run: "digits".into() };
    let losses = train(&mut net, loader, EPOCHS, 0.01, Some(&saving)).unwrap();
    assert_eq!(losses.len() as u64, STEPS);
}

#[test]
#[ignore = "the process that the other test kills"]
fn training() {
    run(Path::new(&env::var_os(FOLDER).expect("the other test says where")));
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "training", "--ignored"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_training_that_is_killed_and_resumed_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let through = folder.path().join("through");
    run(&through);
    let last = |folder: &Path| fs::read(Checkpoints::new(folder).path(STEPS)).unwrap();
    let expected = last(&through);

    let mut rng = Rng::seed(1);
    let mut interrupted = 0;
    for trial in 0..20 {
        let folder = folder.path().join(trial.to_string());
        let checkpoints = Checkpoints::new(&folder);
        // Killed some time after a step drawn at random, which may be after the end.
        for _ in 0..2 {
            let mut child = start(&folder);
            let step = || checkpoints.steps().unwrap().last().copied().unwrap_or(0);
            let until = step() + rng.below((STEPS - step()) as usize + 1) as u64;
            while step() < until && child.try_wait().unwrap().is_none() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(rng.below(20_000) as u64));
            child.kill().unwrap(); // SIGKILL where there are signals
            interrupted += usize::from(!child.wait().unwrap().success());
        }
        assert!(start(&folder).wait().unwrap().success());
        assert!(last(&folder) == expected, "trial {trial} has ended with other bytes");
    }
    assert!(interrupted > 0, "none of the trainings was killed before its end");
}

#[test]
fn the_checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = digits::load().unwrap();
    let few = data.train.take(10);
    let train = |run: &str| {
        let saving = Saving { checkpoints: Checkpoints::new(folder.path()), every: 5, run: run.into() };
        train(&mut Flatten, Loader::new(&few, 5), 1, 0.01, Some(&saving))
    };
    let checkpoints = Checkpoints::new(folder.path());
    let mut state = StateDict::<f32>::new();
    for (run, wrong) in [("a", "this is a run of [a], not of [b]"), ("b", "the losses are missing")] {
        state.set_note("run", run);
        checkpoints.save(3, &state).unwrap();
        let error = train("b").unwrap_err().to_string();
        assert_eq!(error, format!("{}: {wrong}", checkpoints.path(3).display()));
    }
}
