//! Matrix products.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::check::strategies::shapes;
use autodiff::{Float, MAX_RANK, Result, Shape, Tensor};
use proptest::prelude::Strategy;

/// The elements of a tensor as a vector.
fn flat<T: Float>(x: &Tensor<T>) -> Result<Tensor<T>> {
    x.reshape([x.size() as isize])
}

/// Rows, a weight for them and a bias.
fn affine_maps() -> Shapes<3> {
    let random = (shapes(1..=4), 0..5_usize)
        .prop_map(|(x, columns)| [x, Shape::from([x.dim(x.rank() - 1), columns]), Shape::from([columns])]);
    Shapes::drawn(random, [&[60, 5, 200], &[200, 200], &[200]])
}

ops! {
    matmul: Shapes::products(), [SMALL; 2], |[a, b], _| a.matmul(b),
        gradient "`g bᵀ`, `aᵀ g`",
        gives [vector([1.0, 2.0, 3.0, 4.0]).reshape([2, 2])?.matmul(&vector([1.0, 10.0]))? => [21.0, 43.0]],
        bad [
            "cannot multiply [64, 784] by [100, 784]: 784 and 100 differ" => zeros([64, 784]).matmul(&zeros([100, 784])),
            "cannot multiply [2, 3, 4] by [3, 4, 5]: their batch axes do not broadcast" => zeros([2, 3, 4]).matmul(&zeros([3, 4, 5])),
            "cannot multiply [3] by []: a single number is no matrix" => zeros([3]).matmul(&zeros([])),
        ],
        like "numpy.matmul";
    affine: affine_maps(), [SMALL; 3], |[x, w, b], _| x.affine(w, b),
        gradient "`g Wᵀ`, `xᵀ g`, `Σ g`",
        gives [vector([1.0, 2.0]).affine(&vector([3.0, 4.0, 5.0, 6.0]).reshape([2, 2])?, &vector([0.5, -0.5]))? => [13.5, 15.5]],
        bad [
            "cannot multiply [64, 784] by [100, 784]: 784 and 100 differ" => zeros([64, 784]).affine(&zeros([100, 784]), &zeros([784])),
            "[3] has rank 1, but rank 2 is needed" => zeros([2, 3]).affine(&zeros([3]), &zeros([1])),
            "a bias has an entry for each column of the weight: [3] against [3, 4]" => zeros([2, 3]).affine(&zeros([3, 4]), &zeros([3])),
        ],
        like "torch.addmm";
    dot: Shapes::alike(0..=MAX_RANK), [SMALL; 2], |[a, b], _| flat(a)?.dot(&flat(b)?),
        gradient "`g b`, `g a`",
        gives [vector([1.0, 2.0]).dot(&vector([3.0, 4.0]))? => [11.0]],
        bad [
            "cannot multiply [3] by [2]: 3 and 2 differ" => zeros([3]).dot(&zeros([2])),
            "[2, 3] has rank 2, but rank 1 is needed" => zeros([2, 3]).dot(&zeros([3])),
        ],
        like "torch.dot";
    outer: Shapes::alike(0..=MAX_RANK), [SMALL; 2], |[a, b], _| {
            let few = a.size().min(5 + a.size() / 1000);
            flat(a)?.slice(0, 0..few)?.outer(&flat(b)?.slice(0, 0..few)?)
        },
        gradient "`g b`, `gᵀ a`",
        gives [vector([1.0, 2.0]).outer(&vector([3.0, 4.0]))? => [3.0, 4.0, 6.0, 8.0]],
        bad ["[2, 3] has rank 2, but rank 1 is needed" => zeros([2, 3]).outer(&zeros([3]))],
        like "numpy.outer";
}
