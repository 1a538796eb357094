//! Transforms of transforms, inputs that are captured, what is recorded, and what stays alive.

use crate::harness::{Inputs, clean, close, kernels, of_kernels, random, references, tensor};
use autodiff::check::{self, Gradients};
use autodiff::{
    Parameter, Result, Tensor, checkpoint, grad, hessian, hvp, is_recording, jacobian, jvp, no_grad,
    per_sample_grads, pull_back, value_and_grad, vjp,
};
use std::sync::{Arc, Mutex};

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

/// Gradient descent on a loss that contains its own model's derivatives, as that of a differential equation.
#[test]
fn a_function_of_gradients_of_gradients_has_a_gradient() {
    let _clean = clean();
    let points = random(1, [5, 1]);
    let residual = |w: Inputs<'_>| {
        let x = points.clone().variable();
        let u = (x.matmul(&w[0])? + &w[1]).tanh().matmul(&w[2])?;
        let [slope] = grad(&u.sum(), [&x])?;
        let [curvature] = grad(&slope.sum(), [&x])?;
        Ok((curvature + slope * &u - u.sin()).square().mean())
    };
    let weights = [random(2, [1, 4]), random(3, [4]), random(4, [4, 1])];
    check::grads(residual, &weights).unwrap();
    // What `backward` leaves with parameters is that gradient.
    let parameters = weights.clone().map(Parameter::new);
    residual(&parameters.each_ref().map(|w| (**w).clone())).unwrap().backward().unwrap();
    let (_, expected) = value_and_grad(residual, &references(&weights)).unwrap();
    for (parameter, expected) in parameters.iter().zip(&expected) {
        close(&parameter.grad().unwrap(), expected, 1e-14);
    }
}

#[test]
fn forward_mode_goes_through_grad() {
    let _clean = clean();
    let (w, v) = (kernels(), random(5, [18]));
    // To `grad`, the place that a transform gives its input is a tracked tensor as any other.
    let gradient = |w: Inputs<'_>| {
        let [gradient] = grad(&of_kernels(&w[0])?, [&w[0]])?;
        Ok(gradient)
    };
    let (value, tangent) = jvp(gradient, &[&w], &[&v]).unwrap();
    close(&value, &value_and_grad(|w| of_kernels(&w[0]), &[&w]).unwrap().1[0], 1e-15);
    close(&tangent, &hvp(of_kernels, &w, &v).unwrap(), 1e-14);
    // And of third order: the derivative of the product with the Hessian.
    let product = |w: Inputs<'_>| hvp(of_kernels, &w[0], &v);
    let third = jvp(product, &[&w], &[&v]).unwrap().1.to_vec();
    for (found, row) in third.into_iter().zip(check::jacobian(product, &[w], 0).unwrap()) {
        let numeric: f64 = row.iter().zip(v.to_vec()).map(|(entry, v)| entry.value * v).sum();
        assert!((found - numeric).abs() < 1e-9, "{found} {numeric}");
    }
}

#[test]
fn gradients_of_samples_can_be_differentiated() {
    let _clean = clean();
    let data = random(1, [3, 2]);
    let spread = |w: Inputs<'_>| {
        let loss = |w: Inputs<'_>, row| Ok(data.slice(0, row)?.matmul(&w[0])?.tanh().square().sum());
        let each = per_sample_grads(loss, &[&w[0]], 3)?.remove(0);
        Ok((&each - each.mean_keep(0)?).square().sum())
    };
    check::second_order(spread, &[random(2, [2, 2])]).unwrap();
}

#[test]
fn hessians_go_through_checkpoints_and_hooks() {
    let _clean = clean();
    let w = kernels();
    let checkpointed = |w: &Tensor<f64>| checkpoint(|w: Inputs<'_>| of_kernels(&w[0]), &[w]);
    close(&hessian(checkpointed, &w).unwrap(), &hessian(of_kernels, &w).unwrap(), 1e-14);
    // The gradient 2 x is tripled by the hook, and what is pulled back through it once more.
    let hooked = |x: &Tensor<f64>| Ok(x.map_grad(|grad| Ok(grad * 3.0)).square().sum());
    assert_eq!(hessian(hooked, &random(1, [2])).unwrap().to_vec(), [18.0, 0.0, 0.0, 18.0]);
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
