//! Resizing.

use super::reader::Options;
use autodiff::Interpolation;

/// How entries are found.
fn mode(o: &Options) -> Interpolation {
    match o.text("mode") {
        "nearest" => Interpolation::Nearest,
        other => Interpolation::Linear { align_corners: other == "aligned" },
    }
}

calls! { "resize";
    interpolate: |x, o| x[0].interpolate(o.ints("sizes"), mode(o))?;
    interpolate_by: |x, o| x[0].interpolate_by(o.floats("sizes"), mode(o))?;
    pixel_shuffle: |x, o| x[0].pixel_shuffle(o.int("r"))?;
    pixel_unshuffle: |x, o| x[0].pixel_unshuffle(o.int("r"))?;
}
