//! Pooling.

use super::reader::Options;
use autodiff::PoolOptions;

/// The windows of a case.
fn windows<const D: usize>(o: &Options) -> PoolOptions<D> {
    let sizes = |name| o.ints(name).try_into().expect("a size for each axis");
    PoolOptions { kernel: sizes("kernel"), stride: sizes("stride"), padding: sizes("padding") }
}

/// Height and width.
fn pair(o: &Options) -> [usize; 2] {
    o.ints("size").try_into().expect("two sizes")
}

calls! { "pool";
    max_pool2d: |x, o| x[0].max_pool2d(windows(o))?;
    avg_pool2d: |x, o| x[0].avg_pool2d(windows(o))?;
    max_pool1d: |x, o| x[0].max_pool1d(windows(o))?;
    avg_pool1d: |x, o| x[0].avg_pool1d(windows(o))?;
    adaptive_max_pool2d: |x, o| x[0].adaptive_max_pool2d(pair(o))?;
    adaptive_avg_pool2d: |x, o| x[0].adaptive_avg_pool2d(pair(o))?;
    adaptive_max_pool1d: |x, o| x[0].adaptive_max_pool1d(o.int("size"))?;
    adaptive_avg_pool1d: |x, o| x[0].adaptive_avg_pool1d(o.int("size"))?;
}
