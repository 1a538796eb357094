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
    says!(zeros([64, 784]).matmul(&zeros([100, 784])), @"");
    says!(zeros([64, 784]).matmul(&zeros([100, 50])), @"");
    says!(zeros([2, 3, 4]).matmul(&zeros([3, 4, 5])), @"");
    says!(zeros([3]).matmul(&zeros([])), @"");
}

#[test]
fn axes() {
    says!(zeros([2, 3]).sum_axes(2), @"");
    says!(zeros([2, 3]).mean_keep([0, -2]), @"");
    says!(zeros([2, 3]).softmax(-3), @"");
    says!(zeros([2, 3]).permute([0]), @"");
    says!(zeros([2, 3]).permute([0, 0]), @"");
    says!(zeros([2, 3]).squeeze(0), @"");
    says!(zeros([2, 3]).unsqueeze(4), @"");
}

#[test]
fn shapes() {
    says!(zeros([2, 3]).reshape([4, 2]), @"");
    says!(zeros([2, 3]).reshape([-1, 4]), @"");
    says!(zeros([2, 3]).reshape([-1, -1]), @"");
    says!(zeros([2, 3]).broadcast_to([3, 2]), @"");
    says!(zeros([2, 3]).maximum(&zeros([2, 4])), @"");
    says!(autodiff::Add.apply(&[&zeros([2, 3]), &zeros([2])]), @"");
    says!(Tensor::from_vec([1.0, 2.0], [3]), @"");
    says!(zeros([2, 3]).dims::<4>(), @"");
    says!(zeros([2, 3]).slice(1, 2..5), @"");
    says!(Tensor::cat(&[&zeros([2, 3]), &zeros([3, 3])], 1), @"");
    says!(Tensor::<f64>::cat(&[], 1), @"");
    says!(zeros([2, 3]).pad(&[(1, 1)], 0.0), @"");
}

#[test]
fn indices_and_labels() {
    says!(zeros([2, 3]).index_select(0, &[1, 2]), @"");
    says!(zeros([2, 3]).gather(1, &Array::full(3, [2, 1])), @"");
    says!(zeros([2, 3]).gather(1, &Array::full(0, [3, 1])), @"");
    says!(zeros([2, 10]).cross_entropy(&[3, 10]), @"");
    says!(zeros([2, 10]).cross_entropy(&[3]), @"");
    says!(zeros([2, 10]).soft_cross_entropy(&zeros([2, 9])), @"");
    says!(zeros([2, 0]).arg_max(1), @"");
}

#[test]
fn windows() {
    let options = ConvOptions::default();
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 2, 3, 3]), None, options), @"");
    says!(zeros([1, 3, 2, 2]).conv2d(&zeros([4, 3, 3, 3]), None, options), @"");
    says!(zeros([3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), None, options), @"");
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), Some(&zeros([3])), options), @"");
    says!(zeros([1, 3, 8, 8]).conv2d(&zeros([4, 3, 3, 3]), None, ConvOptions { stride: [0, 1], ..options }), @"");
    says!(zeros([1, 3, 2, 2]).max_pool2d(PoolOptions::square(3)), @"");
}

#[test]
fn gradients() {
    let x = zeros([2, 3]).variable();
    says!(x.backward(), @"");
    says!(zeros([1]).backward(), @"");
    says!(grad(&x.exp(), [&x]), @"");
    let y = x.sum();
    y.backward().unwrap();
    says!(y.backward(), @"");
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
        fn vjp(&self, _: usize, grad: &Tensor<f64>, _: &Point<'_, f64>) -> Result<Tensor<f64>> {
            grad.slice(0, 0..1)
        }
        fn reads(&self, _: usize) -> Reads {
            Reads::NONE
        }
    }
    let x = zeros([2, 3]).variable();
    let y = Wrong.apply(&[&x]).unwrap();
    let line = line!();
    let error = y.sum().backward().unwrap_err();
    assert_eq!(error.site().line(), line);
    insta::assert_snapshot!(text(y.sum().backward()), @"");
}

#[test]
fn operators_panic_with_the_same_text() {
    let panic = std::panic::catch_unwind(|| zeros([2, 3]) + zeros([2, 4])).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("add: [2, 3] and [2, 4] do not broadcast"), "{message}");
}
