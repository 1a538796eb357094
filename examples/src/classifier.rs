//! What the chapters that classify images share: training, testing, the table of classes, the pictures.

use crate::chapter;
use autodiff::Result;
use datasets::{Batch, Dataset, Loader, Split, mnist};
use nn::Layer;
use nn::save::Checkpoints;
use optim::{Adam, Schedule};
use train::figure::lines::{indexed, smoothed};
use train::figure::{Figure, Image, Lines};
use train::{Outcome, Progress, Trainer};

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

// ANCHOR: train
/// Trains a model by Adam, whose learning rate falls to zero along a cosine; returns the loss of each step, and says
/// which share of the time went into waiting for images.
///
/// With `saving`, it goes on from the newest checkpoint; see [`Trainer::checkpoints`].
///
/// # Errors
/// If the model does not fit the images, or a checkpoint cannot be written, read, or is of another run.
pub fn train<M: Layer>(
    model: &mut M,
    loader: Loader<'_>,
    epochs: u64,
    learning_rate: f64,
    saving: Option<&Saving>,
) -> chapter::Result<Vec<f64>> {
    let steps = (epochs * loader.len() as u64).max(1);
    let mut trainer = Trainer::new(epochs).schedule(Schedule::cosine(steps, 0.0)).callback(Progress::new());
    if let Some(Saving { checkpoints, every, run }) = saving {
        trainer = trainer.checkpoints(checkpoints.clone(), *every as u64, run);
    }
    let mut optimizer = Adam::new(learning_rate);
    let history = trainer.fit(
        model,
        &mut optimizer,
        |epoch| loader.epoch(epoch),
        |model: &M, batch: Batch| {
            let logits = model.forward(&batch.images)?;
            let accuracy = nn::metrics::accuracy(&logits, &batch.labels)?;
            Ok(Outcome::new(logits.cross_entropy(&batch.labels)?).value("accuracy", accuracy).of(batch.len()))
        },
    )?;
    eprintln!("waited for images: {:.2} % of the time", 100.0 * history.loading_share());
    Ok(history.losses)
}
// ANCHOR_END: train

/// The batches of one epoch after the other, without end.
pub fn batches(loader: Loader<'_>) -> impl Iterator<Item = Batch> {
    (0..).flat_map(move |epoch| loader.epoch(epoch))
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
