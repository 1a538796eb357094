//! What the chapters that classify images share: training, testing, the table of classes, the pictures.

use crate::chapter;
use autodiff::{Array, Result};
use datasets::{Batch, Dataset, Loader, Split, mnist};
use indicatif::{ProgressBar, ProgressStyle};
use nn::save::Checkpoints;
use nn::{Layer, StateDict};
use optim::{Adam, Optimizer};
use std::time::Duration;
use train::figure::lines::{indexed, smoothed};
use train::figure::{Figure, Image, Lines};

/// The data set called `mnist` or `fashion`, which ship, or the one in a folder; and the names of its classes.
///
/// # Errors
/// If the files in the folder are not sound.
pub fn data(name: &str) -> chapter::Result<(Split, [&'static str; 10])> {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    Ok(match name {
        "mnist" => (mnist::shipped()?, DIGITS),
        "fashion" => (mnist::fashion()?, mnist::FASHION_CLASSES),
        folder => (mnist::load(folder)?, DIGITS),
    })
}

/// How a training is saved on its way, and taken up again.
#[derive(Debug)]
pub struct Saving {
    /// Where to.
    pub checkpoints: Checkpoints,
    /// After how many steps, besides the last.
    pub every: usize,
    /// What is trained on what and how: only a training of the same is taken up.
    pub run: String,
}

impl Saving {
    fn save(&self, model: &dyn Layer, optimizer: &Adam, losses: &[f32]) -> chapter::Result<()> {
        let mut state = StateDict::new();
        state.nest("model", &StateDict::of(model));
        state.nest("optimizer", &optimizer.state_dict());
        state.set_array("losses", Array::from_vec(losses, [losses.len()])?);
        state.set_note("run", &self.run);
        Ok(self.checkpoints.save(losses.len() as u64, &state)?)
    }

    /// Takes up the newest state, if there is one; returns the losses of the steps so far.
    fn resume(&self, model: &mut dyn Layer, optimizer: &mut Adam) -> chapter::Result<Vec<f32>> {
        let Some((step, state)) = self.checkpoints.latest()? else { return Ok(Vec::new()) };
        let file = self.checkpoints.path(step);
        let fail = |what: String| format!("{}: {what}", file.display());
        let run = state.note("run").unwrap_or("another program");
        if run != self.run {
            return Err(fail(format!("this is a run of [{run}], not of [{}]", self.run)).into());
        }
        let losses = state.array("losses").filter(|losses| losses.shape() == [step as usize]);
        let losses = losses.ok_or_else(|| fail("the losses are missing".into()))?.to_vec();
        state.part("model").load_into(model).map_err(|error| fail(error.to_string()))?;
        optimizer.load_state_dict(&state.part("optimizer")).map_err(|error| fail(error.to_string()))?;
        Ok(losses)
    }
}

/// Trains a model by Adam, whose learning rate falls to zero along a cosine; returns the loss of each step.
///
/// With `saving`, it goes on from the newest checkpoint. All that changes in the course of a training is in it: parameters,
/// running statistics, what Adam has gathered, how many masks each dropout has drawn, and the step, which says epoch and batch.
///
/// # Errors
/// If the model does not fit the images, or a checkpoint cannot be written, read, or is of another run.
pub fn train(
    model: &mut dyn Layer,
    loader: Loader<'_>,
    epochs: u64,
    learning_rate: f64,
    saving: Option<&Saving>,
) -> chapter::Result<Vec<f64>> {
    let steps = epochs as usize * loader.len();
    let mut optimizer = Adam::new(learning_rate);
    let mut losses = match saving {
        Some(saving) => saving.resume(model, &mut optimizer)?,
        None => Vec::new(),
    };
    let start = losses.len();
    let bar = progress(steps as u64).with_position(start as u64);
    let (mut mean_loss, mut mean_accuracy) = (0.0, 0.0);
    let first = (start / loader.len().max(1)) as u64;
    for epoch in first..epochs {
        let done = losses.len() - epoch as usize * loader.len();
        for batch in loader.epoch(epoch).iter().skip(done) {
            let logits = model.forward(&batch.images)?;
            let loss = logits.cross_entropy(&batch.labels)?;
            loss.backward()?;
            let progress = losses.len() as f64 / steps as f64;
            optimizer
                .set_learning_rate(learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()));
            optimizer.step(model)?.require_all()?;

            losses.push(loss.item());
            let weight = (1.0 / (losses.len() - start) as f64).max(0.02);
            mean_loss += weight * (f64::from(loss.item()) - mean_loss);
            mean_accuracy += weight * (nn::metrics::accuracy(&logits, &batch.labels)? - mean_accuracy);
            bar.set_message(format!(
                "epoch {}/{epochs}  loss {mean_loss:.4}  accuracy {:.2} %",
                epoch + 1,
                100.0 * mean_accuracy
            ));
            bar.inc(1);
            if let Some(saving) = saving
                && (losses.len().is_multiple_of(saving.every) || losses.len() == steps)
            {
                saving.save(model, &optimizer, &losses)?;
            }
        }
    }
    bar.finish();
    Ok(losses.into_iter().map(f64::from).collect())
}

/// The batches of one epoch after the other, without end.
pub fn batches(loader: Loader<'_>) -> impl Iterator<Item = Batch> {
    (0..).flat_map(move |epoch| loader.epoch(epoch))
}

fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {speed}  {eta} left")
        .expect("the template is well formed")
        .with_key("speed", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            // A progress bar that cannot be written is no reason to stop training.
            let _ = write!(out, "{:.0} batches/s", state.per_sec());
        });
    let bar = ProgressBar::new(steps).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The share of images that the model, in evaluation mode, gives the right class.
///
/// # Errors
/// If the model does not take the images.
pub fn accuracy(model: &dyn Layer, data: &Dataset) -> Result<f64> {
    Ok(judge(model, data)?.0)
}

/// The accuracy of a model, and its mean cross-entropy, in evaluation mode.
///
/// # Errors
/// If the model does not take the images.
pub fn judge(model: &dyn Layer, data: &Dataset) -> Result<(f64, f64)> {
    nn::evaluate(|| {
        let (mut correct, mut loss) = (0, 0.0);
        for batch in Loader::new(data, 500) {
            let logits = model.forward(&batch.images)?;
            correct += nn::metrics::correct(&logits, &batch.labels)?;
            loss += f64::from(logits.cross_entropy(&batch.labels)?.item()) * batch.len() as f64;
        }
        let count = data.len() as f64;
        Ok((correct as f64 / count, loss / count))
    })
}

/// The probability of each class for each image.
///
/// # Errors
/// If the model does not fit the images.
pub fn predict(model: &dyn Layer, data: &Dataset) -> Result<Vec<Vec<f32>>> {
    let mut rows = Vec::with_capacity(data.len());
    nn::evaluate(|| {
        for batch in Loader::new(data, 500) {
            let probabilities = model.forward(&batch.images)?.softmax(-1)?;
            rows.extend(probabilities.to_vec().chunks(data.classes()).map(<[f32]>::to_vec));
        }
        Ok(rows)
    })
}

/// The class with the largest probability.
fn answer(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// Prints the accuracy class by class; returns that of all together, from 0 to 1.
pub fn report(probabilities: &[Vec<f32>], data: &Dataset, classes: &[&str]) -> f64 {
    let mut right = vec![0usize; data.classes()];
    let mut total = vec![0usize; data.classes()];
    for (row, &label) in probabilities.iter().zip(data.labels()) {
        total[label] += 1;
        right[label] += usize::from(answer(row) == label);
    }
    let share = |right: usize, total: usize| format!("{:.2} %", 100.0 * right as f64 / total.max(1) as f64);
    let row = |class: &str, right: usize, total: usize| {
        [class.to_owned(), total.to_string(), right.to_string(), share(right, total)]
    };
    let (all_right, all) = (right.iter().sum::<usize>(), total.iter().sum::<usize>());
    let rows = (0..total.len()).map(|class| row(classes[class], right[class], total[class]));
    chapter::table(["class", "images", "right", "accuracy"], rows.chain([row("all", all_right, all)]));
    all_right as f64 / all.max(1) as f64
}

/// Draws the loss of each step as `NAME_loss`, and so many of the mistakes that the model was most certain of as
/// `NAME_mistakes`.
///
/// # Errors
/// If a file cannot be written.
pub fn draw(
    name: &str,
    losses: &[f64],
    probabilities: &[Vec<f32>],
    data: &Dataset,
    classes: &[&str],
    shown: usize,
) -> chapter::Result<()> {
    let loss = Lines::new("", "step", "cross-entropy")
        .line("one batch", indexed(losses))
        .line("mean of 50", smoothed(losses, 50));
    Figure::new("Training loss").panel(loss).save(&format!("{name}_loss"))?;

    let mut mistakes: Vec<(usize, f32)> = probabilities
        .iter()
        .enumerate()
        .filter(|&(i, row)| answer(row) != data.labels()[i])
        .map(|(i, row)| (i, row[answer(row)]))
        .collect();
    mistakes.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    mistakes.truncate(shown);
    let images = data.batch(&mistakes.iter().map(|m| m.0).collect::<Vec<_>>())?.images.to_vec();
    let [channels, height, width] = data.shape();
    let figure = mistakes.iter().zip(images.chunks(channels * height * width)).fold(
        Figure::new("The most confident mistakes").columns(5),
        |figure, (&(i, certainty), pixels)| {
            let (is, taken) = (classes[data.labels()[i]], classes[answer(&probabilities[i])]);
            let image = Image::new(width, pixels)
                .caption(format!("is {is}, taken for {taken}"))
                .caption(format!("with {:.1} %", 100.0 * certainty));
            figure.panel(image)
        },
    );
    figure.save(&format!("{name}_mistakes"))?;
    Ok(())
}
