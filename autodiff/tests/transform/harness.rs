//! Inputs, functions and comparisons, and a guard that finds what stays alive.

use autodiff::{ConvOptions, Memory, PoolOptions, Result, Rng, Tensor, memory};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counters of live nodes and buffers are the process's, so these tests do not run beside each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Fails when it is dropped, if a node or a buffer is alive that was not when it was made.
pub(crate) struct Clean {
    before: Memory,
    _alone: MutexGuard<'static, ()>,
}

pub(crate) fn clean() -> Clean {
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

pub(crate) type Inputs<'a> = &'a [Tensor<f64>];

pub(crate) fn tensor<const N: usize>(values: &[f64], shape: [usize; N]) -> Tensor<f64> {
    Tensor::from_vec(values, shape).unwrap()
}

pub(crate) fn random<const N: usize>(seed: u64, shape: [usize; N]) -> Tensor<f64> {
    Rng::seed(seed).uniform(shape, -1.0, 1.0)
}

pub(crate) fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    (a * b).sum().item()
}

#[track_caller]
pub(crate) fn close(a: &Tensor<f64>, b: &Tensor<f64>, tolerance: f64) {
    assert_eq!(a.shape(), b.shape());
    for (i, (a, b)) in a.to_vec().into_iter().zip(b.to_vec()).enumerate() {
        assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0), "element {i}: {a} and {b}");
    }
}

/// Images, kernels, a bias, a matrix: the loss of a small convolutional network on two images.
pub(crate) fn network(x: Inputs<'_>) -> Result<Tensor<f64>> {
    logits(x)?.cross_entropy(&[2, 0])
}

pub(crate) fn logits(x: Inputs<'_>) -> Result<Tensor<f64>> {
    let features = x[0].conv2d(&x[1], Some(&x[2]), ConvOptions::default())?.tanh();
    features.avg_pool2d(PoolOptions::square(2))?.flatten(1)?.matmul(&x[3])
}

pub(crate) fn network_inputs() -> Vec<Tensor<f64>> {
    vec![random(1, [2, 1, 6, 6]), random(2, [2, 1, 3, 3]), random(3, [2]), random(4, [8, 3])]
}

/// Functions of several inputs, and a point of each.
pub(crate) type Case = (&'static str, fn(Inputs<'_>) -> Result<Tensor<f64>>, Vec<Tensor<f64>>);

pub(crate) fn cases() -> Vec<Case> {
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

pub(crate) fn directions(inputs: &[Tensor<f64>], seed: u64) -> Vec<Tensor<f64>> {
    let mut rng = Rng::seed(seed);
    inputs.iter().map(|x| rng.uniform(x.shape(), -1.0, 1.0)).collect()
}

pub(crate) fn references(tensors: &[Tensor<f64>]) -> Vec<&Tensor<f64>> {
    tensors.iter().collect()
}

/// The loss of the network as a function of its kernels, as a vector.
pub(crate) fn of_kernels(w: &Tensor<f64>) -> Result<Tensor<f64>> {
    let inputs = network_inputs();
    network(&[inputs[0].clone(), w.reshape([2, 1, 3, 3])?, inputs[2].clone(), inputs[3].clone()])
}

pub(crate) fn kernels() -> Tensor<f64> {
    network_inputs()[1].reshape([18]).unwrap()
}

/// The text without the line number, which moves.
pub(crate) fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error = result.unwrap_err();
    let site = format!(" at {}", error.site());
    assert!(site.starts_with(" at autodiff/tests/transform/"), "the error names another line: {error}");
    error.to_string().strip_suffix(&site).unwrap().to_owned()
}

macro_rules! says {
    ($result:expr, @$text:literal) => {
        insta::assert_snapshot!($crate::harness::text($result), @$text)
    };
}
pub(crate) use says;
