//! A page to draw on: a digit is classified as it is drawn, and one sees what the convolutions find in it.
//!
//! `cargo run --release --example digits_server` serves it on the loopback address, until Ctrl-C. The first time it trains
//! the network of `mnist`, once through the images, and saves it as `target/models/digits.safetensors`, which is loaded the
//! next time.

use autodiff::Rng;
use clap::Parser;
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims};
use examples::classifier;
use examples::cnn::Cnn;
use examples::digits_server::DigitsServer;
use nn::StateDict;
use nn::save::safetensors;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// Serves a page on which a digit that is drawn is classified.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    common: chapter::Options,
    /// Port of the loopback address; 0 is any that is free, and so it is with --check.
    #[arg(long, default_value_t = 8228)]
    port: u16,
    /// The network, as safetensors. Without it: the one that was saved, or one that is trained; with --quick always one that
    /// is trained on a tenth of the images, and not saved.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

fn main() -> ExitCode {
    chapter::run_with(|options: &Options| options.common, run)
}

fn run(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let chapter::Options { quick, check, .. } = options.common;
    let data = mnist::shipped()?;
    let model = model(options, &data.train)?;
    if !check {
        return Ok(DigitsServer::start(model, options.port)?.serve()?);
    }

    let images = data.test.take(if quick { 500 } else { 5_000 });
    let direct = classifier::accuracy(&model, &images)?;
    let server = DigitsServer::start(model, 0)?;
    let (right, times) = ask_all(&format!("{}classify", server.address()), &images)?;
    let accuracy = right as f64 / images.len() as f64;
    let [percent, direct_percent] = [accuracy, direct].map(|share| format!("{:.2} %", 100.0 * share));
    let count = images.len();
    println!("{count} test images: {percent} right over HTTP, {direct_percent} without");
    let [median, most] = [count / 2, count * 99 / 100].map(|rank| times[rank].as_secs_f64() * 1e3);
    println!("an answer takes {median:.2} ms in the median, and 99 % take at most {most:.2} ms");
    let needed = if quick { 0.9 } else { 0.97 };
    claims.hold(format!("the page's server gets {} % of them right", 100.0 * needed), accuracy >= needed);
    let same = (accuracy - direct).abs() <= 0.005;
    claims.hold("fitting and centring them once more changes the share by at most half a percent", same);
    Ok(())
}

/// The network to ask.
fn model(options: &Options, train: &Dataset) -> chapter::Result<Cnn> {
    let chapter::Options { quick, seed, .. } = options.common;
    let saved = Path::new("target/models/digits.safetensors");
    let file = options.model.as_deref().or_else(|| (!quick && saved.exists()).then_some(saved));
    if let Some(file) = file {
        let model = Cnn::load(file)?;
        eprintln!("loaded: {}", file.display());
        return Ok(model);
    }
    let images = if quick { train.take(6_000) } else { train.clone() };
    eprintln!("training on {} images", images.len());
    let mut model = Cnn::new(&mut Rng::seed(seed));
    classifier::train(&mut model, Loader::new(&images, 64).shuffle(seed), 1, 0.002, None)?;
    if !quick {
        fs::create_dir_all("target/models")?;
        safetensors::save(saved, &StateDict::of(&model))?;
        eprintln!("written: {}", saved.display());
    }
    Ok(model)
}

/// Sends the images to the server, from four clients at once; how many it gets right, and the sorted times of its answers.
fn ask_all(address: &str, images: &Dataset) -> chapter::Result<(usize, Vec<Duration>)> {
    const CLIENTS: usize = 4;
    let ask = |client: usize| {
        let agent = ureq::agent();
        let (mut right, mut times) = (0, Vec::new());
        for i in (client..images.len()).step_by(CLIENTS) {
            let image = images.image(i)?;
            let started = Instant::now();
            let text = agent.post(address).send(image)?.body_mut().read_to_string()?;
            times.push(started.elapsed());
            let answer: Value = serde_json::from_str(&text)?;
            right += usize::from(answer["digit"] == images.labels()[i]);
        }
        Ok((right, times))
    };
    // Errors are sent from thread to thread as text.
    let ask = |client| ask(client).map_err(|error: Box<dyn std::error::Error>| error.to_string());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn(move || ask(client))).collect();
        let (mut right, mut times) = (0, Vec::new());
        for client in clients {
            let (some, took) = client.join().expect("a client does not panic")?;
            right += some;
            times.extend(took);
        }
        times.sort();
        Ok((right, times))
    })
}
