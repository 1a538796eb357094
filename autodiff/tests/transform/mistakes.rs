//! What is said of mistakes, and at which line.

use crate::harness::{Inputs, clean, random, says};
use autodiff::{Tensor, checkpoint, hessian, hvp, jacobian, jvp, per_sample_grads, value_and_grad, vjp};

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
