//! Normalisation of batches, of groups, of rows, and to length one.

use super::{NONZERO, SMALL, axes, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{Float, MAX_RANK, Result, Tensor};

/// The first element along every axis but that of the channels.
fn of_channels<T: Float>(w: &Tensor<T>) -> Result<Tensor<T>> {
    (2..w.rank() as isize).chain([0]).try_fold(w.clone(), |w, axis| w.slice(axis, 0..1))?.reshape([-1])
}

ops! {
    batch_norm: Shapes::alike(2..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], _| {
            // With a smaller ε, differences converge badly where the variance is 0.
            Ok(x.batch_norm(&of_channels(w)?, &of_channels(b)?, 0.5)?.0)
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
    group_norm: Shapes::alike(2..=MAX_RANK).filled(), [SMALL; 3], |[x, w, b], mut c| {
            let channels = x.shape().dim(1);
            let groups = 1 + c.below(channels);
            let groups = if channels % groups == 0 { groups } else { 1 };
            x.group_norm(groups, &of_channels(w)?, &of_channels(b)?, 0.5)
        },
        gradient "as `batch_norm`",
        gives [vector([1.0, 3.0, 10.0, 30.0]).reshape([1, 4])?.group_norm(2, &vector([1.0; 4]), &zeros([4]), 0.0)? => [-1.0, 1.0, -1.0, 1.0]],
        bad [
            "the 4 channels of [2, 4, 3] cannot be divided into 3 groups" => zeros([2, 4, 3]).group_norm(3, &zeros([4]), &zeros([4]), 0.1),
            "the 4 channels of [2, 4, 3] cannot be divided into 0 groups" => zeros([2, 4, 3]).group_norm(0, &zeros([4]), &zeros([4]), 0.1),
            "[2, 4, 3] against [3]" => zeros([2, 4, 3]).group_norm(2, &zeros([4]), &zeros([3]), 0.1),
            "[4] against [4]" => zeros([4]).group_norm(2, &zeros([4]), &zeros([4]), 0.1),
        ],
        like "torch.nn.functional.group_norm";
    instance_norm: Shapes::alike(2..=5).filled(), [SMALL; 3], |[x, w, b], _| {
            // What is stacked has its first axis for channels.
            let first = |w: &Tensor<_>| w.flatten(1)?.slice(1, 0..1)?.squeeze(1);
            Tensor::stack(&[x, &(x * 2.0)], 0)?.instance_norm(&first(w)?, &first(b)?, 0.5)
        },
        gradient "as `batch_norm`",
        gives [vector([1.0, 3.0, 10.0, 30.0]).reshape([2, 1, 2])?.instance_norm(&vector([1.0]), &zeros([1]), 0.0)? => [-1.0, 1.0, -1.0, 1.0]],
        bad [
            "[2, 3] has no axes after images and channels" => zeros([2, 3]).instance_norm(&zeros([3]), &zeros([3]), 0.1),
            "[2, 3, 4] against [2]" => zeros([2, 3, 4]).instance_norm(&zeros([2]), &zeros([3]), 0.1),
        ],
        like "torch.nn.functional.instance_norm";
    rms_norm: Shapes::alike(1..=MAX_RANK).filled(), [SMALL; 2], |[x, w], mut c| {
            let skipped = c.below(x.rank() + 1);
            x.rms_norm(&(0..skipped).try_fold(w.clone(), |w, _| w.slice(0, 0..1)?.squeeze(0))?, 0.5)
        },
        gradient "`(u - z mean(u z)) / √(mean(x²) + ε)` with `u = g weight` and `z` the normalised input, `Σ g z`",
        gives [vector([3.0, 4.0]).rms_norm(&vector([12.5f64.sqrt(); 2]), 0.0)? => [3.0, 4.0]],
        bad [
            "[2, 3] against [2]" => zeros([2, 3]).rms_norm(&zeros([2]), 0.1),
            "[3] against [2, 3]" => zeros([3]).rms_norm(&zeros([2, 3]), 0.1),
        ],
        like "torch.nn.functional.rms_norm";
    normalize: axes(), [NONZERO], |[x], mut c| {
            let p = [2.0, 1.0, 3.0][c.below(3)];
            x.normalize(p, c.axis(x.shape()), 1e-12)
        },
        gradient "`(g - y Σ g y) / |x|` for `p = 2`",
        gives [
            vector([3.0, 4.0, 0.0, 0.0]).reshape([2, 2])?.normalize(2.0, 1, 1e-12)? => [0.6, 0.8, 0.0, 0.0],
            vector([3.0, -4.0]).normalize(f64::INFINITY, 0, 1e-12)? => [0.75, -1.0],
            vector([0.0, 1.0]).normalize(2.0, 0, 2.0)? => [0.0, 0.5],
        ],
        bad [
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).normalize(2.0, 2, 0.1),
        ],
        like "torch.nn.functional.normalize";
}
