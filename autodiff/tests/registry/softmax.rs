//! Softmax and the cross-entropy of a classification.

use super::{POSITIVE, SMALL, axes, extent, vector, zeros};
use autodiff::check::property::Shapes;

ops! {
    softmax: axes(), [SMALL], |[x], mut c| x.softmax(c.axis(x.shape())),
        gradient "`y (g - Σ g y)`",
        gives [vector([1000.0, 1000.0]).softmax(0)? => [0.5, 0.5]],
        bad ["axis -3 is out of range for [2, 3]" => zeros([2, 3]).softmax(-3)],
        like "scipy.special.softmax";
    softmin: axes(), [SMALL], |[x], mut c| x.softmin(c.axis(x.shape())),
        gradient "`y (Σ g y - g)`",
        gives [vector([-1000.0, -1000.0]).softmin(0)? => [0.5, 0.5]],
        bad ["axis -3 is out of range for [2, 3]" => zeros([2, 3]).softmin(-3)],
        like "torch.nn.functional.softmin";
    log_softmax: axes(), [SMALL], |[x], mut c| x.log_softmax(c.axis(x.shape())),
        gradient "`g - softmax(x) Σ g`",
        gives [vector([1000.0, 1000.0]).log_softmax(0)? => [-std::f64::consts::LN_2; 2]],
        bad ["axis -3 is out of range for [2, 3]" => zeros([2, 3]).log_softmax(-3)],
        like "scipy.special.log_softmax";
    cross_entropy: axes().filled(), [SMALL], |[x], mut c| {
            let classes = extent(x, -1)?;
            x.cross_entropy(&c.indices(classes, x.size() / classes))
        },
        gradient "`g (softmax(x) - one_hot) / rows`",
        gives [(zeros([1, 4]) + 1000.0).cross_entropy(&[2])? => [2.0 * std::f64::consts::LN_2]],
        bad [
            "label 10 at position 1 is out of range for 10 classes" => zeros([2, 10]).cross_entropy(&[3, 10]),
            "1 labels for the 2 rows of [2, 10]" => zeros([2, 10]).cross_entropy(&[3]),
            "axis -1 is out of range for []" => zeros([]).cross_entropy(&[0]),
        ],
        like "torch.nn.functional.cross_entropy";
    soft_cross_entropy: Shapes::alike(1..=6).filled(), [SMALL, POSITIVE], |[x, p], _| x.soft_cross_entropy(p),
        gradient "`g (softmax(x) Σ p - p) / rows`, `-g ln softmax(x) / rows`",
        gives [zeros([1, 2]).soft_cross_entropy(&vector([0.25, 0.75]).reshape([1, 2])?)? => [std::f64::consts::LN_2]],
        bad [
            "[2, 10] against [2, 9]" => zeros([2, 10]).soft_cross_entropy(&zeros([2, 9])),
            "axis -1 is out of range for []" => zeros([]).soft_cross_entropy(&zeros([])),
        ],
        like "torch.nn.functional.cross_entropy";
}
