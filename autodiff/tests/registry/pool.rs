//! Pooling over windows of an image, or over the bins that divide it.

use super::{DISTINCT, SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{Float, PoolOptions, Result, Tensor};

/// The first rows of images, as sequences.
fn rows<T: Float>(x: &Tensor<T>) -> Result<Tensor<T>> {
    x.slice(2, 0..1)?.squeeze(2)
}

/// The windows along the width.
fn wide(PoolOptions { kernel, stride, padding }: PoolOptions) -> PoolOptions<1> {
    PoolOptions { kernel: [kernel[1]], stride: [stride[1]], padding: [padding[1]] }
}

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
    max_pool1d: Shapes::poolings(), [DISTINCT], |[x], mut c| rows(x)?.max_pool1d(wide(c.pool_options())),
        gradient "`g` to the largest of the window, 0 to the others",
        gives [vector([1.0, 4.0, 3.0, 2.0]).reshape([1, 1, 4])?.max_pool1d(PoolOptions::new([3]))? => [4.0]],
        bad [
            "the window [3] is larger than the input [1, 3, 2]" => zeros([1, 3, 2]).max_pool1d(PoolOptions::new([3])),
            "[1, 3, 2, 2] has rank 4, but rank 3 is needed" => zeros([1, 3, 2, 2]).max_pool1d(PoolOptions::new([2])),
        ],
        like "torch.nn.functional.max_pool1d";
    avg_pool1d: Shapes::poolings(), [SMALL], |[x], mut c| rows(x)?.avg_pool1d(wide(c.pool_options())),
        gradient "`g / n` to each of the window",
        gives [vector([1.0, 4.0, 3.0, 2.0]).reshape([1, 1, 4])?.avg_pool1d(PoolOptions::new([2]))? => [2.5, 2.5]],
        bad [
            "the window [3] is larger than the input [1, 3, 2]" => zeros([1, 3, 2]).avg_pool1d(PoolOptions::new([3])),
            "[1, 3, 2, 2] has rank 4, but rank 3 is needed" => zeros([1, 3, 2, 2]).avg_pool1d(PoolOptions::new([2])),
        ],
        like "torch.nn.functional.avg_pool1d";
    adaptive_max_pool2d: Shapes::poolings(), [DISTINCT], |[x], mut c| x.adaptive_max_pool2d(c.pool_options().kernel),
        gradient "`g` to the largest of the bin, 0 to the others",
        gives [vector([1.0, 4.0, 3.0, 2.0, 6.0, 5.0]).reshape([1, 1, 2, 3])?.adaptive_max_pool2d([1, 2])? => [6.0, 6.0]],
        bad [
            "[1, 3, 4, 4] cannot be divided into [0, 2] bins" => zeros([1, 3, 4, 4]).adaptive_max_pool2d([0, 2]),
            "[1, 3, 0, 4] cannot be divided into [2, 2] bins" => zeros([1, 3, 0, 4]).adaptive_max_pool2d([2, 2]),
            "[3, 4, 4] has rank 3, but rank 4 is needed" => zeros([3, 4, 4]).adaptive_max_pool2d([2, 2]),
        ],
        like "torch.nn.functional.adaptive_max_pool2d";
    adaptive_avg_pool2d: Shapes::poolings(), [SMALL], |[x], mut c| x.adaptive_avg_pool2d(c.pool_options().kernel),
        gradient "`g / n` to each of the bin",
        gives [vector([1.0, 4.0, 3.0, 2.0, 6.0, 5.0]).reshape([1, 1, 2, 3])?.adaptive_avg_pool2d([1, 2])? => [3.25, 4.5]],
        bad [
            "[1, 3, 4, 4] cannot be divided into [2, 0] bins" => zeros([1, 3, 4, 4]).adaptive_avg_pool2d([2, 0]),
            "[3, 4, 4] has rank 3, but rank 4 is needed" => zeros([3, 4, 4]).adaptive_avg_pool2d([2, 2]),
        ],
        like "torch.nn.functional.adaptive_avg_pool2d";
    adaptive_max_pool1d: Shapes::poolings(), [DISTINCT], |[x], mut c| rows(x)?.adaptive_max_pool1d(c.pool_options().kernel[1]),
        gradient "`g` to the largest of the bin, 0 to the others",
        gives [vector([1.0, 4.0, 3.0]).reshape([1, 1, 3])?.adaptive_max_pool1d(2)? => [4.0, 4.0]],
        bad [
            "[1, 3, 4] cannot be divided into [0] bins" => zeros([1, 3, 4]).adaptive_max_pool1d(0),
            "[3, 4] has rank 2, but rank 3 is needed" => zeros([3, 4]).adaptive_max_pool1d(2),
        ],
        like "torch.nn.functional.adaptive_max_pool1d";
    adaptive_avg_pool1d: Shapes::poolings(), [SMALL], |[x], mut c| rows(x)?.adaptive_avg_pool1d(c.pool_options().kernel[1]),
        gradient "`g / n` to each of the bin",
        gives [vector([1.0, 4.0, 3.0]).reshape([1, 1, 3])?.adaptive_avg_pool1d(2)? => [2.5, 3.5]],
        bad [
            "[1, 3, 4] cannot be divided into [0] bins" => zeros([1, 3, 4]).adaptive_avg_pool1d(0),
            "[3, 4] has rank 2, but rank 3 is needed" => zeros([3, 4]).adaptive_avg_pool1d(2),
        ],
        like "torch.nn.functional.adaptive_avg_pool1d";
}
