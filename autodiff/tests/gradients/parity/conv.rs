//! Convolution.

use super::reader::Options;
use autodiff::{ConvOptions, ConvTransposeOptions};

/// A number for each axis, `other` if there is none.
fn sizes<const D: usize>(o: &Options, name: &str, other: usize) -> [usize; D] {
    if o.has(name) { o.ints(name).try_into().expect("a number for each axis") } else { [other; D] }
}

fn groups(o: &Options) -> usize {
    if o.has("groups") { o.int("groups") } else { 1 }
}

fn plain<const D: usize>(o: &Options) -> ConvOptions<D> {
    ConvOptions {
        stride: sizes(o, "stride", 1),
        padding: sizes(o, "padding", 0),
        dilation: sizes(o, "dilation", 1),
        groups: groups(o),
    }
}

fn transposed<const D: usize>(o: &Options) -> ConvTransposeOptions<D> {
    let ConvOptions { stride, padding, dilation, groups } = plain(o);
    let output_padding = sizes(o, "output_padding", 0);
    ConvTransposeOptions { stride, padding, output_padding, dilation, groups }
}

calls! { "conv";
    conv1d: |x, o| x[0].conv1d(&x[1], x.get(2), plain(o))?;
    conv2d: |x, o| x[0].conv2d(&x[1], x.get(2), plain(o))?;
    conv3d: |x, o| x[0].conv3d(&x[1], x.get(2), plain(o))?;
    conv_transpose1d: |x, o| x[0].conv_transpose1d(&x[1], x.get(2), transposed(o))?;
    conv_transpose2d: |x, o| x[0].conv_transpose2d(&x[1], x.get(2), transposed(o))?;
}
