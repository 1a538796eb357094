//! Padding.

use super::{SMALL, any, vector, zeros};
use autodiff::PadMode;

ops! {
    pad: any(), [SMALL], |[x], mut c| {
            let modes = [PadMode::Constant(0.5), PadMode::Replicate, PadMode::Reflect, PadMode::Circular];
            let mode = modes[c.below(4)];
            let first = c.below(x.rank() + 1);
            let mut width = |n: usize| {
                c.below(match mode {
                    PadMode::Reflect => n.clamp(1, 3),
                    PadMode::Circular | PadMode::Replicate => n.min(2) + 1,
                    PadMode::Constant(_) => 3,
                })
            };
            let widths: Vec<_> = x.shape().iter().skip(first).map(|n| (width(n), width(n))).collect();
            x.pad(&widths, mode)
        },
        gradient "the part of `g` within, and to each element what it was repeated as",
        gives [
            vector([1.0, 2.0]).pad(&[(1, 2)], 0.5)? => [0.5, 1.0, 2.0, 0.5, 0.5],
            vector([1.0, 2.0, 3.0]).pad(&[(2, 1)], PadMode::Reflect)? => [3.0, 2.0, 1.0, 2.0, 3.0, 2.0],
            vector([1.0, 2.0, 3.0]).pad(&[(2, 1)], PadMode::Replicate)? => [1.0, 1.0, 1.0, 2.0, 3.0, 3.0],
            vector([1.0, 2.0, 3.0]).pad(&[(2, 1)], PadMode::Circular)? => [2.0, 3.0, 1.0, 2.0, 3.0, 1.0],
        ],
        bad [
            "3 pairs of widths for [2, 3], which has 2 axes" => zeros([2, 3]).pad(&[(1, 1); 3], 0.0),
            "(0, 3) more by Reflect for the 3 entries of axis 1" => zeros([2, 3]).pad(&[(0, 3)], PadMode::Reflect),
            "(4, 0) more by Circular for the 3 entries of axis 1" => zeros([2, 3]).pad(&[(4, 0)], PadMode::Circular),
            "(1, 0) more by Replicate for the 0 entries of axis 0" => zeros([0]).pad(&[(1, 0)], PadMode::Replicate),
            "too many or too large" => zeros([2]).pad(&[(1, usize::MAX)], 0.0),
        ],
        like "numpy.pad";
}
