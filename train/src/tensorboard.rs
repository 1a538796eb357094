//! Event files of `TensorBoard`: scalars, histograms, pictures.
//!
//! An event file is a sequence of records: the length of the data in eight bytes, a checksum of them, the data, a checksum of
//! that (`TFRecord`; the checksum is CRC-32C, turned and shifted). The data is an `Event`, a message of protocol buffers
//! (`tensorflow/core/util/event.proto`, `tensorflow/core/framework/summary.proto`).

mod message;
mod record;

use crate::callback::{Callback, Run};
use crate::{Error, Result};
use autodiff::{Float, StateDict};
use message::Message;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bars of a histogram.
const BARS: usize = 30;

/// A training for `TensorBoard`: `tensorboard --logdir FOLDER` shows it, while it runs too.
///
/// The values of each step are scalars `step/NAME`, those of each epoch `epoch/NAME`, at the number of steps done. A training that
/// is taken up drops the events after its checkpoint, and goes on in the same file; one that starts anew empties it.
///
/// ```
/// use autodiff::{Parameter, Tensor};
/// use optim::Sgd;
/// use train::{TensorBoard, Trainer};
/// # let folder = tempfile::tempdir()?;
/// let mut w = Parameter::new(Tensor::scalar(1.0));
/// Trainer::new(2).callback(TensorBoard::new(folder.path()).histograms()).fit(
///     &mut w,
///     &mut Sgd::new(0.25),
///     |_| [()],
///     |w, ()| Ok(w.square()),
/// )?;
/// assert!(folder.path().join("events.out.tfevents.train").is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    path: PathBuf,
    histograms: bool,
    file: Option<EventFile>,
}

impl TensorBoard {
    /// An event file in this folder, which is made if it is not there.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        // TensorBoard reads what has `tfevents` in its name.
        let path = folder.as_ref().join("events.out.tfevents.train");
        Self { path, histograms: false, file: None }
    }

    /// The same with a histogram of each parameter after each epoch, as `parameters/NAME`.
    #[must_use]
    pub fn histograms(self) -> Self {
        Self { histograms: true, ..self }
    }

    fn scalars(&mut self, group: &str, steps: u64, values: &[(String, f64)]) -> Result<()> {
        let file = self.file.as_mut().expect("the hook before it has opened the file");
        values.iter().try_for_each(|(name, value)| file.scalar(&format!("{group}/{name}"), steps, *value))
    }
}

impl<T: Float> Callback<T> for TensorBoard {
    fn start(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let file = match run.steps() {
            0 => EventFile::create(&self.path)?,
            steps => EventFile::take_up(&self.path, steps)?,
        };
        self.file = Some(file);
        Ok(())
    }

    fn step(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        self.scalars("step", run.steps(), run.values)
    }

    fn epoch(&mut self, run: &mut Run<'_, T>) -> Result<()> {
        self.scalars("epoch", run.steps(), run.values)?;
        let file = self.file.as_mut().expect("the start has opened the file");
        if self.histograms {
            let mut result = Ok(());
            run.model.parameters(&mut |name, parameter| {
                if result.is_ok() {
                    let values = parameter.to_vec().into_iter().map(Float::to_f64);
                    result = file.histogram(
                        &format!("parameters/{name}"),
                        run.history.losses.len() as u64,
                        values,
                    );
                }
            });
            result?;
        }
        file.sync()
    }

    fn end(&mut self, _run: &mut Run<'_, T>) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), EventFile::sync)
    }

    fn state(&mut self) -> Result<StateDict<T>> {
        self.file.as_mut().map_or(Ok(()), EventFile::sync)?;
        Ok(StateDict::new())
    }
}

/// A file of events, to be written by hand: in a loop of one's own, or in a [`Callback`].
///
/// ```
/// use train::tensorboard::EventFile;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let mut file = EventFile::create(folder.join("events.out.tfevents.mine"))?;
/// for step in 0..10 {
///     file.scalar("loss", step, 1.0 / (1.0 + step as f64))?;
/// }
/// file.histogram("noise", 10, [0.1, -0.4, 0.2])?;
/// file.image("ramp", 10, 4, 1, &[0.0, 0.3, 0.6, 1.0])?; // one row of four pixels
/// file.sync()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    out: BufWriter<File>,
    clock: fn() -> f64,
}

impl EventFile {
    /// An empty file, in the place of one that is there. `TensorBoard` looks for names with `tfevents` in them.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::create_with_clock(path, now)
    }

    /// The same with another clock, in seconds since 1970: what is written depends on nothing else.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create_with_clock(path: impl AsRef<Path>, clock: fn() -> f64) -> Result<Self> {
        let mut file = Self::open(path.as_ref(), 0, clock)?;
        let mut event = Message::default();
        event.double(1, clock());
        event.text(3, "brain.Event:2");
        file.record(&event)?;
        Ok(file)
    }

    /// The file that is there, without the events after step `steps` and what is torn; an empty one, if none is.
    ///
    /// # Errors
    /// If it cannot be read or written, or does not start with an event.
    pub fn take_up(path: impl AsRef<Path>, steps: u64) -> Result<Self> {
        let path = path.as_ref();
        if !path.try_exists().map_err(Error::io(path))? {
            return Self::create(path);
        }
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let mut kept = 0;
        while let Some(data) = record::read(&bytes[kept..]) {
            match message::step(data) {
                Some(step) if step <= steps => kept += record::size(data),
                _ => break,
            }
        }
        if kept == 0 && !bytes.is_empty() {
            return Err(Error::format(path, "this is no file of events"));
        }
        if kept == 0 { Self::create(path) } else { Self::open(path, kept as u64, now) }
    }

    /// To go on after `kept` bytes.
    fn open(path: &Path, kept: u64, clock: fn() -> f64) -> Result<Self> {
        let open = |options: &mut OpenOptions| options.open(path).map_err(Error::io(path));
        open(OpenOptions::new().create(true).truncate(false).write(true))?
            .set_len(kept)
            .map_err(Error::io(path))?;
        let out = BufWriter::new(open(OpenOptions::new().append(true))?);
        Ok(Self { path: path.to_owned(), out, clock })
    }

    /// Writes a number, which is rounded to `f32`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<()> {
        self.summary(tag, step, |summary| summary.float(2, value as f32))
    }

    /// Writes how numbers are spread, in 30 bars from the smallest to the largest. Those that are not finite are left out; if none
    /// is left, nothing is written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn histogram(&mut self, tag: &str, step: u64, values: impl IntoIterator<Item = f64>) -> Result<()> {
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        let (least, most) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
        if values.is_empty() {
            return Ok(());
        }
        let bars = if least < most { BARS } else { 1 };
        let width = (most - least) / bars as f64;
        let mut counts = vec![0.0; bars];
        for value in &values {
            // The largest belongs to the last bar; of a single bar the quotient is NaN, which counts as 0.
            counts[(((value - least) / width) as usize).min(bars - 1)] += 1.0;
        }
        let ends = (1..bars).map(|bar| least + bar as f64 * width).chain([most]).collect::<Vec<_>>();
        let mut histogram = Message::default();
        let sum = values.iter().sum();
        let squares = values.iter().map(|x| x * x).sum();
        for (field, number) in (1..).zip([least, most, values.len() as f64, sum, squares]) {
            histogram.double(field, number);
        }
        histogram.doubles(6, &ends);
        histogram.doubles(7, &counts);
        self.summary(tag, step, |summary| summary.message(5, &histogram))
    }

    /// Writes a picture, `width` pixels wide and as high as there are pixels for: row by row, `channels` numbers a pixel from 0 to 1,
    /// one for grey or three for red, green, blue.
    ///
    /// # Errors
    /// If there are no pixels, they do not fill the rows, there are other than one or three channels, or the file cannot be written.
    pub fn image(
        &mut self,
        tag: &str,
        step: u64,
        width: usize,
        channels: usize,
        pixels: &[f32],
    ) -> Result<()> {
        let row = width * channels;
        if !matches!(channels, 1 | 3) || row == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(row) {
            let message =
                format!("{} numbers are no picture of {channels} channels, {width} wide", pixels.len());
            return Err(Error::Training(message));
        }
        let height = pixels.len() / row;
        let bytes: Vec<u8> = pixels.iter().map(|x| (x.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let mut encoded = Vec::new();
        let mut encoder = png::Encoder::new(&mut encoded, width as u32, height as u32);
        encoder.set_color(if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&bytes))
            .map_err(Error::other)?;
        let mut image = Message::default();
        for (field, number) in (1..).zip([height, width, channels]) {
            image.number(field, number as u64);
        }
        image.bytes(4, &encoded);
        self.summary(tag, step, |summary| summary.message(4, &image))
    }

    /// Brings what has been written to the disk.
    ///
    /// # Errors
    /// If that fails.
    pub fn sync(&mut self) -> Result<()> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_data()).map_err(Error::io(&self.path))
    }

    fn summary(&mut self, tag: &str, step: u64, content: impl FnOnce(&mut Message)) -> Result<()> {
        let [mut value, mut summary, mut event] = std::array::from_fn(|_| Message::default());
        value.text(1, tag);
        content(&mut value);
        summary.message(1, &value);
        event.double(1, (self.clock)());
        event.number(2, step);
        event.message(5, &summary);
        self.record(&event)
    }

    fn record(&mut self, event: &Message) -> Result<()> {
        self.out.write_all(&record::write(event.as_bytes())).map_err(Error::io(&self.path))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
