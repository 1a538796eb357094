//! Beyond the text: a recurrent network reads a text character by character, and guesses the next one.
//!
//! The text is the Apache licence of this very repository, 11 kB that need no download: the network learns to write
//! licences. (It gives no legal advice.) It reads the first nine tenths; on the last tenth, which it has not seen, it
//! is measured in bits per character, `-log₂ p` of what really comes next, against tables of counts that look at no
//! character before (unigram) and at one (bigram).
//!
//! The network is a long short-term memory (Hochreiter and Schmidhuber, 1997) with the forget gate of Gers,
//! Schmidhuber and Cummins (2000). Gradients run back over the last 32 characters at most, what it remembers runs on:
//! truncated backpropagation through time. 9,762 characters are few for 115,405 weights, so the whole training reads
//! them 40 times and no more. That number was chosen by the held-out part, which flatters the network a little: read
//! 60 times, it knows better by heart what it reads, and worse what it does not.
//!
//! `cargo run --release --example char_rnn` prints how it learns and a text it writes, and draws its learning curve.

use autodiff::{Parameter, Result, Rng, Tensor, check, no_grad};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Init, Layer, Lstm, LstmState, Module, RecurrentOptions};
use optim::{Adam, Optimizer};
use std::f64::consts::LN_2;
use std::process::ExitCode;
use train::figure::lines::smoothed;
use train::figure::{Figure, Lines};

const TEXT: &str = include_str!("../LICENSE-APACHE");
/// Pieces of the text that are read side by side.
const STREAMS: usize = 16;
/// Characters of each piece that one step learns from.
const WINDOW: usize = 32;
/// What the network is given to go on with.
const START: &str = "   You may ";
/// What logits are divided by before a character is drawn: the lower, the surer.
const TEMPERATURE: f64 = 0.5;

fn main() -> ExitCode {
    chapter::run(chapter)
}

fn chapter(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    gradients_agree(claims)?;

    let text = Text::new();
    let (units, epochs) = if options.quick { (64, 20) } else { (128, 40) };
    let mut rng = Rng::seed(options.seed);
    let mut network = Network::new(text.alphabet.len(), units, &mut rng);
    let baselines = baselines(&text);
    println!(
        "{} characters to learn from and {} held out, {} different ones; {} weights.\n",
        text.train().len(),
        text.held_out().len() - 1,
        text.alphabet.len(),
        network.parameter_count()
    );
    let mut rows: Vec<_> =
        baselines.iter().map(|(name, bits)| [(*name).to_owned(), format!("{bits:.3}")]).collect();

    let mut optimizer = Adam::new(3e-3);
    let (mut learning, mut tested) = (Vec::new(), Vec::new());
    for epoch in 1..=epochs {
        learning.extend(learn(&mut network, &mut optimizer, text.train(), &mut rng)?);
        let bits = network.bits(text.held_out())?;
        tested.push((learning.len() as f64, bits));
        if epoch == 1 || epoch % (epochs / 10) == 0 {
            rows.push([format!("the network, epoch {epoch}"), format!("{bits:.3}")]);
        }
    }
    println!("Bits per character on the text held out:\n");
    table(["guessed by", "bits"], rows);
    println!("\nWhat it writes after \"{START}\", at temperature {TEMPERATURE}:\n");
    println!("{}\n", network.write(&text, 500, &mut rng)?.trim_end());

    let (name, most) = if options.quick { baselines[1] } else { baselines[2] };
    let (_, bits) = tested[tested.len() - 1];
    claims.hold(
        format!("{bits:.3} bits a character on text held out, below the {most:.3} of {name}"),
        bits < most,
    );

    let mut curves = Lines::new("", "step", "bits per character")
        .line("while learning", smoothed(&learning, 10))
        .line("held out", &tested);
    for (name, bits) in baselines {
        curves = curves.dashed(name, [(0.0, bits), (learning.len() as f64, bits)]);
    }
    Figure::new("A recurrent network learns to write licences").panel(curves).save("char_rnn")?;
    Ok(())
}

/// The text, each character as its place in the alphabet of the whole, held-out part included.
struct Text {
    alphabet: Vec<char>,
    codes: Vec<usize>,
    /// Where the held-out part starts.
    split: usize,
}

impl Text {
    fn new() -> Self {
        let mut alphabet: Vec<char> = TEXT.chars().collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let codes = codes(TEXT, &alphabet);
        Self { split: codes.len() * 9 / 10, codes, alphabet }
    }

    fn train(&self) -> &[usize] {
        &self.codes[..self.split]
    }

    /// The held-out part, after the one character before it, from which its first is guessed.
    fn held_out(&self) -> &[usize] {
        &self.codes[self.split - 1..]
    }
}

/// The place of each character in an alphabet that has it.
fn codes(text: &str, alphabet: &[char]) -> Vec<usize> {
    text.chars().map(|c| alphabet.binary_search(&c).expect("a character of the alphabet")).collect()
}

/// Bits per held-out character by counts in the training part, one added to each count.
fn baselines(text: &Text) -> [(&'static str, f64); 3] {
    let size = text.alphabet.len();
    let mut single = vec![1.0; size];
    text.train().iter().for_each(|&code| single[code] += 1.0);
    let mut pairs = vec![vec![1.0; size]; size];
    text.train().windows(2).for_each(|pair| pairs[pair[0]][pair[1]] += 1.0);

    let bits = |weights: &dyn Fn(usize) -> Vec<f64>| {
        let of = |pair: &[usize]| {
            let weights = weights(pair[0]);
            (weights.iter().sum::<f64>() / weights[pair[1]]).log2()
        };
        text.held_out().windows(2).map(of).sum::<f64>() / (text.held_out().len() - 1) as f64
    };
    [
        ("uniform", bits(&|_| vec![1.0; size])),
        ("unigram", bits(&|_| single.clone())),
        ("bigram", bits(&|before| pairs[before].clone())),
    ]
}

#[derive(Module)]
struct Network {
    memory: Lstm,
    output: Affine,
}

impl Network {
    /// The forget gates start with a bias of 1: with 0 they are half open, and half of the cell is lost each character.
    fn new(alphabet: usize, units: usize, rng: &mut Rng) -> Self {
        let options = RecurrentOptions { time_first: true, ..RecurrentOptions::default() };
        let mut memory = Lstm::with(alphabet, units, options, rng);
        let cell = &mut memory.cells_mut()[0];
        let bias = [Tensor::zeros([units]), Tensor::ones([units]), Tensor::zeros([2 * units])];
        let bias = Tensor::cat(&bias.each_ref(), 0).expect("vectors can be joined");
        cell.bias_ih = Some(Parameter::new(bias));
        cell.bias_hh = None;
        for weight in [&mut cell.weight_ih, &mut cell.weight_hh] {
            weight.set(&Init::XavierUniform.tensor(weight.shape(), alphabet + units, 4 * units, rng));
        }
        Self { memory, output: Affine::new(units, alphabet, rng).with_init(Init::XavierUniform, rng) }
    }

    /// The logits of what follows each character, `[times streams, alphabet]`, and the state after the last; from zeros if
    /// there is none. `codes` holds a character of each stream for each time.
    fn forward(&self, codes: &[Vec<usize>], state: Option<&LstmState>) -> Result<(Tensor, LstmState)> {
        let (times, streams, alphabet) = (codes.len(), codes[0].len(), self.output.weight.shape().dim(1));
        let read = Tensor::one_hot(&codes.concat(), alphabet)?;
        let sizes = [times, streams, alphabet].map(|size| size as isize);
        let (hidden, state) = self.memory.run(&read.reshape(sizes)?, state)?;
        Ok((self.output.forward(&hidden)?.reshape([-1, alphabet as isize])?, state))
    }

    /// Bits per character of a text after its first.
    fn bits(&self, codes: &[usize]) -> Result<f64> {
        let read: Vec<_> = codes[..codes.len() - 1].iter().map(|&code| vec![code]).collect();
        let (logits, _) = no_grad(|| self.forward(&read, None))?;
        Ok(f64::from(logits.cross_entropy(&codes[1..])?.item()) / LN_2)
    }

    /// Goes on after [`START`], so many characters, each drawn from `softmax(logits / TEMPERATURE)`.
    fn write(&self, text: &Text, length: usize, rng: &mut Rng) -> Result<String> {
        let mut read: Vec<_> = codes(START, &text.alphabet).into_iter().map(|code| vec![code]).collect();
        let mut state = None;
        let mut written = START.to_owned();
        for _ in 0..length {
            let (logits, next) = no_grad(|| self.forward(&read, state.as_ref()))?;
            let last = logits.slice(0, read.len() - 1..read.len())?;
            let mut rest = rng.unit();
            let shares = (last / TEMPERATURE).softmax(1)?.to_vec();
            let drawn = shares.iter().position(|&share| {
                rest -= f64::from(share);
                rest < 0.0
            });
            // Shares are rounded and may add up to a little less than 1.
            let code = drawn.unwrap_or(shares.len() - 1);
            written.push(text.alphabet[code]);
            (read, state) = (vec![vec![code]], Some(next));
        }
        Ok(written)
    }
}

// ANCHOR: learn
/// Reads a text once, in pieces side by side, from a random place of its first window on; returns the bits per
/// character of each step.
fn learn(network: &mut Network, optimizer: &mut Adam, codes: &[usize], rng: &mut Rng) -> Result<Vec<f64>> {
    let codes = &codes[rng.below(WINDOW)..];
    let piece = (codes.len() - 1) / STREAMS;
    let mut state: Option<LstmState> = None;
    let mut bits = Vec::new();
    for window in 0..piece / WINDOW {
        let at = |time| (0..STREAMS).map(|stream| codes[stream * piece + window * WINDOW + time]).collect();
        let times: Vec<Vec<usize>> = (0..=WINDOW).map(at).collect();
        let (logits, next) = network.forward(&times[..WINDOW], state.as_ref())?;
        let loss = logits.cross_entropy(&times[1..].concat())?;
        loss.backward()?;
        optimizer.step(network)?.require_all()?;
        bits.push(f64::from(loss.item()) / LN_2);
        state = Some(next.detach());
    }
    Ok(bits)
}
// ANCHOR_END: learn

/// Holds the gradient through time to numerical differentiation: three units read five characters of three in two
/// streams; the gradient in the weights, in the biases and in the state they start from.
fn gradients_agree(claims: &mut Claims) -> Result<()> {
    const SIZE: usize = 3;
    let mut rng = Rng::seed(1);
    let gates = [SIZE, 4 * SIZE];
    let shapes: [&[usize]; 7] = [&gates, &gates, &[4 * SIZE], &[SIZE, SIZE], &[SIZE], &[2, SIZE], &[2, SIZE]];
    let at = shapes.map(|shape| rng.normal::<f64>(shape, 0.0, 0.7));
    let codes: Vec<[usize; 2]> = (0..6).map(|_| [rng.below(SIZE), rng.below(SIZE)]).collect();
    let inputs = Tensor::one_hot(&codes[..5].concat(), SIZE)?.reshape([5, 2, SIZE as isize])?;
    let loss = |at: &[Tensor<f64>]| {
        let (hidden, _) = inputs.matmul(&at[0])?.lstm(&at[1], &at[2], &at[5], &at[6])?;
        (hidden.matmul(&at[3])? + &at[4]).cross_entropy(&codes[1..].concat())
    };
    let checked = check::grads(loss, &at);
    if let Err(mismatch) = &checked {
        println!("{mismatch}");
    }
    let numbers: usize = at.iter().map(Tensor::size).sum();
    claims.hold(
        format!("the gradient through 5 characters is the numerical one in all {numbers} numbers of a small network"),
        checked.is_ok(),
    );
    Ok(())
}
