//! Comparisons, and the choice between two tensors.

use super::{DISTINCT, NONZERO, SMALL, pairs, vector, zeros};
use autodiff::Tensor;
use autodiff::check::property::Shapes;

/// Less, equal, greater, and what compares with nothing.
fn left() -> Tensor<f64> {
    vector([1.0, 2.0, 3.0, f64::NAN])
}

fn right() -> Tensor<f64> {
    vector([2.0, 2.0, 2.0, f64::NAN])
}

ops! {
    select: Shapes::broadcastable().elementwise(), [NONZERO, SMALL, SMALL], |[mask, a, b], _| mask.detach().step().select(a, b),
        gradient "`g` where it was chosen, else 0; none to the mask",
        gives [vector([1.0, 0.0]).select(&vector([5.0]), &vector([f64::NAN, 7.0]))? => [5.0, 7.0]],
        bad [
            "[2, 3] and [4] do not broadcast" => zeros([2, 3]).select(&zeros([4]), &zeros([])),
            "do not broadcast" => zeros([2, 3]).select(&zeros([]), &zeros([2])),
        ],
        like "numpy.where";
    masked_fill: Shapes::broadcastable(), [SMALL, NONZERO], |[x, mask], _| {
            let shape = x.shape().broadcast(&mask.shape()).expect("these shapes broadcast");
            x.broadcast_to(shape)?.masked_fill(&mask.detach().step(), 0.5)
        },
        gradient "`g` where it was left, else 0; none to the mask",
        gives [vector([1.0, f64::NAN, 3.0]).masked_fill(&vector([0.0, 1.0, 0.0]), -1.0)? => [1.0, -1.0, 3.0]],
        bad ["cannot broadcast [3] to [2]" => zeros([2]).masked_fill(&zeros([3]), 0.0)],
        like "torch.masked_fill";
    eq: pairs(), [DISTINCT; 2], |[a, b], _| a.eq(b),
        gives [left().eq(&right())? => [0.0, 1.0, 0.0, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).eq(&zeros([2]))],
        like "numpy.equal";
    ne: pairs(), [DISTINCT; 2], |[a, b], _| a.ne(b),
        gives [left().ne(&right())? => [1.0, 0.0, 1.0, 1.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).ne(&zeros([2]))],
        like "numpy.not_equal";
    lt: pairs(), [DISTINCT; 2], |[a, b], _| a.lt(b),
        gives [left().lt(&right())? => [1.0, 0.0, 0.0, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).lt(&zeros([2]))],
        like "numpy.less";
    le: pairs(), [DISTINCT; 2], |[a, b], _| a.le(b),
        gives [left().le(&right())? => [1.0, 1.0, 0.0, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).le(&zeros([2]))],
        like "numpy.less_equal";
    gt: pairs(), [DISTINCT; 2], |[a, b], _| a.gt(b),
        gives [left().gt(&right())? => [0.0, 0.0, 1.0, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).gt(&zeros([2]))],
        like "numpy.greater";
    ge: pairs(), [DISTINCT; 2], |[a, b], _| a.ge(b),
        gives [left().ge(&right())? => [0.0, 1.0, 1.0, 0.0]],
        bad ["[2, 3] and [2] do not broadcast" => zeros([2, 3]).ge(&zeros([2]))],
        like "numpy.greater_equal";
}
