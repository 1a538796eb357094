//! Padding.

use super::reader::Options;
use autodiff::PadMode;

fn mode(o: &Options) -> PadMode {
    match o.text("mode") {
        "constant" => PadMode::Constant(0.75),
        "reflect" => PadMode::Reflect,
        "replicate" => PadMode::Replicate,
        mode => {
            assert_eq!(mode, "circular");
            PadMode::Circular
        }
    }
}

/// The pairs of widths, which are written one after the other.
fn widths(o: &Options) -> Vec<(usize, usize)> {
    o.ints("widths").chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

calls! { "pad";
    pad: |x, o| x[0].pad(&widths(o), mode(o))?;
}
