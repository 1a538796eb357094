//! Arithmetic of two tensors.

use super::{DISTINCT, NONZERO, SMALL, each, pairs, vector, zeros};
use autodiff::{Add, Div, Mul, Op, Sub};

ops! {
    add: pairs(), [SMALL; 2], |[a, b], _| Ok(a + b),
        gradient "`g`, `g`",
        bad ["[2, 3] and [2] do not broadcast" => Add.apply(&[&zeros([2, 3]), &zeros([2])])],
        like "numpy.add";
    sub: pairs(), [SMALL; 2], |[a, b], _| Ok(a - b),
        gradient "`g`, `-g`",
        bad ["[2, 3] and [2] do not broadcast" => Sub.apply(&[&zeros([2, 3]), &zeros([2])])],
        like "numpy.subtract";
    mul: pairs(), [SMALL; 2], |[a, b], _| Ok(a * b),
        gradient "`g b`, `g a`",
        bad ["[2, 3] and [2] do not broadcast" => Mul.apply(&[&zeros([2, 3]), &zeros([2])])],
        like "numpy.multiply";
    div: pairs(), [SMALL, NONZERO], |[a, b], _| Ok(a / b),
        gradient "`g / b`, `-g y / b`",
        bad ["[2, 3] and [2] do not broadcast" => Div.apply(&[&zeros([2, 3]), &zeros([2])])],
        like "numpy.divide";
    neg: each(), [SMALL], |[x], _| Ok(-x),
        gradient "`-g`",
        like "numpy.negative";
    maximum: pairs(), [DISTINCT; 2], |[a, b], _| a.maximum(b),
        gradient "`g` to the larger, 0 to the other",
        gives [vector([1.0, f64::NAN]).maximum(&vector([3.0, 0.0]))? => [3.0, f64::NAN]],
        bad ["[2, 3] and [2, 4] do not broadcast" => zeros([2, 3]).maximum(&zeros([2, 4]))],
        like "numpy.maximum";
    minimum: pairs(), [DISTINCT; 2], |[a, b], _| a.minimum(b),
        gradient "`g` to the smaller, 0 to the other",
        gives [vector([1.0, 0.0]).minimum(&vector([3.0, f64::NAN]))? => [1.0, f64::NAN]],
        bad ["[2, 3] and [2, 4] do not broadcast" => zeros([2, 3]).minimum(&zeros([2, 4]))],
        like "numpy.minimum";
}
