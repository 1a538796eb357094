//! Pooling over windows of an image.

use super::{DISTINCT, SMALL, vector, zeros};
use autodiff::PoolOptions;
use autodiff::check::property::Shapes;

ops! {
    max_pool2d: Shapes::poolings(), [DISTINCT], |[x], mut c| x.max_pool2d(c.pool_options()),
        gradient "`g` to the largest of the window, 0 to the others",
        gives [vector([1.0, 4.0, 3.0, 2.0]).reshape([1, 1, 2, 2])?.max_pool2d(PoolOptions::square(2))? => [4.0]],
        bad [
            "the window [3, 3] is larger than the input [1, 3, 2, 2]" => zeros([1, 3, 2, 2]).max_pool2d(PoolOptions::square(3)),
            "[3, 2, 2] has rank 3, but rank 4 is needed" => zeros([3, 2, 2]).max_pool2d(PoolOptions::square(2)),
            "must not be 0" => zeros([1, 3, 2, 2]).max_pool2d(PoolOptions::square(0)),
            "padding [2, 0] is more than half the window [2, 2]" =>
                zeros([1, 3, 2, 2]).max_pool2d(PoolOptions { padding: [2, 0], ..PoolOptions::square(2) }),
        ],
        like "torch.nn.functional.max_pool2d";
    avg_pool2d: Shapes::poolings(), [SMALL], |[x], mut c| x.avg_pool2d(c.pool_options()),
        gradient "`g / n` to each of the window",
        gives [vector([1.0, 4.0, 3.0, 2.0]).reshape([1, 1, 2, 2])?.avg_pool2d(PoolOptions::square(2))? => [2.5]],
        bad [
            "the window [3, 3] is larger than the input [1, 3, 2, 2]" => zeros([1, 3, 2, 2]).avg_pool2d(PoolOptions::square(3)),
            "[3, 2, 2] has rank 3, but rank 4 is needed" => zeros([3, 2, 2]).avg_pool2d(PoolOptions::square(2)),
        ],
        like "torch.nn.functional.avg_pool2d";
}
