//! Normalisation of batches and of rows.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{MAX_RANK, Tensor};

ops! {
    batch_norm: Shapes::alike(2..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], _| {
            // With a smaller ε, differences converge badly where the variance is 0.
            // Weights and biases a channel: the first element along every axis but that of the channels.
            let others = (2..x.rank() as isize).chain([0]);
            let first = |w: &Tensor<_>| others.clone().try_fold(w.clone(), |w, axis| w.slice(axis, 0..1))?.reshape([-1]);
            Ok(x.batch_norm(&first(w)?, &first(b)?, 0.5)?.0)
        },
        gradient "`(u - mean(u) - z mean(u z)) / √(variance + ε)` with `u = g weight` and `z` the normalised input, `Σ g z`, `Σ g`",
        gives [vector([1.0, 10.0, 3.0, 30.0]).reshape([2, 2])?.batch_norm(&vector([1.0; 2]), &zeros([2]), 0.0)?.0 => [-1.0, -1.0, 1.0, 1.0]],
        bad [
            "[2, 3] against [2]" => zeros([2, 3]).batch_norm(&zeros([2]), &zeros([3]), 0.1),
            "[2, 3] against [1]" => zeros([2, 3]).batch_norm(&zeros([3]), &zeros([1]), 0.1),
            "[3] against [3]" => zeros([3]).batch_norm(&zeros([3]), &zeros([3]), 0.1),
        ],
        like "torch.nn.functional.batch_norm";
    layer_norm: Shapes::alike(1..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], mut c| {
            let skipped = c.below(x.rank() + 1);
            let last = |w: &Tensor<_>| (0..skipped).try_fold(w.clone(), |w, _| w.slice(0, 0..1)?.squeeze(0));
            x.layer_norm(&last(w)?, &last(b)?, 0.5)
        },
        gradient "as `batch_norm`, along the last axes",
        gives [vector([1.0, 3.0, 10.0, 30.0]).reshape([2, 2])?.layer_norm(&vector([1.0; 2]), &zeros([2]), 0.0)? => [-1.0, 1.0, -1.0, 1.0]],
        bad [
            "[2, 3] against [2]" => zeros([2, 3]).layer_norm(&zeros([2]), &zeros([2]), 0.1),
            "[2, 3] against [2, 3]" => zeros([2, 3]).layer_norm(&zeros([3]), &zeros([2, 3]), 0.1),
            "[3] against [2, 3]" => zeros([3]).layer_norm(&zeros([2, 3]), &zeros([2, 3]), 0.1),
        ],
        like "torch.nn.functional.layer_norm";
}
