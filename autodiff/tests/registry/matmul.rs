//! Matrix products.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;

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
}
