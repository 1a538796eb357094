//! Resizing the axes of space.

use super::{SMALL, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::check::strategies::Choice;
use autodiff::{Interpolation, Tensor};

/// Sizes for images, and how they come about.
fn target(mut choice: Choice) -> ([usize; 2], Interpolation) {
    let options = choice.pool_options();
    let mode = match options.padding {
        [0, 0] => Interpolation::Nearest,
        [first, _] => Interpolation::Linear { align_corners: first == 1 },
    };
    (std::array::from_fn(|axis| options.kernel[axis] * options.stride[axis]), mode)
}

ops! {
    interpolate: Shapes::poolings(), [SMALL], |[x], c| {
            let (size, mode) = target(c);
            x.interpolate(size, mode)
        },
        gradient "to each entry the sum of `g` times its weights",
        gives [
            vector([0.0, 2.0]).reshape([1, 1, 2])?.interpolate([3], Interpolation::Nearest)? => [0.0, 0.0, 2.0],
            // The product with a rounded 2 / 98 would be less than 1.
            vector([0.0, 2.0]).reshape([1, 1, 2])?.interpolate([98], Interpolation::Nearest)?.slice(2, 48..50)? => [0.0, 2.0],
            vector([0.0, 2.0]).reshape([1, 1, 2])?.interpolate([4], Interpolation::Linear { align_corners: false })? => [0.0, 0.5, 1.5, 2.0],
            vector([0.0, 2.0]).reshape([1, 1, 2])?.interpolate([5], Interpolation::Linear { align_corners: true })? => [0.0, 0.5, 1.0, 1.5, 2.0],
        ],
        bad [
            "1 sizes for the axes of [1, 3, 4, 4]" => zeros([1, 3, 4, 4]).interpolate([8], Interpolation::Nearest),
            "0 sizes for the axes of [1, 3]" => zeros([1, 3]).interpolate([], Interpolation::Nearest),
            "[1, 3, 4, 4] cannot be resized to [0, 2]" => zeros([1, 3, 4, 4]).interpolate([0, 2], Interpolation::Nearest),
            "[1, 3, 0, 4] cannot be resized to [2, 2]" => zeros([1, 3, 0, 4]).interpolate([2, 2], Interpolation::Nearest),
            "too many or too large" => zeros([1, 3, 4]).interpolate([usize::MAX], Interpolation::Nearest),
        ],
        like "torch.nn.functional.interpolate(size)";
    interpolate_by: Shapes::poolings(), [SMALL], |[x], c| {
            let (size, mode) = target(c);
            x.interpolate_by(size.map(|size| size as f64 * 0.75 + 0.5), mode)
        },
        gradient "to each entry the sum of `g` times its weights",
        gives [vector([0.0, 2.0]).reshape([1, 1, 2])?.interpolate_by([1.5], Interpolation::Nearest)? => [0.0, 0.0, 2.0]],
        bad [
            "1 sizes for the axes of [1, 3, 4, 4]" => zeros([1, 3, 4, 4]).interpolate_by([2.0], Interpolation::Nearest),
            "[1, 3, 4, 4] cannot be resized to [0, 8]" => zeros([1, 3, 4, 4]).interpolate_by([0.1, 2.0], Interpolation::Nearest),
            "[1, 3, 4, 4] cannot be resized to [0, 0]" => zeros([1, 3, 4, 4]).interpolate_by([-1.0, f64::NAN], Interpolation::Nearest),
        ],
        like "torch.nn.functional.interpolate(scale_factor)";
    pixel_shuffle: Shapes::poolings(), [SMALL], |[x], mut c| {
            let r = c.pool_options().stride[0];
            let channels: Vec<_> = (0..r * r).map(|i| x * (i as f64 + 0.5)).collect();
            Tensor::cat(&channels.iter().collect::<Vec<_>>(), 1)?.pixel_shuffle(r)
        },
        gradient "`g` in the order of `x`",
        gives [vector([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).reshape([4, 1, 2])?.pixel_shuffle(2)? => [1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]],
        bad [
            "the 6 channels of [1, 6, 2, 2] are no multiple of 2²" => zeros([1, 6, 2, 2]).pixel_shuffle(2),
            "the 6 channels of [1, 6, 2, 2] are no multiple of 0²" => zeros([1, 6, 2, 2]).pixel_shuffle(0),
            "[4, 2] has rank 2, but channels, height and width are needed" => zeros([4, 2]).pixel_shuffle(2),
        ],
        like "torch.nn.functional.pixel_shuffle";
    pixel_unshuffle: Shapes::poolings(), [SMALL], |[x], mut c| {
            let r = c.pool_options().stride[0];
            let doubled = |x: &Tensor<_>, axis| {
                let parts: Vec<_> = (0..r).map(|i| x * (i as f64 + 0.5)).collect();
                Tensor::cat(&parts.iter().collect::<Vec<_>>(), axis)
            };
            doubled(&doubled(x, 2)?, 3)?.pixel_unshuffle(r)
        },
        gradient "`g` in the order of `x`",
        gives [vector([1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0]).reshape([1, 2, 4])?.pixel_unshuffle(2)? => [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]],
        bad [
            "height and width of [1, 1, 3, 2] are no multiples of 2" => zeros([1, 1, 3, 2]).pixel_unshuffle(2),
            "no multiples of 0" => zeros([1, 1, 2, 2]).pixel_unshuffle(0),
            "[4, 2] has rank 2, but channels, height and width are needed" => zeros([4, 2]).pixel_unshuffle(2),
        ],
        like "torch.nn.functional.pixel_unshuffle";
}
