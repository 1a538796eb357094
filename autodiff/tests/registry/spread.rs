//! Variance, standard deviation and norms.

use super::{DISTINCT, NONZERO, SMALL, any, vector, zeros};
use autodiff::check::strategies::Choice;
use autodiff::{Float, Result, Tensor};

/// A correction of 0 or 1 that leaves something to divide by.
fn correction<T: Float>(x: &Tensor<T>, axes: &[isize], c: &mut Choice) -> Result<usize> {
    Ok(c.below(2).min(x.size() / x.sum_axes(axes)?.size() - 1))
}

/// Orders of a norm that is smooth where no element is 0.
const SMOOTH: [f64; 6] = [2.0, 1.0, 3.0, 1.5, 0.5, 0.0];
/// Orders of a norm, for numbers that are positive and have no ties.
const ORDERS: [f64; 4] = [2.0, f64::INFINITY, f64::NEG_INFINITY, -1.0];

ops! {
    var: any().filled(), [SMALL], |[x], mut c| Ok(x.var(c.below(2).min(x.size() - 1))),
        gradient "`2 g (x - mean(x)) / (n - correction)`",
        gives [
            vector([1.0, 2.0, 6.0]).var(1) => [7.0],
            vector([1.0, 2.0, 6.0]).var(0) => [14.0 / 3.0],
            vector([1.0]).var(1) => [f64::NAN],
        ],
        like "torch.var(correction)";
    var_axes: any().filled(), [SMALL], |[x], mut c| {
            let axes = c.axes(x.shape());
            x.var_axes(&axes[..], correction(x, &axes, &mut c)?)
        },
        gradient "`2 g (x - mean(x)) / (n - correction)`",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).var_axes(2, 1)],
        like "torch.var(dim, correction)";
    var_keep: any().filled(), [SMALL], |[x], mut c| {
            let axes = c.axes(x.shape());
            x.var_keep(&axes[..], correction(x, &axes, &mut c)?)
        },
        gradient "`2 g (x - mean(x)) / (n - correction)`",
        bad ["axis 0 of [2, 3] is named twice" => zeros([2, 3]).var_keep([0, 0], 1)],
        like "torch.var(dim, correction, keepdim=True)";
    std: any().filled(), [DISTINCT], |[x], mut c| Ok(x.std(c.below(2).min(x.size() - 1))),
        gradient "`g (x - mean(x)) / (y (n - correction))`",
        gives [vector([1.0, 5.0]).std(0) => [2.0], vector([1.0, 5.0]).std(1) => [2.0 * std::f64::consts::SQRT_2]],
        like "torch.std(correction)";
    std_axes: any().filled(), [DISTINCT], |[x], mut c| {
            let axes = c.axes(x.shape());
            x.std_axes(&axes[..], correction(x, &axes, &mut c)?)
        },
        gradient "`g (x - mean(x)) / (y (n - correction))`",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).std_axes(2, 1)],
        like "torch.std(dim, correction)";
    std_keep: any().filled(), [DISTINCT], |[x], mut c| {
            let axes = c.axes(x.shape());
            x.std_keep(&axes[..], correction(x, &axes, &mut c)?)
        },
        gradient "`g (x - mean(x)) / (y (n - correction))`",
        bad ["axis 0 of [2, 3] is named twice" => zeros([2, 3]).std_keep([0, 0], 1)],
        like "torch.std(dim, correction, keepdim=True)";
    norm: any(), [NONZERO], |[x], mut c| Ok(x.norm(SMOOTH[c.below(6)])),
        gradient "`g sign(x) (|x| / y)ᵖ⁻¹`",
        gives [
            vector([3.0, -4.0]).norm(2.0) => [5.0],
            vector([3.0, -4.0]).norm(1.0) => [7.0],
            vector([3.0, -4.0]).norm(f64::INFINITY) => [4.0],
            vector([3.0, -4.0]).norm(f64::NEG_INFINITY) => [3.0],
            vector([0.0, -4.0]).norm(0.0) => [1.0],
            vector([4.0, -9.0]).norm(0.5) => [25.0],
        ],
        like "torch.linalg.vector_norm";
    norm_axes: any(), [DISTINCT], |[x], mut c| (x + 3.375).norm_axes(ORDERS[c.below(4)], &c.axes(x.shape())[..]),
        gradient "`g sign(x) (|x| / y)ᵖ⁻¹`",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).norm_axes(2.0, 2)],
        like "torch.linalg.vector_norm(dim)";
    norm_keep: any(), [NONZERO], |[x], mut c| x.norm_keep(SMOOTH[c.below(6)], &c.axes(x.shape())[..]),
        gradient "`g sign(x) (|x| / y)ᵖ⁻¹`",
        bad ["axis 0 of [2, 3] is named twice" => zeros([2, 3]).norm_keep(2.0, [0, 0])],
        like "torch.linalg.vector_norm(dim, keepdim=True)";
}
