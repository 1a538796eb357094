//! Checkpoints: the same bits for less memory, in any order of derivative.

use crate::harness::{Inputs, clean, close, random, says};
use autodiff::{
    ErrorKind, Result, Tensor, check, checkpoint, is_recording, jvp, memory, no_grad, peak_memory, pull_back,
    value_and_grad, vjp,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Two layers.
fn block(x: Inputs<'_>) -> Result<Tensor<f64>> {
    Ok(x[0].matmul(&x[1])?.tanh().matmul(&x[1])?.gelu())
}

type Step = fn(Inputs<'_>) -> Result<Tensor<f64>>;

/// Plain, and the same under `checkpoint`.
const PLAIN: Step = block;
const CHECKPOINTED: Step = |x| checkpoint(block, &[&x[0], &x[1]]);

/// Blocks with weights of their own: the value, the gradients of `loss` by `backward`, by `grad`, and of these.
fn train(step: Step, blocks: u64, loss: fn(&Tensor<f64>) -> Tensor<f64>) -> [Vec<Tensor<f64>>; 4] {
    let x = random(1, [4, 5]).variable();
    let weights: Vec<_> = (0..blocks).map(|seed| random(seed + 2, [5, 5]).variable()).collect();
    let y = weights.iter().fold(x.clone(), |y, w| step(&[y, w.clone()]).unwrap());
    let inputs: Vec<_> = std::iter::once(&x).chain(&weights).collect();
    let one = Tensor::scalar(1.0);
    let first = pull_back(&loss(&y), &one, &inputs).unwrap();
    let norm = first.iter().fold(Tensor::scalar(0.0), |sum, dx| sum + dx.sin().sum());
    let second = pull_back(&norm, &one, &inputs).unwrap();
    loss(&y).backward().unwrap();
    let slots = inputs.iter().map(|x| x.take_grad().unwrap()).collect();
    let detached = |all: Vec<Tensor<f64>>| all.iter().map(Tensor::detach).collect();
    [vec![y.detach()], slots, detached(first), detached(second)]
}

#[test]
fn checkpointed_and_not_give_the_same_bits() {
    let _clean = clean();
    let bits = |all: &[Tensor<f64>]| all.iter().map(Tensor::to_vec).collect::<Vec<_>>();
    let (plain, checkpointed) =
        (train(PLAIN, 3, |y| y.square().sum()), train(CHECKPOINTED, 3, |y| y.square().sum()));
    for (plain, checkpointed) in plain.iter().zip(&checkpointed).take(3) {
        assert_eq!(bits(plain), bits(checkpointed));
    }
    // The second order meets each block twice, in a first gradient and in the value, and adds in another order.
    for (plain, checkpointed) in plain[3].iter().zip(&checkpointed[3]) {
        close(plain, checkpointed, 1e-13);
    }
    // Not so where the gradient does not depend on the value.
    let (plain, checkpointed) = (train(PLAIN, 1, Tensor::sum), train(CHECKPOINTED, 1, Tensor::sum));
    assert_eq!(plain.map(|all| bits(&all)), checkpointed.map(|all| bits(&all)));
}

#[test]
fn a_checkpoint_has_the_gradients_that_differences_give() {
    let _clean = clean();
    check::second_order(CHECKPOINTED, &[random(1, [2, 3]), random(2, [3, 3])]).unwrap();
    let nested = |x: Inputs<'_>| {
        checkpoint(|x: Inputs<'_>| Ok(checkpoint(block, &[&x[1], &x[0]])?.sin()), &[&x[0], &x[1]])
    };
    check::second_order(nested, &[random(1, [3, 3]), random(2, [2, 3])]).unwrap();
    let v = random(5, [2, 3]);
    let forward =
        |x: Inputs<'_>| Ok(jvp(|y| CHECKPOINTED(&[y[0].clone(), x[1].clone()]), &[&x[0]], &[&v])?.1);
    check::grads(forward, &[random(1, [2, 3]), random(2, [3, 3])]).unwrap();
    // One tensor as two inputs, and gradients inside.
    let inside = |x: Inputs<'_>| {
        let f = |x: Inputs<'_>| {
            Ok(value_and_grad(|y| Ok((&y[0] * y[1].exp()).sum()), &[&x[0], &x[1]])?.1.remove(1))
        };
        checkpoint(f, &[&x[0], &x[0]])
    };
    check::second_order(inside, &[random(3, [3])]).unwrap();
    let mixed = |x: Inputs<'_>| {
        let f = |x: Inputs<'_>| {
            let constant = Tensor::ones([3]);
            Ok(value_and_grad(|y| Ok((&y[0] * y[1].exp()).sum()), &[&constant, &x[0]])?.1.remove(0))
        };
        checkpoint(move |x: Inputs<'_>| checkpoint(f, &[&x[0]]), &[&x[0]])
    };
    check::second_order(mixed, &[random(3, [3])]).unwrap();
}

#[test]
fn a_checkpoint_keeps_only_its_inputs() {
    let _clean = clean();
    let w = random(2, [64, 64]).variable();
    let mut alive = Vec::new();
    for checkpointed in [false, true] {
        let before = memory().live_bytes;
        let deep = |x: Inputs<'_>| (0..8).try_fold(x[0].clone(), |y, _| block(&[y, x[1].clone()]));
        let mut y = random(1, [64, 64]).variable();
        for _ in 0..4 {
            y = if checkpointed {
                checkpoint(deep, &[&y, &w]).unwrap()
            } else {
                deep(&[y, w.clone()]).unwrap()
            };
        }
        alive.push(memory().live_bytes - before);
        y.sum().backward().unwrap();
    }
    assert!(alive[1] * 4 < alive[0], "bytes without and with checkpoints: {alive:?}");
}

/// `y + tanh(y W + b)` for each `W` and `b`.
fn layers(x: Inputs<'_>) -> Result<Tensor<f64>> {
    x[1..].chunks(2).try_fold(x[0].clone(), |y, layer| Ok(&y + (y.matmul(&layer[0])? + &layer[1]).tanh()))
}

#[test]
fn fifty_layers_need_less_than_two_fifths_of_the_memory_for_the_same_bits() {
    let _clean = clean();
    let x = random(1, [256, 32]);
    let layer = |i: u64| [random(i, [32, 32]) * 0.2, random(100 + i, [32])].map(Tensor::variable);
    let weights: Vec<Tensor<f64>> = (0..50).flat_map(layer).collect();
    let train = |step: Step, together: usize| {
        let (value, most) = peak_memory(|| {
            let mut y = x.clone();
            for some in weights.chunks(2 * together) {
                y = step(&[&[y], some].concat()).unwrap();
            }
            let loss = y.square().mean();
            loss.backward().unwrap();
            loss.item()
        });
        let gradients: Vec<_> = weights.iter().map(|w| w.take_grad().unwrap().to_vec()).collect();
        (value, gradients, most)
    };
    let (value, gradients, plain) = train(layers, 1);
    let checkpointed: Step = |x| checkpoint(layers, &x.iter().collect::<Vec<_>>());
    let (other_value, other_gradients, less) = train(checkpointed, 7);
    assert_eq!((value.to_bits(), gradients), (other_value.to_bits(), other_gradients));
    println!("{less} bytes at most with checkpoints of 7 layers, {plain} without");
    assert!(100 * less <= 40 * plain, "{less} bytes at most with checkpoints, {plain} without");
}

#[test]
fn a_checkpoint_runs_once_more_in_a_pass_and_in_the_same_mode() {
    let _clean = clean();
    let runs = Arc::new(AtomicUsize::new(0));
    let f = {
        let runs = runs.clone();
        move |x: Inputs<'_>| {
            runs.fetch_add(1, Relaxed);
            // As a layer that behaves otherwise while nothing is recorded.
            Ok(if is_recording() { &x[0] * &x[1] * &x[2] } else { x[0].clone() })
        }
    };
    let x = [2.0, 3.0, 5.0].map(|x| Tensor::scalar(x).variable());
    let y = checkpoint(f.clone(), &[&x[0], &x[1], &x[2]]).unwrap();
    y.backward().unwrap();
    assert_eq!(runs.load(Relaxed), 2);
    assert_eq!((y.item(), x.map(|x| x.grad().unwrap().item())), (30.0, [15.0, 10.0, 6.0]));
    let constant = Tensor::scalar(7.0);
    assert_eq!(no_grad(|| checkpoint(f, &[&constant, &constant, &constant])).unwrap().item(), 7.0);
}

#[test]
fn a_captured_tracked_tensor_is_refused() {
    let _clean = clean();
    let (x, w) = (random(1, [3]), random(2, [3]).variable());
    let captured = w.clone();
    let f = move |x: Inputs<'_>| Ok(&x[0] * &captured);
    says!(checkpoint(f.clone(), &[&x]), @"checkpoint: the output of the function depends on a tracked tensor that is not one of its inputs, and whose gradient would be lost: pass it as an input, or detach it");
    says!(checkpoint(f.clone(), &[&x.clone().variable()]), @"checkpoint: the output of the function depends on a tracked tensor that is not one of its inputs, and whose gradient would be lost: pass it as an input, or detach it");
    // A source of a transform at work is tracked as well, although its input is not.
    let hidden = vjp(
        |y: Inputs<'_>| {
            checkpoint(
                {
                    let y = y[0].clone();
                    move |x: Inputs<'_>| Ok(&x[0] * &y)
                },
                &[&x],
            )
        },
        &[&x],
        &x,
    );
    says!(hidden, @"checkpoint: the output of the function depends on a tracked tensor that is not one of its inputs, and whose gradient would be lost: pass it as an input, or detach it");
    // Where nothing is recorded there is no gradient to lose; and detached it is meant.
    assert_eq!(no_grad(|| checkpoint(f, &[&x])).unwrap().to_vec(), (&x * &w).to_vec());
    let captured = w.detach();
    assert!(checkpoint(move |x: Inputs<'_>| Ok(&x[0] * &captured), &[&x.variable()]).is_ok());
}

#[test]
fn a_rule_that_fails_in_the_recomputation_names_the_checkpoint() {
    let _clean = clean();
    let x = random(1, [3]).variable();
    let line = line!() + 1;
    let y = checkpoint(|x: Inputs<'_>| Ok(x[0].map_grad(|grad| grad.slice(0, 0..2))), &[&x]).unwrap();
    let error = y.sum().backward().unwrap_err();
    assert_eq!((error.site().line(), error.op()), (line, "checkpoint"));
    assert_eq!(error.kind(), &ErrorKind::Rule { index: 0, expected: [3].into(), found: [2].into() });
}
