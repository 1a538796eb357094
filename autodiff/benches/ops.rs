//! What each op costs in `f32`, forward alone and with its backward pass, at the large shapes of the registry.
//!
//! ```text
//! cargo bench -p autodiff --bench ops -- [--only NAME,..] [--threads N] [--json]
//! ```
//!
//! Times are medians of several repetitions. They are to be compared, with other versions or other libraries on the same
//! machine: there is no threshold. An element is one of the largest among the inputs and the output.

#[path = "../tests/registry/mod.rs"]
#[expect(dead_code, reason = "the other columns are read by the tests")]
mod registry;

use autodiff::{Result, Shape, Tensor, no_grad, pull_back, with_threads};
use registry::{Case, Entry, entries, for_any};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Repetitions, of which the median counts.
const REPETITIONS: usize = 15;
/// How long a repetition takes at least; what is faster is run several times in it.
const REPETITION: Duration = Duration::from_millis(4);

fn main() {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\nusage: ops [--only NAME,..] [--threads N] [--json]");
            std::process::exit(2);
        }
    };
    if !options.json {
        println!("{:<20}{:>10}{:>24}{:>34}", "", "", "forward", "forward and backward");
        println!(
            "{:<20}{:>10}{:>12}{:>12}{:>18}{:>16}",
            "op", "elements", "ns", "ns/element", "ns", "ns/element"
        );
    }
    for entry in
        entries().filter(|entry| options.only.is_empty() || options.only.iter().any(|n| n == entry.name))
    {
        let measure = || for_any!(&entry.form, case => Figures::of(entry, case));
        let figures = match options.threads {
            Some(threads) => with_threads(threads, measure),
            None => measure(),
        };
        match figures {
            Ok(figures) if options.json => println!("{}", figures.json(entry.name)),
            Ok(figures) => println!("{}", figures.row(entry.name)),
            Err(error) => panic!("{}: {error}", entry.name),
        }
    }
}

/// The command line.
#[derive(Default)]
struct Options {
    only: Vec<String>,
    threads: Option<usize>,
    json: bool,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                "--threads" => {
                    let threads = value()?;
                    let count = threads.parse().ok().filter(|&n| n > 0);
                    options.threads = Some(count.ok_or(format!("--threads needs a number, not {threads}"))?);
                }
                "--json" => options.json = true,
                // Given by `cargo bench`.
                "--bench" => {}
                _ => return Err(format!("unknown option {word}")),
            }
        }
        match options.only.iter().find(|name| entries().all(|entry| entry.name != **name)) {
            Some(name) => Err(format!("there is no op {name}")),
            None => Ok(options),
        }
    }
}

/// What an op costs.
struct Figures {
    elements: usize,
    forward: f64,
    /// With the backward pass, if it has a gradient.
    both: Option<f64>,
}

impl Figures {
    fn of<const N: usize>(entry: &Entry, case: &Case<N>) -> Result<Self> {
        let (shapes, choice) = (case.shapes)().large();
        let single = |i: usize| {
            let numbers = case.domains[i].tensor(i, shapes[i]).to_vec();
            Tensor::from_vec(numbers.into_iter().map(|x| x as f32).collect::<Vec<_>>(), shapes[i])
                .expect("as many numbers")
        };
        let constants: [Tensor; N] = std::array::from_fn(single);
        let variables = constants.clone().map(Tensor::variable);
        let run = |at: &[Tensor; N]| (case.single)(std::array::from_fn(|i| &at[i]), choice);
        let output = run(&variables)?;
        let seed = Tensor::ones(output.shape());
        let pull = |output: &Tensor, of: &[&Tensor]| no_grad(|| pull_back(output, &seed, of));
        let reached: Vec<&Tensor> = variables.iter().filter(|x| pull(&output, &[x]).is_ok()).collect();
        let both = || {
            let output = run(&variables).expect("it worked before");
            black_box(pull(&output, &reached).expect("it worked before"));
        };
        let sizes = shapes.iter().map(Shape::size).chain([output.size()]);
        Ok(Self {
            elements: sizes.max().unwrap_or(1),
            forward: median(|| drop(black_box(run(&constants)))),
            both: (!entry.gradient.is_empty()).then(|| median(both)),
        })
    }

    fn an_element(&self, time: f64) -> f64 {
        time / self.elements as f64
    }

    fn row(&self, name: &str) -> String {
        let Self { elements, forward, both } = *self;
        let row = format!("{name:<20}{elements:>10}{forward:>12.0}{:>12.3}", self.an_element(forward));
        match both {
            Some(both) => format!("{row}{both:>18.0}{:>16.3}", self.an_element(both)),
            None => row,
        }
    }

    fn json(&self, name: &str) -> String {
        let Self { elements, forward, both } = *self;
        let both = both.map_or("null".to_owned(), |both| format!("{both:.0}"));
        let threads = rayon::current_num_threads();
        format!(
            r#"{{"op":"{name}","elements":{elements},"forward_ns":{forward:.0},"forward_backward_ns":{both},"threads":{threads}}}"#
        )
    }
}

/// The median time of a call in nanoseconds.
fn median(call: impl Fn()) -> f64 {
    let time = |calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed()
    };
    // The first call warms up.
    time(1);
    let calls = (REPETITION.as_nanos() / time(2).as_nanos().max(1) * 2).clamp(1, 100_000) as u32;
    let mut times: Vec<f64> =
        (0..REPETITIONS).map(|_| time(calls).as_nanos() as f64 / f64::from(calls)).collect();
    times.sort_by(f64::total_cmp);
    times[REPETITIONS / 2]
}
