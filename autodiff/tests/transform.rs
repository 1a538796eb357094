//! Transforms: exact, composable, and clean. What they return is held to numerical differentiation, to closed forms, and
//! to each other.

use autodiff::check::{self, Gradients};
use autodiff::{
    ConvOptions, ErrorKind, Memory, Parameter, PoolOptions, Result, Rng, Tensor, checkpoint, grad, hessian,
    hvp, is_recording, jacobian, jvp, memory, no_grad, per_sample_grads, pull_back, value_and_grad, vjp,
};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counters of live nodes and buffers are the process's, so these tests do not run beside each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Fails when it is dropped, if a node or a buffer is alive that was not when it was made.
struct Clean {
    before: Memory,
    _alone: MutexGuard<'static, ()>,
}

fn clean() -> Clean {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Clean { before: memory(), _alone: alone }
}

impl Drop for Clean {
    fn drop(&mut self) {
        let alive = |memory: Memory| (memory.live_nodes, memory.live_buffers);
        if !std::thread::panicking() {
            assert_eq!(alive(memory()), alive(self.before), "something stayed alive");
        }
    }
}

type Inputs<'a> = &'a [Tensor<f64>];

fn tensor<const N: usize>(values: &[f64], shape: [usize; N]) -> Tensor<f64> {
    Tensor::from_vec(values, shape).unwrap()
}

fn random<const N: usize>(seed: u64, shape: [usize; N]) -> Tensor<f64> {
    Rng::seed(seed).uniform(shape, -1.0, 1.0)
}

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    (a * b).sum().item()
}

#[track_caller]
fn close(a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    for (i, (a, b)) in a.to_vec().into_iter().zip(b.to_vec()).enumerate() {
        assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0), "element {i}: {a} and {b}");
    }
}

/// Images, kernels, a bias, a matrix: the loss of a small convolutional network on two images.
fn network(x: Inputs<'_>) -> Result<Tensor<f64>> {
    logits(x)?.cross_entropy(&[2, 0])
}

fn logits(x: Inputs<'_>) -> Result<Tensor<f64>> {
    let features = x[0].conv2d(&x[1], Some(&x[2]), ConvOptions::default())?.tanh();
    features.avg_pool2d(PoolOptions::square(2))?.flatten(1)?.matmul(&x[3])
}

fn network_inputs() -> Vec<Tensor<f64>> {
    vec![random(1, [2, 1, 6, 6]), random(2, [2, 1, 3, 3]), random(3, [2]), random(4, [8, 3])]
}

/// Functions of several inputs, and a point of each.
type Case = (&'static str, fn(Inputs<'_>) -> Result<Tensor<f64>>, Vec<Tensor<f64>>);

fn cases() -> Vec<Case> {
    vec![
        ("product", |x| Ok(&x[0] * &x[1]), vec![random(1, [3, 2]), random(2, [2])]),
        ("matmul", |x| x[0].matmul(&x[1]), vec![random(3, [3, 4]), random(4, [4, 2])]),
        ("softmax", |x| x[0].softmax(1), vec![random(5, [2, 4])]),
        ("log_sum_exp", |x| x[0].log_sum_exp_keep(-1), vec![random(6, [2, 4])]),
        ("smooth", |x| Ok((x[0].sin() * x[0].exp()).sigmoid()), vec![random(7, [5])]),
        ("moved", |x| x[0].t()?.flip(0)?.slice(1, 1..3)?.square().sum_axes(0), vec![random(8, [4, 3])]),
        ("reused", |x| Ok(&x[0] * x[0].sum() / (x[1].square() + 1.0)), vec![random(9, [3]), random(10, [3])]),
        ("logits", logits, network_inputs()),
        ("network", network, network_inputs()),
    ]
}

fn directions(inputs: &[Tensor<f64>], seed: u64) -> Vec<Tensor<f64>> {
    let mut rng = Rng::seed(seed);
    inputs.iter().map(|x| rng.uniform(x.shape(), -1.0, 1.0)).collect()
}

fn references(tensors: &[Tensor<f64>]) -> Vec<&Tensor<f64>> {
    tensors.iter().collect()
}

#[test]
fn jvp_is_the_numerical_derivative_along_the_tangents() {
    let _clean = clean();
    for (name, f, inputs) in cases() {
        let tangents = directions(&inputs, 20);
        let (y, tangent) = jvp(f, &references(&inputs), &references(&tangents)).unwrap();
        assert_eq!(y.to_vec(), f(&inputs).unwrap().to_vec(), "{name}");
        let mut expected = vec![0.0; y.size()];
        for (index, v) in tangents.iter().enumerate() {
            let rows = check::jacobian(f, &inputs, index).unwrap();
            for (sum, row) in expected.iter_mut().zip(rows) {
                *sum += row.iter().zip(v.to_vec()).map(|(entry, v)| entry.value * v).sum::<f64>();
            }
        }
        for (found, expected) in tangent.to_vec().into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{name}: {found} {expected}");
        }
    }
}

#[test]
fn forward_and_reverse_mode_are_adjoint() {
    let _clean = clean();
    for (name, f, inputs) in cases() {
        let v = directions(&inputs, 21);
        let (y, jv) = jvp(f, &references(&inputs), &references(&v)).unwrap();
        let w: Tensor<f64> = Rng::seed(22).uniform(y.shape(), -1.0, 1.0);
        let (_, jw) = vjp(f, &references(&inputs), &w).unwrap();
        let (left, right) = (dot(&jv, &w), v.iter().zip(&jw).map(|(v, g)| dot(v, g)).sum::<f64>());
        assert!((left - right).abs() < 1e-12, "{name}: {left} {right}");
    }
}

#[test]
fn what_does_not_depend_gives_zeros() {
    let _clean = clean();
    let (x, c) = (random(1, [2, 3]), random(2, [4]));
    let (_, gradients) = vjp(|x| Ok(x[0].exp()), &[&x, &c], &Tensor::ones([2, 3])).unwrap();
    assert_eq!((gradients[1].shape(), gradients[1].to_vec()), (c.shape(), vec![0.0; 4]));
    let (y, tangent) = jvp(|_| Ok(Tensor::ones([5])), &[&x], &[&x]).unwrap();
    assert_eq!((y.to_vec(), tangent.to_vec()), (vec![1.0; 5], vec![0.0; 5]));
    let (_, tangent) = jvp::<f64>(|_| Ok(Tensor::ones([5])), &[], &[]).unwrap();
    assert_eq!(tangent.to_vec(), [0.0; 5]);
    let (_, gradients) = value_and_grad(|_| Ok(Tensor::scalar(1.0)), &[&x]).unwrap();
    assert_eq!(gradients[0].to_vec(), [0.0; 6]);
    assert_eq!(jacobian(|_| Ok(Tensor::ones([2])), &c).unwrap().to_vec(), [0.0; 8]);
    assert_eq!(hessian(|x| Ok(x.sum()), &c).unwrap().to_vec(), [0.0; 16]);
    assert_eq!(hvp(|x| Ok(x.sum()), &c, &c).unwrap().to_vec(), [0.0; 4]);
}

#[test]
fn sizes_of_zero_work() {
    let _clean = clean();
    let none = Tensor::<f64>::zeros([0, 2]);
    let (y, tangent) = jvp(|x| Ok(x[0].exp()), &[&none], &[&none]).unwrap();
    assert_eq!((y.shape(), tangent.shape()), (none.shape(), none.shape()));
    assert_eq!(jacobian(|x| Ok(x.exp()), &none).unwrap().shape(), [0, 2, 0, 2]);
    assert_eq!(jacobian(|x| Ok(x.sum()), &none).unwrap().shape(), [0, 2]);
    assert_eq!(hessian(|x| Ok(x.sum()), &none).unwrap().shape(), [0, 2, 0, 2]);
    let gradients = per_sample_grads(|x, _| Ok(x[0].sum()), &[&random(1, [3])], 0).unwrap();
    assert_eq!(gradients[0].shape(), [0, 3]);
}

#[test]
fn the_jacobian_of_a_matrix_product_is_the_closed_form_in_both_directions() {
    let _clean = clean();
    // ∂(A B)[i, k] / ∂A[p, q] = δ(i, p) B[q, k]. Fewer outputs than inputs, then more.
    for [m, n, k] in [[2, 4, 3], [2, 3, 5]] {
        let (a, b) = (random(1, [m, n]), random(2, [n, k]));
        let found = jacobian(|a| a.matmul(&b), &a).unwrap();
        assert_eq!(found.shape(), [m, k, m, n]);
        let (found, b) = (found.to_vec(), b.to_vec());
        for (position, found) in found.into_iter().enumerate() {
            let (q, p, j, i) =
                (position % n, position / n % m, position / (n * m) % k, position / (n * m * k));
            assert_eq!(found, if i == p { b[q * k + j] } else { 0.0 });
        }
    }
}

#[test]
fn the_hessian_of_rosenbrock() {
    let _clean = clean();
    let f = |x: &Tensor<f64>| {
        let (a, b) = (x.slice(0, 0..1)?, x.slice(0, 1..2)?);
        Ok(((1.0 - &a).square() + (&b - a.square()).square() * 100.0).sum())
    };
    let (a, b) = (-1.25, 1.5);
    let found = hessian(f, &tensor(&[a, b], [2])).unwrap();
    let expected = [2.0 + 1200.0 * a * a - 400.0 * b, -400.0 * a, -400.0 * a, 200.0];
    close(&found, &tensor(&expected, [2, 2]), 1e-14);
}

#[test]
fn the_hessian_of_log_sum_exp() {
    let _clean = clean();
    let x = random(3, [5]);
    let found = hessian(|x| Ok(x.log_sum_exp_keep(0)?.sum()), &x).unwrap();
    let p = x.softmax(0).unwrap().to_vec();
    let expected: Vec<f64> =
        (0..25).map(|i| if i / 5 == i % 5 { p[i / 5] } else { 0.0 } - p[i / 5] * p[i % 5]).collect();
    close(&found, &tensor(&expected, [5, 5]), 1e-14);
    close(&found, &found.t().unwrap(), 1e-15);
}

/// The loss of the network as a function of its kernels, as a vector.
fn of_kernels(w: &Tensor<f64>) -> Result<Tensor<f64>> {
    let inputs = network_inputs();
    network(&[inputs[0].clone(), w.reshape([2, 1, 3, 3])?, inputs[2].clone(), inputs[3].clone()])
}

fn kernels() -> Tensor<f64> {
    network_inputs()[1].reshape([18]).unwrap()
}

#[test]
fn the_hessian_through_a_convolutional_network() {
    let _clean = clean();
    let w = kernels();
    let found = hessian(of_kernels, &w).unwrap();
    close(&found, &found.t().unwrap(), 1e-14);
    let gradient = |w: Inputs<'_>| Ok(value_and_grad(|w| of_kernels(&w[0]), &[&w[0]])?.1.remove(0));
    let numeric = check::jacobian(gradient, &[w], 0).unwrap();
    for (found, numeric) in found.to_vec().into_iter().zip(numeric.into_iter().flatten()) {
        assert!((found - numeric.value).abs() < 1e-10, "{found} {numeric:?}");
    }
}

#[test]
fn hessian_vector_products_agree_in_three_ways() {
    let _clean = clean();
    let (w, v) = (kernels(), random(5, [18]));
    let product = hvp(of_kernels, &w, &v).unwrap();
    close(&product, &hessian(of_kernels, &w).unwrap().matmul(&v).unwrap(), 1e-14);
    // Forward over reverse.
    let gradient = |w: Inputs<'_>| Ok(value_and_grad(|w| of_kernels(&w[0]), &[&w[0]])?.1.remove(0));
    close(&product, &jvp(gradient, &[&w], &[&v]).unwrap().1, 1e-14);
    // Reverse over forward.
    let slope = |w: Inputs<'_>| Ok(jvp(|w| of_kernels(&w[0]), &[&w[0]], &[&v])?.1);
    close(&product, &value_and_grad(slope, &[&w]).unwrap().1[0], 1e-14);
    // Jacobians of Jacobians.
    let hessian = jacobian(|w| jacobian(of_kernels, w), &w).unwrap();
    close(&product, &hessian.matmul(&v).unwrap(), 1e-14);
}

#[test]
fn what_a_transform_returns_can_be_differentiated() {
    let _clean = clean();
    // Each as a function of points, cotangents and tangents, differentiated by the engine, held to differences.
    let f = |x: Inputs<'_>| Ok(x[0].matmul(&x[1])?.tanh());
    let (a, b) = (random(1, [2, 3]), random(2, [3, 2]));
    let reverse = |x: Inputs<'_>| {
        let (y, gradients) = vjp(f, &[&x[0], &x[1]], &x[2])?;
        Ok(y.sum() + gradients[0].square().sum() + gradients[1].sin().sum())
    };
    check::second_order(reverse, &[a.clone(), b.clone(), random(3, [2, 2])]).unwrap();
    let forward = |x: Inputs<'_>| {
        let (y, tangent) = jvp(f, &[&x[0], &x[1]], &[&x[2], &x[3]])?;
        Ok(y.sum() + tangent.square().sum())
    };
    check::second_order(forward, &[a.clone(), b.clone(), random(4, [2, 3]), random(5, [3, 2])]).unwrap();
    check::grads(|x| jacobian(|a| f(&[a.clone(), x[1].clone()]), &x[0]), &[a.clone(), b.clone()]).unwrap();
    check::grads(|x| hessian(|a| Ok(f(&[a.clone(), x[1].clone()])?.square().sum()), &x[0]), &[a, b]).unwrap();
    check::grads(|x| hvp(|x| Ok(x.exp().sum().ln()), &x[0], &x[1]), &[random(6, [3]), random(7, [3])])
        .unwrap();
}

#[test]
fn a_gradient_penalty_trains() {
    let _clean = clean();
    // The norm of the gradient at the input, differentiated in the weights, which the function captures.
    let penalty = |x: Inputs<'_>| {
        let [data, w, v] = x else { unreachable!() };
        let critic = |data: Inputs<'_>| Ok(data[0].matmul(w)?.tanh().matmul(v)?.sum());
        let (value, gradients) = value_and_grad(critic, &[data])?;
        Ok(value + (gradients[0].square().sum_axes(1)?.sqrt() - 1.0).square().mean())
    };
    let point = [random(1, [4, 3]), random(2, [3, 5]), random(3, [5, 1])];
    Gradients::new().check(penalty, &point).unwrap();

    let w = Parameter::new(point[1].clone());
    let loss = penalty(&[point[0].clone(), (*w).clone(), point[2].clone()]).unwrap();
    loss.backward().unwrap();
    assert_eq!(w.grad().unwrap().shape(), w.shape());
}

#[test]
fn a_captured_input_is_another_than_the_argument() {
    let _clean = clean();
    let x = tensor(&[3.0], [1]).variable();
    // d/dy (x y) at y = x is x, not 2 x; and its derivative in x is 1.
    let (y, gradients) = value_and_grad(|y| Ok((&x * &y[0]).sum()), &[&x]).unwrap();
    assert_eq!(gradients[0].to_vec(), [3.0]);
    assert_eq!(grad(&gradients[0], [&x]).unwrap()[0].to_vec(), [1.0]);
    assert_eq!(grad(&y, [&x]).unwrap()[0].to_vec(), [6.0]);
    let (_, tangent) = jvp(|y| Ok((&x * &y[0]).sum()), &[&x], &[&Tensor::ones([1])]).unwrap();
    assert_eq!(grad(&tangent, [&x]).unwrap()[0].to_vec(), [1.0]);
    // The same tensor as two inputs.
    let (_, gradients) = value_and_grad(|z| Ok((&z[0] * z[1].square()).sum()), &[&x, &x]).unwrap();
    assert_eq!((gradients[0].item(), gradients[1].item()), (9.0, 18.0));
}

#[test]
fn results_are_tracked_if_something_outside_is() {
    let _clean = clean();
    let (x, w) = (random(1, [3]), random(2, [3]).variable());
    let f = |x: Inputs<'_>| Ok(x[0].square());
    let g = |x: Inputs<'_>| Ok(&x[0] * &w);
    let one = Tensor::ones([3]);
    let tracked =
        |(y, gradients): (Tensor<f64>, Vec<Tensor<f64>>)| (y.is_tracked(), gradients[0].is_tracked());
    assert_eq!(tracked(vjp(f, &[&x], &one).unwrap()), (false, false));
    assert_eq!(tracked(vjp(f, &[&w], &one).unwrap()), (true, true));
    assert_eq!(tracked(vjp(g, &[&x], &one).unwrap()), (true, true));
    assert!(vjp(f, &[&x], &w).unwrap().1[0].is_tracked());
    assert!(jvp(f, &[&x], &[&w]).unwrap().1.is_tracked());
    assert!(!jvp(f, &[&x], &[&one]).unwrap().1.is_tracked());
    assert!(!jacobian(|x| Ok(x.exp()), &x).unwrap().is_tracked());
    assert!(!hessian(|x| Ok(x.exp().sum()), &x).unwrap().is_tracked());
    // A source of the outer transform is something outside to the inner one.
    let (_, inner) = vjp(|x| Ok(vjp(g, &[&one], &x[0])?.1.remove(0)), &[&one], &one).unwrap();
    assert_eq!(inner[0].to_vec(), w.to_vec());
}

#[test]
fn without_recording_they_still_work_and_return_constants() {
    let _clean = clean();
    let x = random(1, [3]).variable();
    let f = |x: Inputs<'_>| Ok(x[0].exp());
    let one = Tensor::ones([3]);
    no_grad(|| {
        let (y, gradients) = vjp(f, &[&x], &one).unwrap();
        assert_eq!(
            (gradients[0].to_vec(), y.is_tracked(), gradients[0].is_tracked()),
            (y.to_vec(), false, false)
        );
        let (y, tangent) = jvp(f, &[&x], &[&x]).unwrap();
        assert_eq!((tangent.to_vec(), tangent.is_tracked()), ((&x * y).to_vec(), false));
        let h = hessian(|x| Ok(x.exp().sum()), &x).unwrap();
        assert_eq!((h.sum_axes(1).unwrap().to_vec(), h.is_tracked()), (x.exp().to_vec(), false));
        assert!(!jacobian(|y| Ok(y * &x), &x).unwrap().is_tracked());
        assert!(!is_recording());
    });
    assert!(x.grad().is_none());
}

#[test]
fn gradients_of_samples_sum_to_that_of_the_batch() {
    let _clean = clean();
    let inputs = network_inputs();
    let labels = [2, 0];
    let loss = |parameters: Inputs<'_>, row: std::ops::Range<usize>| {
        let mut all = vec![inputs[0].slice(0, row.clone())?];
        all.extend_from_slice(parameters);
        logits(&all)?.cross_entropy(&labels[row])
    };
    let parameters = references(&inputs[1..]);
    let separate = per_sample_grads(loss, &parameters, 2).unwrap();
    let (_, together) = value_and_grad(|p| loss(p, 0..2), &parameters).unwrap();
    for ((separate, together), input) in separate.iter().zip(&together).zip(&parameters) {
        assert_eq!(separate.shape().to_vec()[1..], input.shape().to_vec());
        // The loss of a batch is the mean of its rows'.
        close(&separate.mean_axes(0).unwrap(), together, 1e-14);
    }
    let (_, second) = value_and_grad(|p| loss(p, 1..2), &parameters).unwrap();
    assert_eq!(separate[0].slice(0, 1..2).unwrap().to_vec(), second[0].to_vec());
}

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
fn map_grad_sees_and_changes_the_gradient() {
    let _clean = clean();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let x = tensor(&[1.0, -2.0], [2]).variable();
    let log = seen.clone();
    let y = x.map_grad(move |grad| {
        log.lock().unwrap().push(grad.to_vec());
        Ok(grad * 0.5)
    });
    assert_eq!(y.to_vec(), x.to_vec());
    // Used twice: the function sees the sum, once.
    (y.square() + &y * 3.0).sum().backward().unwrap();
    assert_eq!(*seen.lock().unwrap(), [[5.0, -1.0]]);
    assert_eq!(x.grad().unwrap().to_vec(), [2.5, -0.5]);
    // What the function computes is differentiated: the gradient 3 x² becomes 9 x⁴, whose own gradient 36 x³ passes
    // through the function again.
    let x = Tensor::scalar(2.0f64).variable();
    let [dx] = grad(&x.map_grad(|grad| Ok(grad.square())).powi(3), [&x]).unwrap();
    assert_eq!((dx.item(), grad(&dx, [&x]).unwrap()[0].item()), (144.0, 288.0 * 288.0));
    let constant = Tensor::scalar(1.0f64);
    assert!(!constant.map_grad(|grad| Ok(grad.clone())).is_tracked());
}

#[test]
fn nothing_stays_alive() {
    let _clean = clean();
    let (w, v) = (kernels().variable(), random(5, [18]));
    drop(hvp(of_kernels, &w, &v).unwrap());
    drop(jacobian(|w| w.reshape([2, 9])?.t(), &w).unwrap());
    let loss = hvp(of_kernels, &w, &v).unwrap().square().sum();
    loss.backward().unwrap();
    drop(jvp(|w| Ok(hvp(of_kernels, &w[0], &v)?.tanh()), &[&w], &[&v]).unwrap());
    let failed: Result<_> = vjp(|x| x[0].matmul(&x[0]), &[&random(1, [2, 3])], &v);
    assert!(failed.is_err());
    let y = checkpoint(|x: Inputs<'_>| Ok(x[0].exp()), &[&w]).unwrap();
    let [dw] = grad(&y.sum(), [&w]).unwrap();
    drop(pull_back(&dw, &v, &[&w]).unwrap());
}

/// The text without the line number, which moves.
fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    let site = format!(" at {}", error.site());
    assert!(site.starts_with(" at autodiff/tests/transform.rs:"), "the error names another line: {error}");
    error.to_string().strip_suffix(&site).unwrap().to_owned()
}

macro_rules! says {
    ($result:expr, @$text:literal) => {
        insta::assert_snapshot!(text($result), @$text)
    };
}

#[test]
fn mistakes_are_told() {
    let _clean = clean();
    let x = random(1, [2, 3]);
    let square = |x: Inputs<'_>| Ok(x[0].square());
    says!(vjp(square, &[&x], &Tensor::ones([3])), @"vjp: the cotangent must have the shape of the output: [3] against [2, 3]");
    says!(jvp(square, &[&x], &[]), @"jvp: 0 tangents for 1 inputs");
    says!(jvp(square, &[&x], &[&Tensor::ones([3, 2])]), @"jvp: a tangent must have the shape of its input: [3, 2] against [2, 3]");
    says!(value_and_grad(square, &[&x]), @"value_and_grad: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    says!(jacobian(|x| x.reshape([1, 2, 3, 1, 1]), &x), @"jacobian: sizes [1, 2, 3, 1, 1, 2, 3] are too many or too large: at most 6 axes, each below 2^32, and a product that fits memory");
    says!(hessian(|x| Ok(x.square()), &x), @"hessian: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    says!(hessian(|x| Ok(x.sum()), &random(1, [1, 1, 1, 2])), @"hessian: sizes [1, 1, 1, 2, 1, 1, 1, 2] are too many or too large: at most 6 axes, each below 2^32, and a product that fits memory");
    says!(hvp(|x| Ok(x.square()), &x, &x), @"hvp: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    says!(hvp(|x| Ok(x.sum()), &x, &Tensor::ones([2])), @"hvp: the vector must have the shape of the point: [2] against [2, 3]");
    says!(per_sample_grads(|x, _| Ok(x[0].square()), &[&x], 2), @"per_sample_grads: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    says!(per_sample_grads(|x, _| Ok(x[0].sum()), &[&random(1, [1; 6])], 2), @"per_sample_grads: sizes [2, 1, 1, 1, 1, 1, 1] are too many or too large: at most 6 axes, each below 2^32, and a product that fits memory");
    // What the function reports keeps its op and its line.
    says!(vjp(|x| x[0].matmul(&x[0]), &[&x], &x), @"matmul: cannot multiply [2, 3] by [2, 3]: 3 and 2 differ (did you mean the right one transposed, `.t()`?)");
    says!(checkpoint(|x: Inputs<'_>| x[0].matmul(&x[0]), &[&x]), @"matmul: cannot multiply [2, 3] by [2, 3]: 3 and 2 differ (did you mean the right one transposed, `.t()`?)");
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
