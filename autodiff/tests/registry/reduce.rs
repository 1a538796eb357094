//! Reductions over axes.

use super::{DISTINCT, SMALL, any, vector, zeros};

ops! {
    sum: any(), [SMALL], |[x], _| Ok(x.sum()),
        gradient "`g` to each",
        like "numpy.sum";
    sum_axes: any(), [SMALL], |[x], mut c| x.sum_axes(&c.axes(x.shape())[..]),
        gradient "`g` to each",
        bad [
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).sum_axes(2),
            "axis -2 of [2, 3] is named twice" => zeros([2, 3]).sum_axes([0, -2]),
        ],
        like "numpy.sum(axis)";
    sum_keep: any(), [SMALL], |[x], mut c| x.sum_keep(&c.axes(x.shape())[..]),
        gradient "`g` to each",
        bad ["axis -3 is out of range for [2, 3]" => zeros([2, 3]).sum_keep(-3)],
        like "numpy.sum(axis, keepdims=True)";
    mean: any().filled(), [SMALL], |[x], _| Ok(x.mean()),
        gradient "`g / n` to each",
        gives [vector([1.0, 2.0, 6.0]).mean() => [3.0]],
        like "numpy.mean";
    mean_axes: any().filled(), [SMALL], |[x], mut c| x.mean_axes(&c.axes(x.shape())[..]),
        gradient "`g / n` to each",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).mean_axes(2)],
        like "numpy.mean(axis)";
    mean_keep: any().filled(), [SMALL], |[x], mut c| x.mean_keep(&c.axes(x.shape())[..]),
        gradient "`g / n` to each",
        bad ["axis -2 of [2, 3] is named twice" => zeros([2, 3]).mean_keep([0, -2])],
        like "numpy.mean(axis, keepdims=True)";
    prod: any(), [SMALL], |[x], _| Ok(x.prod()),
        gradient "`g` times the product of all others",
        gives [vector([2.0, -3.0, 5.0]).prod() => [-30.0], zeros([0]).prod() => [1.0]],
        like "numpy.prod";
    prod_axes: any(), [SMALL], |[x], mut c| x.prod_axes(&c.axes(x.shape())[..]),
        gradient "`g` times the product of all others",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).prod_axes(2)],
        like "numpy.prod(axis)";
    prod_keep: any(), [SMALL], |[x], mut c| x.prod_keep(&c.axes(x.shape())[..]),
        gradient "`g` times the product of all others",
        bad ["axis 0 of [2, 3] is named twice" => zeros([2, 3]).prod_keep([0, 0])],
        like "numpy.prod(axis, keepdims=True)";
    max: any(), [DISTINCT], |[x], _| Ok(x.max()),
        gradient "`g` to the largest, 0 to the others",
        gives [vector([1.0, 6.0, 2.0]).max() => [6.0]],
        like "numpy.max";
    max_axes: any(), [DISTINCT], |[x], mut c| x.max_axes(&c.axes(x.shape())[..]),
        gradient "`g` to the largest, 0 to the others",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).max_axes(2)],
        like "numpy.max(axis)";
    max_keep: any(), [DISTINCT], |[x], mut c| x.max_keep(&c.axes(x.shape())[..]),
        gradient "`g` to the largest, 0 to the others",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).max_keep(2)],
        like "numpy.max(axis, keepdims=True)";
    min: any(), [DISTINCT], |[x], _| Ok(x.min()),
        gradient "`g` to the smallest, 0 to the others",
        gives [vector([1.0, -6.0, 2.0]).min() => [-6.0]],
        like "numpy.min";
    min_axes: any(), [DISTINCT], |[x], mut c| x.min_axes(&c.axes(x.shape())[..]),
        gradient "`g` to the smallest, 0 to the others",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).min_axes(2)],
        like "numpy.min(axis)";
    min_keep: any(), [DISTINCT], |[x], mut c| x.min_keep(&c.axes(x.shape())[..]),
        gradient "`g` to the smallest, 0 to the others",
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).min_keep(2)],
        like "numpy.min(axis, keepdims=True)";
    log_sum_exp: any(), [SMALL], |[x], _| Ok(x.log_sum_exp()),
        gradient "`g softmax(x)`",
        gives [vector([1000.0, 1000.0]).log_sum_exp() => [1000.0 + std::f64::consts::LN_2]],
        like "scipy.special.logsumexp";
    log_sum_exp_axes: any(), [SMALL], |[x], mut c| x.log_sum_exp_axes(&c.axes(x.shape())[..]),
        gradient "`g softmax(x)`",
        bad ["axis 0 of [2, 3] is named twice" => zeros([2, 3]).log_sum_exp_axes([0, 0])],
        like "scipy.special.logsumexp(axis)";
    log_sum_exp_keep: any(), [SMALL], |[x], mut c| x.log_sum_exp_keep(&c.axes(x.shape())[..]),
        gradient "`g softmax(x)`",
        gives [vector([1000.0, 1000.0]).log_sum_exp_keep(0)? => [1000.0 + std::f64::consts::LN_2]],
        bad ["axis 2 is out of range for [2, 3]" => zeros([2, 3]).log_sum_exp_keep(2)],
        like "scipy.special.logsumexp(axis, keepdims=True)";
}
