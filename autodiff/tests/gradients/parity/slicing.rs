//! Parts.

use autodiff::{Index, Result, Tensor, s};

/// What Python's indices are here.
fn indexed(x: &Tensor<f64>, python: &str) -> Result<Tensor<f64>> {
    match python {
        "x[1]" => x.at(1),
        "x[-1]" => x.at(-1),
        "x[1:-1]" => x.at(s![1..-1]),
        "x[:, 0]" => x.at((.., 0)),
        "x[..., -2:]" => x.at((Index::Ellipsis, -2..)),
        "x[::2, 1, None]" => x.at(s![..;2, 1, Index::NewAxis]),
        "x[0, ..., 1]" => x.at((0, Index::Ellipsis, 1)),
        _ => panic!("what is {python} here?"),
    }
}

calls! { "slicing";
    slice: |x, o| x[0].slice(o.int("axis"), o.int("start")..o.int("end"))?;
    slice_step: |x, o| x[0].slice_step(0, o.int("start")..o.int("end"), o.int("step"))?;
    at: |x, o| indexed(&x[0], o.text("text"))?;
    split: |x, o| x[0].split(&o.ints::<usize>("sizes"), o.int("axis"))?;
    chunk: |x, o| x[0].chunk(o.int("chunks"), o.int("axis"))?;
}
