//! Recurrent layers through time.

use super::{Domain, SMALL, vector, zeros};
use autodiff::Shape;
use autodiff::check::property::Shapes;
use proptest::prelude::*;

/// Numbers whose sums stay away from the kink at 0.
const POSITIVE: Domain = Domain::Positive;

/// The shapes of runs with so many gates and biases: input, weight, bias, and what they start from.
fn runs<const N: usize>(gates: usize, biases: usize) -> Shapes<N> {
    let shapes = move |(time, batch, units): (usize, usize, usize)| -> [Shape; N] {
        let all = [
            vec![time, batch, gates * units],
            vec![units, gates * units],
            vec![biases * units],
            vec![batch, units],
            vec![batch, units],
        ];
        std::array::from_fn(|i| Shape::from(all[i].as_slice()))
    };
    let large = shapes((12, 40, 66)).map(|shape| shape.to_vec());
    Shapes::drawn(
        (0..4usize, 0..3usize, 0..3usize).prop_map(shapes),
        std::array::from_fn(|i| large[i].as_slice()),
    )
}

ops! {
    lstm: runs(4, 4), [SMALL; 5], |[x, w, b, h, c], mut choice| {
            let (hidden, cell) = x.lstm(w, b, h, c)?;
            if choice.flag() { Ok(hidden) } else { Ok(cell) }
        },
        gradient "back through time, step by step; to the weight `Σ h(t-1)ᵀ g(t)`",
        gives [vector([0.0, 0.0, 1.0, 0.0]).reshape([1, 1, 4])?
            .lstm(&zeros([1, 4]), &zeros([4]), &zeros([1, 1]), &zeros([1, 1]))?.1 => [0.5 * 0.761_594_155_955_764_9]],
        bad [
            "[2, 12] has rank 2, but rank 3 is needed: [time, batch, gates · units]" =>
                zeros([2, 12]).lstm(&zeros([3, 12]), &zeros([12]), &zeros([2, 3]), &zeros([2, 3])),
            "[3] has rank 1, but rank 2 is needed: [batch, units]" =>
                zeros([5, 2, 12]).lstm(&zeros([3, 12]), &zeros([12]), &zeros([3]), &zeros([2, 3])),
            "the input must be [time, batch, gates · units]: [5, 2, 12] against [5, 2, 9]" =>
                zeros([5, 2, 9]).lstm(&zeros([3, 12]), &zeros([12]), &zeros([2, 3]), &zeros([2, 3])),
            "the weight must be [units, gates · units]: [3, 12] against [12, 3]" =>
                zeros([5, 2, 12]).lstm(&zeros([12, 3]), &zeros([12]), &zeros([2, 3]), &zeros([2, 3])),
            "the cells to start from must be [batch, units]: [2, 3] against [1, 3]" =>
                zeros([5, 2, 12]).lstm(&zeros([3, 12]), &zeros([12]), &zeros([2, 3]), &zeros([1, 3])),
        ],
        like "torch.lstm";
    gru: runs(3, 4), [SMALL; 4], |[x, w, b, h], _| x.gru(w, b, h),
        gradient "back through time, step by step; to the weight `Σ h(t-1)ᵀ g(t)`",
        gives [vector([0.0, 0.0, 1.0]).reshape([1, 1, 3])?
            .gru(&zeros([1, 3]), &zeros([4]), &(zeros([1, 1]) + 1.0))? => [0.5 * (1.0 + 0.761_594_155_955_764_9)]],
        bad [
            "the bias must be [biases · units]: [12] against [9]" =>
                zeros([5, 2, 9]).gru(&zeros([3, 9]), &zeros([9]), &zeros([2, 3])),
        ],
        like "torch.gru";
    rnn_tanh: runs(1, 1), [SMALL; 4], |[x, w, b, h], _| x.rnn_tanh(w, b, h),
        gradient "back through time, step by step; to the weight `Σ h(t-1)ᵀ g(t)`",
        gives [vector([1.0]).reshape([1, 1, 1])?.rnn_tanh(&zeros([1, 1]), &zeros([1]), &zeros([1, 1]))? => [0.761_594_155_955_764_9]],
        bad [
            "the weight must be [units, gates · units]: [3, 3] against [2, 3]" =>
                zeros([5, 2, 3]).rnn_tanh(&zeros([2, 3]), &zeros([3]), &zeros([2, 3])),
        ],
        like "torch.rnn_tanh";
    rnn_relu: runs(1, 1), [POSITIVE; 4], |[x, w, b, h], _| x.rnn_relu(w, b, h),
        gradient "back through time, step by step; to the weight `Σ h(t-1)ᵀ g(t)`",
        gives [vector([1.0, -2.0, 3.0]).reshape([3, 1, 1])?.rnn_relu(&(zeros([1, 1]) + 1.0), &zeros([1]), &zeros([1, 1]))? => [1.0, 0.0, 3.0]],
        bad [
            "the bias must be [biases · units]: [3] against [2]" =>
                zeros([5, 2, 3]).rnn_relu(&zeros([3, 3]), &zeros([2]), &zeros([2, 3])),
        ],
        like "torch.rnn_relu";
}
