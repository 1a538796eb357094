//! What a look at the tape shows, and that looking changes nothing.

use autodiff::graph::{Graph, Step, What};
use autodiff::{ErrorKind, Parameter, Tensor, grad, pull_back};

fn variable(values: &[f64]) -> Tensor<f64> {
    Tensor::from_vec(values, [values.len()]).unwrap().variable()
}

fn ones(shape: [usize; 2]) -> Tensor<f64> {
    Tensor::ones(shape)
}

/// The only step of an op.
fn step<'a>(graph: &'a Graph<f64>, op: &str) -> &'a Step {
    let mut found = graph.steps().iter().filter(|step| step.what.to_string() == op);
    let step = found.next().unwrap_or_else(|| panic!("{op} is not in\n{graph}"));
    assert!(found.next().is_none(), "{op} is several times in\n{graph}");
    step
}

#[test]
fn a_diamond_has_each_step_once_and_inputs_first() {
    let x = variable(&[1.0, 2.0]);
    let (left, right) = (x.exp(), x.sin());
    let y = &left * &right;
    let graph = Graph::of(&[&y]);
    let ops: Vec<_> = graph.steps().iter().map(|step| step.what).collect();
    assert_eq!(ops, [What::Variable, What::Op("exp"), What::Op("sin"), What::Op("mul")]);
    assert_eq!(graph.steps()[3].takes(), "%1, %2");
    assert_eq!([&x, &left, &right, &y].map(|t| graph.find(t)), [0, 1, 2, 3].map(Some));
    for (id, step) in graph.steps().iter().enumerate() {
        assert_eq!((step.id, step.shape), (id, x.shape()));
        assert!(step.inputs.iter().all(|input| input.step.is_some_and(|from| from < id)));
    }
}

#[test]
fn an_input_used_twice_is_listed_twice_and_a_constant_is_no_step() {
    let x = variable(&[3.0]);
    let y = &x * &x + Tensor::ones([4, 1]);
    let graph = Graph::of(&[&y]);
    assert_eq!(graph.steps().len(), 3);
    assert_eq!(step(&graph, "mul").takes(), "%0, %0");
    assert_eq!(step(&graph, "add").takes(), "%1, const[4, 1]");
    assert_eq!(step(&graph, "add").shape, [4, 1]);
    assert_eq!(graph.find(&x.detach()), None);
    assert!(Graph::of(&[&x.detach().exp()]).steps().is_empty());
}

#[test]
fn several_outputs_share_what_is_behind_them() {
    let x = variable(&[1.0]);
    let trunk = x.exp();
    let (a, b) = (trunk.sin(), trunk.cos());
    let graph = Graph::of(&[&b, &a, &b]);
    assert_eq!(graph.steps().len(), 4);
    assert_eq!([&a, &b].map(|y| graph.find(y)), [Some(2), Some(3)]);
    let other_thread = std::thread::spawn(|| variable(&[1.0])).join().unwrap();
    assert_eq!(Graph::of(&[&(x + other_thread)]).steps().len(), 3);
}

#[test]
fn each_op_keeps_what_its_rules_read_and_no_more() {
    let x = ones([2, 3]).variable();
    let kept = |y: &Tensor<f64>| {
        let graph = Graph::of(&[y]);
        let last = graph.steps().last().unwrap().clone();
        assert_eq!(graph.saved_bytes(), last.saved_bytes, "{graph}");
        (last.saves(), last.saved_bytes)
    };
    assert_eq!(kept(&(&x + 1.0)), (String::new(), 0));
    assert_eq!(kept(&x.relu()), ("output".into(), 48));
    assert_eq!(kept(&x.sin()), ("%0".into(), 48));
    // The rule of the tracked side reads the other.
    assert_eq!(kept(&x.matmul(&ones([3, 4])).unwrap()), ("const[3, 4]".into(), 96));
    assert_eq!(kept(&ones([5, 2]).matmul(&x).unwrap()), ("const[5, 2]".into(), 80));
    let w = ones([3, 1]).variable();
    assert_eq!(kept(&x.matmul(&w).unwrap()), ("%0, %1".into(), 48 + 24));
    // One block, kept twice.
    assert_eq!(kept(&(&x * &x)), ("%0, %0".into(), 48));
}

#[test]
fn blocks_that_steps_share_are_counted_once_in_all() {
    let x = ones([10, 10]).variable();
    let y = &x.sin() + &x.t().unwrap().cos();
    let graph = Graph::of(&[&y]);
    assert_eq!(["sin", "cos"].map(|op| step(&graph, op).saved_bytes), [800, 800]);
    assert_eq!(graph.saved_bytes(), 800);
}

#[test]
fn a_step_names_the_line_that_called_it() {
    let x = variable(&[1.0]);
    let (y, line) = (x.exp(), line!());
    let site = step(&Graph::of(&[&y]), "exp").site.unwrap();
    assert_eq!((site.file(), site.line()), ("autodiff/tests/graph.rs", line));
}

#[test]
fn what_backward_has_used_up_is_marked() {
    let x = variable(&[1.0]);
    let trunk = x.exp();
    let (a, b) = (trunk.sum(), (&trunk * &x).sum());
    let before = Graph::of(&[&a]);
    a.backward().unwrap();
    assert_eq!(step(&before, "exp").saves(), "output", "what was seen stays seen");

    let freed = Graph::of(&[&a]);
    assert_eq!((freed.steps().len(), freed.steps()[0].what), (1, What::Freed));
    let partly = Graph::of(&[&b]);
    assert_eq!(step(&partly, "freed").inputs, []);
    assert_eq!(step(&partly, "mul").takes(), "%1, %0");

    for (graph, output) in [(&before, &a), (&partly, &b)] {
        let error = graph.sweep(output, &Tensor::scalar(1.0)).unwrap_err();
        assert_eq!((error.kind(), error.op()), (&ErrorKind::Freed, "sweep"));
    }
}

#[test]
fn a_sweep_shows_the_gradients_of_all_steps_and_leaves_the_tape_as_it_was() {
    let x = variable(&[0.5, -1.0, 2.0]);
    let (a, b) = (x.exp(), x.square());
    let product = &a * &b;
    let y = product.sum();
    let graph = Graph::of(&[&y]);
    let visits = graph.sweep(&y, &Tensor::scalar(2.0)).unwrap();
    assert_eq!(visits.iter().map(|visit| visit.step).collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
    assert!(x.grad().is_none());
    for (tensor, visit) in [&y, &product, &b, &a, &x].into_iter().zip(&visits) {
        let expected = pull_back(&y, &Tensor::scalar(2.0), &[tensor]).unwrap().remove(0);
        assert_eq!(visit.grad.to_vec(), expected.to_vec());
        assert!(!visit.grad.is_tracked());
        let norm = expected.square().sum().sqrt().item();
        assert!((visit.norm() - norm).abs() <= 1e-14 * norm, "{} {norm}", visit.norm());
    }
    y.backward().unwrap();
    assert_eq!((x.grad().unwrap() * 2.0).to_vec(), visits[4].grad.to_vec());
}

#[test]
fn a_sweep_starts_at_any_tensor_of_the_graph_and_passes_over_the_rest() {
    let x = variable(&[1.0, 2.0]);
    let trunk = x.exp();
    let (a, b) = (trunk.sin(), trunk.cos());
    let graph = Graph::of(&[&a, &b]);
    let seed = Tensor::from_vec([1.0, 10.0], [2]).unwrap();
    let steps =
        |output| graph.sweep(output, &seed).unwrap().iter().map(|visit| visit.step).collect::<Vec<_>>();
    assert_eq!([steps(&a), steps(&b), steps(&trunk)], [vec![2, 1, 0], vec![3, 1, 0], vec![1, 0]]);
    assert!(matches!(graph.sweep(&a, &Tensor::scalar(1.0)).unwrap_err().kind(), ErrorKind::Mismatch { .. }));
    for stranger in [x.exp(), x.detach()] {
        let error = graph.sweep(&stranger, &seed).unwrap_err();
        assert!(error.to_string().starts_with("sweep: the output is not in this graph"), "{error}");
    }
}

#[test]
fn gradients_of_gradients_have_their_graph_too() {
    let x = variable(&[3.0]);
    let [dx] = grad(&x.square().sum(), [&x]).unwrap();
    let graph = Graph::of(&[&dx]);
    assert!(graph.find(&x).is_some() && graph.steps().len() > 1, "{graph}");
    let visits = graph.sweep(&dx, &Tensor::ones([1])).unwrap();
    assert_eq!(visits.last().unwrap().grad.to_vec(), [2.0]);
}

#[test]
fn a_table_has_a_row_for_each_step() {
    let layers = vec![Parameter::new(ones([3, 2])), Parameter::new(Tensor::zeros([2]))];
    let x = ones([4, 3]);
    let loss = (x.matmul(&layers[0]).unwrap() + &*layers[1]).relu().sum();
    let graph = Graph::of(&[&loss]).names(&layers).name(&loss, "loss");
    let table = graph.to_string();
    let without_lines = table.lines().map(|line| line.rsplit_once(".rs:").map_or(line, |(left, _)| left));
    insta::assert_snapshot!(without_lines.collect::<Vec<_>>().join("\n"), @r"
    id  op          inputs           shape   saves        bytes  at
    %0  variable 0                   [3, 2]
    %1  variable 1                   [2]
    %2  matmul      const[4, 3], %0  [4, 2]  const[4, 3]  96     autodiff/tests/graph
    %3  add         %2, %1           [4, 2]                      autodiff/tests/graph
    %4  relu        %3               [4, 2]  output       64     autodiff/tests/graph
    %5  sum loss    %4               []                          autodiff/tests/graph
    6 steps, 160 bytes saved
    ");
}

#[test]
fn a_drawing_is_in_the_language_of_graphviz() {
    let w = variable(&[1.0, 2.0]);
    let y = (&w * Tensor::ones([2])).relu();
    let dot = Graph::of(&[&y]).name(&w, "the \"weight\" \\ of\nx").to_dot();
    insta::assert_snapshot!(dot, @r#"
    digraph tape {
      node [shape=box, style=rounded, fontname="sans-serif"];
      s0 [label="the \"weight\" \\ of\nx\n[2]", shape=ellipse];
      s1 [label="mul\n[2]"];
      s0 -> s1;
      c1_1 [label="constant\n[2]", style="rounded,dashed"];
      c1_1 -> s1 [penwidth=2];
      s2 [label="relu\n[2]", penwidth=2];
      s1 -> s2;
    }
    "#);
}

#[test]
fn a_million_steps_need_no_stack() {
    let body = || {
        let x = variable(&[1.0]);
        let y = (0..1_000_000).fold(x, |y, _| y + 1.0);
        let graph = Graph::of(&[&y]);
        assert_eq!((graph.steps().len(), graph.saved_bytes()), (1_000_001, 0));
        let visits = graph.sweep(&y, &Tensor::ones([1])).unwrap();
        assert_eq!((visits.len(), visits[1_000_000].grad.item()), (1_000_001, 1.0));
        drop(y);
        drop(graph);
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(body).unwrap().join().unwrap();
}

#[test]
fn what_the_steps_add_is_what_the_tape_keeps() {
    let x = ones([2, 3]).variable();
    // Both sines keep the same block, and the product keeps both its inputs, one of them a block of the exponential.
    let y = x.sin() + x.sin() * x.exp();
    let graph = Graph::of(&[&y]);
    let bytes = |of: fn(&Step) -> usize| graph.steps().iter().map(of).sum::<usize>();
    assert_eq!(bytes(|step| step.added_bytes), graph.saved_bytes());
    assert_eq!((bytes(|step| step.saved_bytes), graph.saved_bytes()), (5 * 48, 3 * 48));
}
