//! What a tape is: every step of a computation, what it keeps, and how gradients come back along it.
//!
//! `cargo run --release --example tape` shows the tape of a bill for apples and oranges as a table, reads it backwards
//! step by step, and does the same for a network of two layers on a batch of MNIST. It draws both under
//! `target/figures/`, and the tape of a derivative, and writes the network's in the language of Graphviz, and as a page on
//! which one walks along it, forward and back.

use autodiff::graph::{Graph, Input, Step, Visit, What};
use autodiff::{Float, Result, Rng, Tensor, grad, memory};
use datasets::mnist;
use examples::chapter::{self, Claims, Options, table};
use nn::{Affine, Layer, Module};
use std::process::ExitCode;
use train::figure::{Diagram, Figure};
use train::viewer::Viewer;

fn main() -> ExitCode {
    chapter::run(|options, claims| {
        bill(claims)?;
        network(options, claims)?;
        derivative(claims)
    })
}

/// The rows of a tape, with the time that the rules of each step took and the norm of the gradient that arrived there.
fn print<T: Float>(graph: &Graph<T>, visits: &[Visit<T>]) {
    let rows = graph.steps().iter().map(|step| {
        let visit = visits.iter().find(|visit| visit.step == step.id);
        let rules = visit.filter(|_| step.what != What::Variable);
        let name = step.name.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        let site = step.site.map_or_else(String::new, |site| site.to_string());
        [
            format!("%{}", step.id),
            format!("{}{name}", step.what),
            step.takes(),
            step.shape.to_string(),
            step.saves(),
            step.saved_bytes.to_string(),
            rules.map_or_else(String::new, |visit| format!("{:.1}", 1e6 * visit.time.as_secs_f64())),
            visit.map_or_else(String::new, |visit| format!("{:.4}", visit.norm())),
            site,
        ]
    });
    table(["id", "op", "inputs", "shape", "saves", "bytes", "rules µs", "norm", "at"], rows);
    println!("the tape keeps {} bytes for its rules\n", graph.saved_bytes());
}

/// The backward sweep: the steps as they are read, and whose rules have sent them a gradient.
fn print_sweep<T: Float>(graph: &Graph<T>, visits: &[Visit<T>], show: impl Fn(&Visit<T>) -> String) {
    let rows = visits.iter().map(|visit| {
        let step = &graph.steps()[visit.step];
        let senders = graph.steps().iter().filter(|other| {
            let uses = |input: &Input| input.step == Some(step.id);
            other.inputs.iter().any(uses)
        });
        let senders: Vec<String> = senders.map(|other| format!("%{} {}", other.id, other.what)).collect();
        let from = if senders.is_empty() { "the seed".into() } else { senders.join(" + ") };
        let inputs = step.inputs.iter().filter_map(|input| input.step);
        let to = inputs.map(|input| format!("%{input}")).collect::<Vec<_>>().join(", ");
        let to = if step.what == What::Variable { "stays".into() } else { to };
        let what = step.name.clone().unwrap_or_else(|| step.what.to_string());
        [format!("%{} {what}", step.id), from, show(visit), to]
    });
    table(["read", "gradient from", "gradient", "passed on to"], rows);
    println!();
}

/// 2 apples at 100 and 3 oranges at 150, with a tax of 10 %.
fn bill(claims: &mut Claims) -> chapter::Result<()> {
    // ANCHOR: bill
    let variable = |value: f64| Tensor::scalar(value).variable();
    let [apple, apples, orange, oranges, tax] = [100.0, 2.0, 150.0, 3.0, 1.1].map(variable);

    let apples_cost = &apple * &apples;
    let oranges_cost = &orange * &oranges;
    let price = &apples_cost + &oranges_cost;
    let total = &price * &tax;

    let graph = Graph::of(&[&total])
        .name(&apple, "an apple")
        .name(&apples, "apples")
        .name(&orange, "an orange")
        .name(&oranges, "oranges")
        .name(&tax, "tax");
    let visits = graph.sweep(&total, &Tensor::scalar(1.0))?;
    // ANCHOR_END: bill
    println!("A bill: (an apple × apples + an orange × oranges) × tax = {}\n", total.item());
    print(&graph, &visits);
    println!("Read backwards, from the last step to the first:\n");
    print_sweep(&graph, &visits, |visit| format!("{:.1}", visit.grad.item()));

    claims.hold(format!("the bill is {:.10}, and 715 by hand", total.item()), near(total.item(), 715.0));
    let by_hand = [(&apple, 2.2), (&apples, 110.0), (&orange, 3.3), (&oranges, 165.0), (&tax, 650.0)];
    let agree = by_hand.iter().all(|(variable, expected)| {
        let visit = visits.iter().find(|visit| graph.find(variable) == Some(visit.step));
        visit.is_some_and(|visit| near(visit.grad.item(), *expected))
    });
    claims.hold("its gradients are 2.2, 110, 3.3, 165 and 650, as by hand", agree);
    let earlier = |step: &Step| step.inputs.iter().all(|input| input.step.is_none_or(|from| from < step.id));
    claims.hold("every step stands behind its inputs", graph.steps().iter().all(earlier));

    let values = [&apple, &apples, &orange, &oranges, &tax, &apples_cost, &oranges_cost, &price, &total];
    let mut drawing = Diagram::new("", &graph);
    for value in values {
        let step = graph.find(value).ok_or("a value of the bill is not on its tape")?;
        let gradient = visits.iter().find(|visit| visit.step == step).ok_or("the sweep missed a step")?;
        drawing = drawing
            .note(step, format!("value {:.1}", value.item()))
            .note(step, format!("gradient {:.1}", gradient.grad.item()));
    }
    Figure::new("The tape of a bill").panel(drawing).save("tape_bill")?;
    Ok(())
}

fn near(x: f64, expected: f64) -> bool {
    (x - expected).abs() <= 1e-12 * expected.abs()
}

/// `784 → 50 → 10` with the sigmoid.
#[derive(Module)]
struct TwoLayers {
    hidden: Affine,
    output: Affine,
}

impl TwoLayers {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = self.hidden.forward(x)?.sigmoid();
        self.output.forward(&hidden)
    }
}

/// The tape of one step of training.
fn network(options: &Options, claims: &mut Claims) -> chapter::Result<()> {
    let batch = mnist::shipped()?.train.take(100).all()?;
    let images = batch.images.flatten(1)?;
    let mut rng = Rng::seed(options.seed);
    let net = TwoLayers { hidden: Affine::new(784, 50, &mut rng), output: Affine::new(50, 10, &mut rng) };
    let nodes_before = memory().live_nodes;

    let loss = net.forward(&images)?.cross_entropy(&batch.labels)?;

    let graph = Graph::of(&[&loss]).names(&net).name(&loss, "loss");
    let recorded = memory().live_nodes - nodes_before;
    // The first sweep also pays for memory that the later ones find in the pool.
    graph.sweep(&loss, &Tensor::scalar(1.0))?;
    let visits = graph.sweep(&loss, &Tensor::scalar(1.0))?;
    println!("\nA network of two layers, 784-50-10, on {} images of MNIST:\n", batch.len());
    print(&graph, &visits);
    println!("Read backwards:\n");
    print_sweep(&graph, &visits, |visit| format!("{} of norm {:.4}", visit.grad.shape(), visit.norm()));

    let variables = graph.steps().iter().filter(|step| step.what == What::Variable).count();
    let shown = graph.steps().len() - variables;
    claims.hold(
        format!("the {recorded} nodes that the forward pass recorded are the {shown} steps shown"),
        recorded == shown as i64,
    );
    let maps: Vec<_> = graph.steps().iter().filter(|step| step.what == What::Op("affine")).collect();
    claims.hold(
        format!("the {} affine maps keep no bias and no result", maps.len()),
        maps.len() == 2 && maps.iter().all(|step| !step.inputs[2].saved && !step.saves_output),
    );
    claims.hold(
        "the first one keeps the images and not its weights: nobody asks for the gradient of the images",
        maps.first().is_some_and(|step| step.inputs[0].saved && !step.inputs[1].saved),
    );

    loss.backward()?;
    let mut same = 0;
    net.parameters(&mut |_, parameter| {
        let swept = visits.iter().find(|visit| graph.find(parameter) == Some(visit.step));
        let left = parameter.grad();
        same += usize::from(swept.zip(left).is_some_and(|(visit, left)| visit.grad.array() == left.array()));
    });
    claims.hold(format!("`backward` leaves the same bits with {same} of 4 parameters"), same == 4);
    let after = Graph::of(&[&loss]);
    claims.hold(
        format!("afterwards the tape is used up: {} step is left, freed", after.steps().len()),
        after.steps().len() == 1 && after.steps()[0].what == What::Freed && after.saved_bytes() == 0,
    );

    let drawing = visits.iter().fold(Diagram::new("", &graph), |drawing, visit| {
        drawing.note(visit.step, format!("gradient {:.3}", visit.norm()))
    });
    let file = Figure::new("Tape and gradient norms of a network")
        .panel(drawing)
        .save("tape_network")?
        .with_extension("dot");
    std::fs::write(&file, graph.to_dot())?;
    eprintln!("written: {}", file.display());
    let page = Viewer::new("A training step of a network, 784-50-10", &graph, &visits).save("tape")?;
    println!("to walk along the tape step by step, open {} in a browser", page.display());
    Ok(())
}

/// The tape of `sin(x²)`, and that of its derivative, which was recorded like any computation.
fn derivative(claims: &mut Claims) -> chapter::Result<()> {
    let x = Tensor::scalar(1.5f64).variable();
    let y = x.square().sin();
    let [dy] = grad(&y, [&x])?;
    let [ddy] = grad(&dy, [&x])?;
    let (at, square) = (1.5f64, 1.5f64 * 1.5);
    let expected = 2.0 * square.cos() - 4.0 * at * at * square.sin();
    let names = |output, name| Graph::of(&[output]).name(&x, "x").name(output, name);
    let graphs = [names(&y, "y"), names(&dy, "dy/dx"), names(&ddy, "d²y/dx²")];
    let steps = graphs.each_ref().map(|graph| graph.steps().len());
    println!("\ny = sin x² has {} steps, dy/dx {}, d²y/dx² {}\n", steps[0], steps[1], steps[2]);
    claims.hold(
        format!("d²y/dx² from the tape of dy/dx is {:.12}, and 2 cos x² - 4 x² sin x² by hand", ddy.item()),
        near(ddy.item(), expected),
    );
    Figure::new("The tape of a function and of its derivative")
        .columns(2)
        .panel(Diagram::new("y = sin x²", &graphs[0]))
        .panel(Diagram::new("dy/dx", &graphs[1]))
        .save("tape_derivative")?;
    Ok(())
}
