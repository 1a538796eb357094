//! What a convolution sees: filters made by hand and filters learned, on a digit of MNIST; and the convolution as a
//! matrix product, step by step.
//!
//! `cargo run --release --example convolution` draws edges, blur and sharpening of a digit, what padding, stride and
//! dilation do to the size, and the filters of a network before and after training with what they answer; and compares
//! the convolution with the product of patches and weights (im2col), values and gradients.

use autodiff::graph::Graph;
use autodiff::{ConvOptions, PoolOptions, Result, Rng, Tensor, no_grad, pull_back};
use datasets::{Dataset, Loader, mnist};
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Conv2d, Init, Layer, Module};
use optim::{Adam, Optimizer};
use std::process::ExitCode;
use std::time::Instant;
use train::figure::{Figure, Image};

fn main() -> ExitCode {
    chapter::run(|options, claims| {
        let data = mnist::shipped()?;
        // The first five of the test images: strokes in every direction.
        let five = data.test.labels().iter().position(|&label| label == 5).ok_or("there is no five")?;
        let digit = data.test.batch(&[five])?.images;

        by_hand(&digit, claims)?;
        sizes(&digit, claims)?;
        step_by_step()?;
        as_a_product(options, claims)?;
        let train = if options.quick { data.train.take(15_000) } else { data.train };
        learned(options, &train, &data.test, &digit, claims)
    })
}

/// A 3x3 filter as the weight of a convolution from one channel to one.
fn filter(rows: [[f32; 3]; 3], factor: f64) -> Result<Tensor> {
    Ok(Tensor::from_vec(rows.as_flattened(), [1, 1, 3, 3])? * factor)
}

/// Padding by one: a 3x3 filter answers with an image of the same size.
const SAME: ConvOptions = ConvOptions { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };

fn by_hand(digit: &Tensor, claims: &mut Claims) -> chapter::Result<()> {
    let across = [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]];
    let down = [[-1.0, -2.0, -1.0], [0.0; 3], [1.0, 2.0, 1.0]];
    let blur = [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]];
    let filters = [
        ("as it is", filter([[0.0; 3], [0.0, 1.0, 0.0], [0.0; 3]], 1.0)?),
        ("edges, left to right", filter(across, 0.25)?),
        ("edges, top to bottom", filter(down, 0.25)?),
        ("all edges", filter([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]], 0.125)?),
        ("blur", filter(blur, 1.0 / 16.0)?),
        ("sharpen", filter([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]], 1.0)?),
    ];
    println!("Filters made by hand, on a digit and on a flat image of ones:\n");
    let ink = digit.sum().item();
    let flat = Tensor::ones([1, 1, 28, 28]);
    let mut rows = Vec::new();
    let mut found = Vec::new();
    let mut figure = Figure::new("Filters made by hand, and what they answer").columns(6);
    for (name, weight) in &filters {
        figure = figure.panel(Image::new(3, &weight.to_vec()).signed().caption(*name));
    }
    for (name, weight) in &filters {
        let answer = digit.conv2d(weight, None, SAME)?;
        // Where the whole filter lies on the image.
        let on_flat = flat.conv2d(weight, None, ConvOptions::default())?;
        let (weights, inked) = (weight.sum().item(), answer.sum().item());
        let range = (answer.min().item(), answer.max().item());
        rows.push([
            (*name).to_owned(),
            format!("{weights:.2}"),
            format!("{:.2} .. {:.2}", on_flat.min().item(), on_flat.max().item()),
            format!("{:.2} .. {:.2}", range.0, range.1),
            format!("{inked:.2}"),
        ]);
        found.push((weights, on_flat, inked));
        figure = figure.panel(Image::new(28, &answer.to_vec()).signed());
    }
    table(["filter", "sum of weights", "on ones", "on the digit", "ink (sum)"], rows);
    println!();
    let silent = |(weights, on_flat, _): &(f32, Tensor, f32)| {
        weights.abs() < 1e-6 && on_flat.abs().max().item() < 1e-6
    };
    claims.hold("the three edge filters answer 0 where the image is flat", found[1..4].iter().all(silent));
    claims.hold(
        format!("blur and sharpening keep the ink: {ink:.2}, {:.2}, {:.2}", found[4].2, found[5].2),
        found[4..].iter().all(|(.., inked)| (inked - ink).abs() < 1e-4 * ink),
    );
    // Edges down in an image are edges across in the image on its side.
    let turned = digit.transpose(2, 3)?.conv2d(&filters[1].1, None, SAME)?.transpose(2, 3)?;
    let difference = (turned - digit.conv2d(&filters[2].1, None, SAME)?).abs().max().item();
    claims.hold(
        format!("edges across the transposed digit are edges down the digit (difference {difference:.0e})"),
        difference < 1e-6,
    );
    figure.save("convolution_filters")?;
    Ok(())
}

/// Padding, stride, dilation and channels, with the sizes that come out.
fn sizes(digit: &Tensor, claims: &mut Claims) -> chapter::Result<()> {
    println!("\nSizes: (28 + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down\n");
    let mut rows = Vec::new();
    let mut figure = Figure::new("All edges, with padding, stride and dilation").columns(6);
    let weight = filter([[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]], 0.125)?;
    for (padding, stride, dilation) in [(0, 1, 1), (1, 1, 1), (4, 1, 1), (1, 2, 1), (1, 3, 1), (2, 1, 2)] {
        let options = ConvOptions {
            padding: [padding; 2],
            stride: [stride; 2],
            dilation: [dilation; 2],
            ..ConvOptions::default()
        };
        let answer = digit.conv2d(&weight, None, options)?;
        let [_, _, height, width] = answer.dims()?;
        let image = Image::new(width, &answer.to_vec()).signed();
        figure = figure.panel(
            image
                .caption(format!("{height} x {width}"))
                .caption(format!("padding {padding}"))
                .caption(format!("stride {stride}"))
                .caption(format!("dilation {dilation}")),
        );
        rows.push(row(digit, &weight, options, &answer));
    }
    figure.save("convolution_sizes")?;

    // Channels: a filter for each pair of input and output channel, unless they are divided into groups.
    for (images, c_in, c_out, groups) in [(1, 1, 8, 1), (1, 8, 16, 1), (1, 8, 16, 8), (100, 3, 16, 1)] {
        let x = Tensor::ones([images, c_in, 28, 28]);
        let weight = Tensor::ones([c_out, c_in / groups, 3, 3]);
        let options = ConvOptions { groups, ..SAME };
        rows.push(row(&x, &weight, options, &x.conv2d(&weight, None, options)?));
    }
    table(["images", "weights", "groups", "padding", "stride", "dilation", "answer", "products"], rows);
    println!();

    let mut tried = 0;
    let mut agree = true;
    for kernel in 1..6 {
        for (padding, stride, dilation) in (0..36).map(|i| (i % 4, 1 + i / 4 % 3, 1 + i / 12)) {
            let options = ConvOptions {
                padding: [padding; 2],
                stride: [stride; 2],
                dilation: [dilation; 2],
                ..ConvOptions::default()
            };
            let found = digit.conv2d(&Tensor::ones([1, 1, kernel, kernel]), None, options)?;
            let size = (28 + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
            agree &= found.shape() == [1, 1, size, size];
            tried += 1;
        }
    }
    claims.hold(format!("the formula gives the size in each of {tried} cases"), agree);
    Ok(())
}

fn row(x: &Tensor, weight: &Tensor, options: ConvOptions, answer: &Tensor) -> [String; 8] {
    let products = answer.size() * weight.size() / weight.shape().dim(0);
    let ConvOptions { groups, padding, stride, dilation } = options;
    [
        x.shape().to_string(),
        weight.shape().to_string(),
        groups.to_string(),
        padding[0].to_string(),
        stride[0].to_string(),
        dilation[0].to_string(),
        answer.shape().to_string(),
        products.to_string(),
    ]
}

// ANCHOR: product
/// The patches of images that a square kernel is laid on, one a row: `[n · h' · w', c · kernel²]` (im2col).
///
/// Each place in the kernel sees the padded image from its own offset, every `stride` pixels.
fn patches(x: &Tensor, kernel: usize, padding: usize, stride: usize) -> Result<Tensor> {
    let [_, channels, height, width] = x.dims()?;
    let around = (padding, padding);
    let padded = x.pad(&[(0, 0), (0, 0), around, around], 0.0)?;
    let last = |size: usize| size + 2 * padding - kernel;
    let mut seen = Vec::new();
    for (down, right) in (0..kernel * kernel).map(|place| (place / kernel, place % kernel)) {
        let rows = padded.slice_step(2, down..down + last(height) + 1, stride)?;
        seen.push(rows.slice_step(3, right..right + last(width) + 1, stride)?);
    }
    let seen = Tensor::stack(&seen.iter().collect::<Vec<_>>(), 2)?; // [n, c, kernel², h', w']
    let columns = (channels * kernel * kernel) as isize;
    seen.permute([0, 3, 4, 1, 2])?.reshape([-1, columns])
}

/// The convolution as one product: patches by weights, in the order of the images again.
fn product(x: &Tensor, weight: &Tensor, bias: &Tensor, padding: usize, stride: usize) -> Result<Tensor> {
    let [images, _, height, width] = x.dims()?;
    let [c_out, _, kernel, _] = weight.dims()?;
    let size = |size: usize| ((size + 2 * padding - kernel) / stride + 1) as isize;
    let rows = patches(x, kernel, padding, stride)?.matmul(&weight.flatten(1)?.t()?)? + bias;
    rows.reshape([images as isize, size(height), size(width), c_out as isize])?.permute([0, 3, 1, 2])
}
// ANCHOR_END: product

/// A picture of 4x4 and a filter of 3x3, small enough to follow by eye.
fn step_by_step() -> Result<()> {
    // A corner of something dark.
    let x = [0.0, 0.0, 1.0, 4.0, 0.0, 1.0, 5.0, 9.0, 1.0, 5.0, 9.0, 9.0, 4.0, 9.0, 9.0, 9.0];
    let x = Tensor::from_vec(x, [1, 1, 4, 4])?;
    let weight = filter([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]], 1.0)?;
    let patches = patches(&x, 3, 0, 1)?;
    let direct = x.conv2d(&weight, None, ConvOptions::default())?.to_vec();
    let product = patches.matmul(&weight.flatten(1)?.t()?)?.to_vec();
    let numbers = |values: &[f32]| values.iter().map(|x| format!("{x:>2}")).collect::<Vec<_>>().join(" ");
    println!("\nThe image and the filter:\n");
    for row in x.to_vec().chunks(4) {
        println!("    {}", numbers(row));
    }
    println!();
    for row in weight.to_vec().chunks(3) {
        println!("    {}", numbers(row));
    }
    println!("\nEach row of the matrix is the patch that the filter is laid on; the filter is a column:\n");
    let rows = patches
        .to_vec()
        .chunks(9)
        .zip(product.iter().zip(&direct))
        .enumerate()
        .map(|(i, (patch, (product, direct)))| {
            [
                format!("row {}, column {}", i / 2, i % 2),
                numbers(patch),
                product.to_string(),
                direct.to_string(),
            ]
        })
        .collect::<Vec<_>>();
    table(["laid on", "patch", "patch · filter", "direct"], rows);
    Ok(())
}

/// The direct kernel against the product of patches, with the bound on the rounding of either.
fn as_a_product(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    const SHAPE: ([usize; 4], [usize; 4]) = ([32, 8, 28, 28], [16, 8, 3, 3]);
    println!("\nDirect and as a product, {:?} by {:?}, padding 1:\n", SHAPE.0, SHAPE.1);
    let mut rng = Rng::seed(options.seed);
    let mut table_rows = Vec::new();
    for stride in [1, 2] {
        let conv_options = ConvOptions { stride: [stride; 2], ..SAME };
        let direct = |x: &[Tensor]| x[0].conv2d(&x[1], Some(&x[2]), conv_options);
        let as_product = |x: &[Tensor]| product(&x[0], &x[1], &x[2], 1, stride);

        let inputs = [
            rng.normal(SHAPE.0, 0.0, 1.0).variable(),
            rng.normal(SHAPE.1, 0.0, 0.1).variable(),
            rng.normal([16], 0.0, 0.1).variable(),
        ];
        let seed: Tensor = rng.normal(direct(&inputs)?.shape(), 0.0, 1.0);
        let a = run(direct, &inputs, &seed)?;
        let b = run(as_product, &inputs, &seed)?;
        // Rounding puts a sum of n products, in any order, off by at most n ε Σ |products|, and with errors that are as
        // good as random by some √n ε Σ |products| (Higham and Mary, 2019). Two sides may be off, and the sums of absolute
        // values are the same passes on absolute values.
        let absolute = [&inputs[0], &inputs[1], &inputs[2]].map(|x| x.abs().detach().variable());
        let sizes = run(direct, &absolute, &seed.abs())?;
        let outputs = seed.size() / 16;
        let terms = [8 * 9 + 1, 16 * 9, outputs, outputs];
        for (k, what) in
            ["answer", "gradient of images", "gradient of weights", "gradient of bias"].iter().enumerate()
        {
            let bound = &sizes.values[k] * (2.0 * (terms[k] as f64).sqrt() * f64::from(f32::EPSILON));
            let difference = (&a.values[k] - &b.values[k]).abs();
            let worst = (&difference / &bound.maximum(&Tensor::scalar(f32::MIN_POSITIVE))?).max().item();
            claims.hold(
                format!(
                    "stride {stride}, {what}: the sides differ by at most {worst:.1e} of 2 √n ε Σ |products|"
                ),
                worst <= 1.0,
            );
            table_rows.push([
                format!("stride {stride}, {what}"),
                a.values[k].shape().to_string(),
                format!("{:.1e}", difference.max().item()),
                format!("{:.1e}", a.values[k].abs().max().item()),
                format!("{worst:.1e}"),
            ]);
        }
        println!(
            "stride {stride}: direct {:.2} ms and {} kB on the tape, as a product {:.2} ms and {} kB",
            a.milliseconds,
            a.saved / 1000,
            b.milliseconds,
            b.saved / 1000
        );
        let ratio = b.saved as f64 / a.saved as f64;
        claims.hold(
            format!(
                "stride {stride}: the tape of the product keeps {ratio:.1} times as much, for the patches"
            ),
            ratio > 9.0 / (stride * stride) as f64 * 0.8,
        );
    }
    println!();
    table(["", "shape", "largest difference", "largest value", "share of the bound"], table_rows);
    Ok(())
}

/// What a way to convolve gives: the answer and the gradients of its inputs; its time, and what its tape keeps.
struct Outcome {
    values: Vec<Tensor>,
    milliseconds: f64,
    saved: usize,
}

fn run(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor; 3], seed: &Tensor) -> Result<Outcome> {
    let mut fastest = f64::INFINITY;
    let mut values = Vec::new();
    let mut saved = 0;
    // The first pass also pays for its memory.
    for _ in 0..3 {
        let started = Instant::now();
        let answer = f(inputs)?;
        let gradients = no_grad(|| pull_back(&answer, seed, &inputs.iter().collect::<Vec<_>>()))?;
        fastest = fastest.min(1e3 * started.elapsed().as_secs_f64());
        saved = Graph::of(&[&answer]).saved_bytes();
        values = std::iter::once(answer.detach()).chain(gradients).collect();
    }
    Ok(Outcome { values, milliseconds: fastest, saved })
}

/// Filters, pooling, and a layer that decides.
#[derive(Clone, Module)]
struct Net {
    conv: Conv2d,
    output: Affine,
}

const FILTERS: usize = 8;

impl Net {
    fn new(rng: &mut Rng) -> Self {
        Self {
            // Small, so that what is learned is not hidden under what was drawn.
            conv: Conv2d::new(1, FILTERS, 3, rng).padding(1).with_init(Init::Normal(0.1), rng),
            output: Affine::new(FILTERS * 14 * 14, 10, rng),
        }
    }

    /// What the filters answer, pooled.
    fn features(&self, images: &Tensor) -> Result<Tensor> {
        self.conv.forward(images)?.max_pool2d(PoolOptions::square(2))?.relu().flatten(1)
    }
}

impl Layer for Net {
    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        self.output.forward(&self.features(images)?)
    }
}

/// The same network trained with its filters and without.
fn learned(
    options: &Options,
    train: &Dataset,
    test: &Dataset,
    digit: &Tensor,
    claims: &mut Claims,
) -> chapter::Result<()> {
    let epochs = if options.quick { 2 } else { 6 };
    let before = Net::new(&mut Rng::seed(options.seed));
    let mut after = before.clone();
    let mut optimizer = Adam::new(2e-3);
    let loader = Loader::new(train, 64).shuffle(options.seed);
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            after.forward(&batch.images)?.cross_entropy(&batch.labels)?.backward()?;
            optimizer.step(&mut after)?.require_all()?;
        }
    }
    // The filters stay as they were drawn, and only the layer behind them learns.
    let mut frozen = before.clone();
    let mut optimizer = Adam::new(2e-3);
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            let features = no_grad(|| frozen.features(&batch.images))?;
            frozen.output.forward(&features)?.cross_entropy(&batch.labels)?.backward()?;
            optimizer.step(&mut frozen.output)?.require_all()?;
        }
    }

    println!("\nEight filters, {epochs} passes over {} images:\n", train.len());
    let (learned, random) = (accuracy(&after, test)?, accuracy(&frozen, test)?);
    let smooth = [smoothness(&before.conv.weight)?, smoothness(&after.conv.weight)?];
    table(
        ["filters", "test accuracy", "neighbouring weights alike"],
        [
            ["as drawn".into(), format!("{random:.2} %"), format!("{:+.3}", smooth[0])],
            ["learned".into(), format!("{learned:.2} %"), format!("{:+.3}", smooth[1])],
        ],
    );
    println!();
    let needed = if options.quick { 90.0 } else { 97.0 };
    claims.hold(
        format!("with learned filters {learned:.2} % are right, at least {needed} %"),
        learned >= needed,
    );
    claims.hold(
        format!("learning the filters is worth {:.2} % more than drawing them", learned - random),
        learned > random,
    );
    claims.hold(
        format!("learned filters have neighbouring weights more alike: {:.3} to {:.3}", smooth[0], smooth[1]),
        smooth[1] > smooth[0],
    );

    let mut figure =
        Figure::new("Eight filters before and after training, and what they answer").columns(FILTERS);
    for (net, when) in [(&before, "before"), (&after, "after")] {
        for weight in net.conv.weight.to_vec().chunks(9) {
            figure = figure.panel(Image::new(3, weight).signed().caption(format!("filter {when}")));
        }
        let answers = no_grad(|| net.conv.forward(digit))?.to_vec();
        for answer in answers.chunks(28 * 28) {
            figure = figure.panel(Image::new(28, answer).signed().caption(format!("answer {when}")));
        }
    }
    figure.save("convolution_learned")?;
    Ok(())
}

/// The share of images whose class a model gives, in percent.
fn accuracy(net: &Net, data: &Dataset) -> Result<f64> {
    nn::evaluate(|| {
        let mut right = 0;
        for batch in Loader::new(data, 500) {
            right += nn::metrics::correct(&net.forward(&batch.images)?, &batch.labels)?;
        }
        Ok(100.0 * right as f64 / data.len() as f64)
    })
}

/// The correlation of weights side by side or one above the other: about 0 for noise, 1 for a flat filter.
fn smoothness(weight: &Tensor) -> Result<f32> {
    let mut products = Tensor::scalar(0.0);
    let mut squares = Tensor::scalar(0.0);
    for axis in [2, 3] {
        let (first, second) = (weight.slice(axis, 0..2)?, weight.slice(axis, 1..3)?);
        products = products + (&first * &second).sum();
        squares = squares + (first.square().sum() + second.square().sum()) * 0.5;
    }
    Ok(products.item() / squares.item())
}
