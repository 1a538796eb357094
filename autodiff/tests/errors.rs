//! What each mistake is told, word for word: the op, the figures, the line, and the remedy where there is one.

use autodiff::{Array, ConvOptions, Error, Op, Point, PoolOptions, Reads, Result, Tensor, grad};

fn zeros<const N: usize>(shape: [usize; N]) -> Tensor<f64> {
    Tensor::zeros(shape)
}

/// The text without the line number, which moves.
fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    let error: Error = result.unwrap_err();
    let site = format!(" at {}", error.site());
    assert!(
        site.starts_with(" at autodiff/tests/errors.rs:"),
        "the error names another line than its caller's: {error}"
    );
    error.to_string().strip_suffix(&site).unwrap().to_owned()
}

macro_rules! says {
    ($result:expr, @$text:literal) => {
        insta::assert_snapshot!(text($result), @$text)
    };
}

#[test]
fn matrix_products() {
    says!(zeros([64, 784]).matmul(&zeros([100, 784])), @"matmul: cannot multiply [64, 784] by [100, 784]: 784 and 100 differ (did you mean the right one transposed, `.t()`?)");
    says!(zeros([64, 784]).matmul(&zeros([100, 50])), @"matmul: cannot multiply [64, 784] by [100, 50]: 784 and 100 differ");
    says!(zeros([2, 3, 4]).matmul(&zeros([3, 4, 5])), @"matmul: cannot multiply [2, 3, 4] by [3, 4, 5]: their batch axes do not broadcast");
    says!(zeros([3]).matmul(&zeros([])), @"matmul: cannot multiply [3] by []: a single number is no matrix (use `*`)");
}

#[test]
fn axes() {
    says!(zeros([2, 3]).sum_axes(2), @"sum_axes: axis 2 is out of range for [2, 3], which has rank 2");
    says!(zeros([2, 3]).mean_keep([0, -2]), @"mean_keep: axis -2 of [2, 3] is named twice");
    says!(zeros([2, 3]).softmax(-3), @"softmax: axis -3 is out of range for [2, 3], which has rank 2");
    says!(zeros([2, 3]).permute([0]), @"permute: 1 axes are named for [2, 3], which has 2");
    says!(zeros([2, 3]).permute([0, 0]), @"permute: axis 0 of [2, 3] is named twice");
    says!(zeros([2, 3]).squeeze(0), @"squeeze: axis 0 of [2, 3] has size 2, not 1");
    says!(zeros([2, 3]).unsqueeze(4), @"unsqueeze: axis 4 is out of range for [2, 3], which has rank 2");
}

#[test]
fn shapes() {
    says!(zeros([2, 3]).reshape([4, 2]), @"reshape: cannot reshape [2, 3] (6 elements) to [4, 2]");
    says!(zeros([2, 3]).reshape([-1, 4]), @"reshape: cannot reshape [2, 3] (6 elements) to [-1, 4]");
    says!(zeros([2, 3]).reshape([-1, -1]), @"reshape: cannot reshape [2, 3] (6 elements) to [-1, -1]");
    says!(zeros([2, 3]).broadcast_to([3, 2]), @"broadcast_to: cannot broadcast [2, 3] to [3, 2]");
    says!(zeros([2, 3]).maximum(&zeros([2, 4])), @"maximum: [2, 3] and [2, 4] do not broadcast: aligned at the last axis, sizes must be equal or 1");
    says!(autodiff::Add.apply(&[&zeros([2, 3]), &zeros([2])]), @"add: [2, 3] and [2] do not broadcast: aligned at the last axis, sizes must be equal or 1");
    says!(Tensor::from_vec([1.0, 2.0], [3]), @"from_vec: 2 values do not fill [3], which has 3 elements");
    says!(zeros([2, 3]).dims::<4>(), @"dims: [2, 3] has rank 2, but rank 4 is needed");
    says!(zeros([2, 3]).slice(1, 2..5), @"slice: range 2..5 does not lie within axis 1 of [2, 3]");
    says!(Tensor::cat(&[&zeros([2, 3]), &zeros([3, 3])], 1), @"cat: shapes must agree but along the axis that is joined: [2, 3] against [3, 3]");
    says!(Tensor::<f64>::cat(&[], 1), @"cat: there is nothing to join");
    says!(zeros([2, 3]).pad(&[(1, 1); 3], 0.0), @"pad: 3 pairs of widths for [2, 3], which has 2 axes");
}

#[test]
fn indices_and_labels() {
    says!(zeros([2, 3]).index_select(0, &[1, 2]), @"index_select: index 2 at position 1 is out of range for 2 entries along axis 0");
    says!(zeros([2, 3]).gather(1, &Array::full(3, [2, 1])), @"gather: index 3 at position 0 is out of range for 3 entries along axis 1");
    says!(zeros([2, 3]).gather(1, &Array::full(0, [3, 1])), @"gather: the index must fit within the tensor but along the axis that is indexed: [2, 3] against [3, 1]");
    says!(zeros([2, 10]).cross_entropy(&[3, 10]), @"cross_entropy: label 10 at position 1 is out of range for 10 classes");
    says!(zeros([2, 10]).cross_entropy(&[3]), @"cross_entropy: 1 labels for the 2 rows of [2, 10]");
    says!(zeros([2, 10]).soft_cross_entropy(&zeros([2, 9])), @"soft_cross_entropy: logits and target distributions must have one shape: [2, 10] against [2, 9]");
    says!(zeros([2, 0]).arg_max(1), @"arg_max: axis 1 of [2, 0] has no entries");
}

#[test]
fn windows() {
    let options = ConvOptions::default();
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 2, 3, 3]), None, options), @"conv2d: a kernel [4, 2, 3, 3] with 1 groups needs 2 x 1 channels, [1, 3, 8, 8] has 3");
    says!(zeros([1, 3, 2, 2]).conv2d(&zeros([4, 3, 3, 3]), None, options), @"conv2d: a kernel [4, 3, 3, 3] with dilation [1, 1] spans 3, but the input [1, 3, 2, 2] with padding [0, 0] only 2");
    says!(zeros([3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), None, options), @"conv2d: [3, 8, 8] has rank 3, but rank 4 is needed: images, channels, height, width");
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), Some(&zeros([3])), options), @"conv2d: the bias needs one element for each output channel: [3] against [4]");
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), None, ConvOptions { stride: [0, 1], ..options }), @"conv2d: stride [0, 1], dilation [1, 1] and groups 1 must not be 0");
    says!(zeros([1, 3, 2, 2]).max_pool2d(PoolOptions::square(3)), @"max_pool2d: the window [3, 3] is larger than the input [1, 3, 2, 2] with padding [0, 0]");
}

#[test]
fn gradients() {
    let x = zeros([2, 3]).variable();
    says!(x.backward(), @"backward: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    says!(zeros([1]).backward(), @"backward: this tensor is not on a tape: it was computed from constants, inside `no_grad`, or by an op without gradient");
    says!(grad(&x.exp(), [&x]), @"grad: a gradient starts from a single number, and this tensor has shape [2, 3]: reduce it first (`.sum()`, `.mean()`), or give the seed to `pull_back`");
    let y = x.sum();
    y.backward().unwrap();
    says!(y.backward(), @"backward: its values were freed by an earlier `backward`: add the losses and call `backward` once, or use `grad`, which keeps the graph");
}

#[test]
fn a_rule_that_fails_is_reported_at_the_line_of_the_forward_call() {
    struct Wrong;
    impl Op<f64> for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }
        fn forward(&mut self, x: &[&Array<f64>]) -> Result<Array<f64>> {
            Ok(x[0].clone())
        }
        fn vjp(&self, _: usize, grad: Tensor<f64>, _: &Point<'_, f64>) -> Result<Tensor<f64>> {
            grad.slice(0, 0..1)
        }
        fn reads(&self, _: usize) -> Reads {
            Reads::NONE
        }
    }
    let x = zeros([2, 3]).variable();
    let line = line!() + 1;
    let y = Wrong.apply(&[&x]).unwrap();
    let error = y.sum().backward().unwrap_err();
    assert_eq!(error.site().line(), line);
    let rule = "wrong: the gradient rule for input 0 returned shape [1, 3] where [2, 3] is needed";
    assert!(error.to_string().starts_with(rule), "{error}");
}

#[test]
fn a_tape_whose_rule_has_failed_is_used_up() {
    /// A product that gives its second factor a gradient and refuses the first one.
    struct Half;
    impl Op<f64> for Half {
        fn name(&self) -> &'static str {
            "half"
        }
        fn forward(&mut self, x: &[&Array<f64>]) -> Result<Array<f64>> {
            x[0].zip(x[1], |a, b| a * b)
        }
        fn vjp(&self, index: usize, grad: Tensor<f64>, at: &Point<'_, f64>) -> Result<Tensor<f64>> {
            if index == 0 { Err(Error::new("half", "no gradient")) } else { Ok(grad * at.input(0)) }
        }
    }
    let [a, b] = [2.0, 5.0].map(|x| Tensor::scalar(x).variable());
    let y = Half.apply(&[&a, &b]).unwrap();
    assert!(text(y.backward()).starts_with("half: no gradient"));
    assert!(text(y.backward()).starts_with("backward: its values were freed"));
    assert!(a.grad().is_none() && b.grad().is_none());
}

#[test]
fn operators_panic_with_the_same_text() {
    let panic = std::panic::catch_unwind(|| zeros([2, 3]) + zeros([2, 4])).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("add: [2, 3] and [2, 4] do not broadcast"), "{message}");
}
