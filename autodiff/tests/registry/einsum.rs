//! Sums of products over named axes.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{MAX_RANK, Tensor};

/// Equations for two tensors of one shape that has two axes or more.
const PAIRS: [&str; 10] = [
    "...ij,...kj->...ik",
    "...ij,...ij->...",
    "...ij,...ij->...ji",
    "...ij,...ij",
    "...ij,...ik->...kj",
    "...ij,...kj->k",
    "...ij,...kl->...",
    "...ij,...ij->j",
    "i...,i...->...",
    "...ij,...kj->...",
];

ops! {
    einsum: Shapes::alike(2..=MAX_RANK), [SMALL; 2], |[a, b], mut c| {
            match c.below(PAIRS.len() + 3) {
                // A chain, a diagonal, and what is used twice.
                10 => Tensor::einsum("...ij,...kj,...kl->...il", &[a, b, &a.exp()]),
                11 => Tensor::einsum("...ii->...i", &[&a.matmul(&b.t()?)?]),
                12 => Tensor::einsum("...ij,...j->...i", &[a, &b.sum_keep(-2)?.squeeze(-2)?]),
                pair => Tensor::einsum(PAIRS[pair], &[a, b]),
            }
        },
        gradient "the sum of products of `g` and the other factors, over the axes of `g` that it lacks",
        gives [
            Tensor::einsum("i,j", &[&vector([1.0, 2.0]), &vector([3.0, 4.0])])? => [3.0, 4.0, 6.0, 8.0],
            Tensor::einsum(" b a -> a b ", &[&vector([1.0, 2.0]).reshape([2, 1])?])? => [1.0, 2.0],
            Tensor::einsum("ba", &[&vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?])? => [1.0, 3.0, 2.0, 4.0],
            Tensor::einsum("ij,ij->i", &[&(zeros([2, 3]) + 1.0), &vector([1.0, 2.0]).reshape([2, 1])?])? => [3.0, 6.0],
        ],
        bad [
            "\"ij,jk\": `j` is 3 in [2, 3] and 4 in [4, 5]" => Tensor::einsum("ij,jk", &[&zeros([2, 3]), &zeros([4, 5])]),
            "\"ii\": `i` is 2 and 3 in [2, 3]" => Tensor::einsum("ii", &[&zeros([2, 3])]),
            "\"ij,jk\": 2 terms for 1 tensors" => Tensor::einsum("ij,jk", &[&zeros([2, 3])]),
            "\"ij\": `ij` names 2 axes, and [3] has 1" => Tensor::einsum("ij", &[&zeros([3])]),
            "\"i\": `i` names 1 axes, and [2, 3] has 2" => Tensor::einsum("i", &[&zeros([2, 3])]),
            "\"ij->k\": `k` of the output is in no term" => Tensor::einsum("ij->k", &[&zeros([2, 3])]),
            "\"ij->ii\": `i` is twice in the output" => Tensor::einsum("ij->ii", &[&zeros([2, 3])]),
            "\"i.\": `.` is no letter" => Tensor::einsum("i.", &[&zeros([2, 3])]),
            "`...i...` has two ellipses" => Tensor::einsum("...i...", &[&zeros([2, 3])]),
            "an axis of `...` is 2 in [2, 3] and 4 in [4, 3]" => Tensor::einsum("...i,...i", &[&zeros([2, 3]), &zeros([4, 3])]),
            "too many or too large" => Tensor::einsum("abcd,efgh", &[&zeros([1; 4]), &zeros([1; 4])]),
        ],
        like "numpy.einsum";
}
