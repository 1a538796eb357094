//! How alike vectors are.

use super::{POSITIVE, SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{Float, Result, Tensor};

/// Two that broadcast, with an axis at least.
fn with_axis<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Result<[Tensor<T>; 2]> {
    if a.rank().max(b.rank()) > 0 {
        Ok([a.clone(), b.clone()])
    } else {
        Ok([a.unsqueeze(0)?, b.unsqueeze(0)?])
    }
}

ops! {
    cosine_similarity: Shapes::broadcastable(), [SMALL, POSITIVE], |[a, b], mut c| {
            let [a, b] = with_axis(a, b)?;
            let shape = a.shape().broadcast(&b.shape()).expect("these shapes broadcast");
            (a + 3.0).cosine_similarity(&b, c.axis(shape), 1e-8)
        },
        gradient "`g (b / (|a| |b|) - y a / |a|²)` and the same with `a` and `b` exchanged",
        gives [
            vector([3.0, 4.0, 1.0, 0.0]).reshape([2, 2])?.cosine_similarity(&vector([3.0, 4.0]), -1, 1e-8)? => [1.0, 0.6],
            vector([0.0, 0.0]).cosine_similarity(&vector([3.0, 4.0]), 0, 1e-8)? => [0.0],
        ],
        bad [
            "[2, 3] and [2, 2] do not broadcast" => zeros([2, 3]).cosine_similarity(&zeros([2, 2]), 1, 0.1),
            "axis 2 is out of range for [2, 3]" => zeros([2, 3]).cosine_similarity(&zeros([3]), 2, 0.1),
        ],
        like "torch.nn.functional.cosine_similarity";
    pairwise_distance: Shapes::broadcastable(), [SMALL, POSITIVE], |[a, b], mut c| {
            let [a, b] = with_axis(a, b)?;
            let p = [2.0, 1.0, 3.0][c.below(3)];
            (a - 2.5).pairwise_distance(&b, p, 1e-6)
        },
        gradient "`g |a - b + ε|ᵖ⁻¹ sign(a - b + ε) / yᵖ⁻¹`, and the same negative",
        gives [vector([3.0, 4.0, 1.0, 0.0]).reshape([2, 2])?.pairwise_distance(&zeros([2]), 2.0, 0.0)? => [5.0, 1.0]],
        bad [
            "[2, 3] and [2, 2] do not broadcast" => zeros([2, 3]).pairwise_distance(&zeros([2, 2]), 2.0, 0.1),
            "axis -1 is out of range for []" => zeros([]).pairwise_distance(&zeros([]), 2.0, 0.1),
        ],
        like "torch.nn.functional.pairwise_distance";
}
