//! What transforms return, held to numerical differentiation, to closed forms, and to each other.

use crate::harness::{
    Inputs, cases, clean, close, directions, dot, logits, network_inputs, random, references, tensor,
};
use autodiff::{
    Rng, Tensor, check, grad, hessian, hvp, jacobian, jvp, per_sample_grads, value_and_grad, vjp,
};

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
fn a_product_behind_a_linear_use_keeps_its_second_derivatives() {
    let _clean = clean();
    // The gradient of `2 a` is there when that of `a b` comes.
    let f = |x: &Tensor<f64>| {
        let (a, b) = (x.at(0)?, x.at(1)?);
        Ok(a.square() * &b + &a * &b + &a * 2.0)
    };
    let found = hessian(f, &tensor(&[2.0, 5.0], [2])).unwrap();
    assert_eq!(found.to_vec(), [10.0, 5.0, 5.0, 0.0]);
    let [a, b] = [2.0, 5.0].map(|x| Tensor::scalar(x).variable());
    let y = a.square() * &b + &a * &b + &a * 2.0;
    let [by_a] = grad(&y, [&a]).unwrap();
    assert_eq!(by_a.item(), 27.0);
    assert_eq!(grad(&by_a, [&b]).unwrap()[0].item(), 5.0);
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
