//! Joining and repeating.

use autodiff::Tensor;

fn all(x: &[Tensor<f64>]) -> Vec<&Tensor<f64>> {
    x.iter().collect()
}

calls! { "joining";
    cat: |x, o| Tensor::cat(&all(x), o.int("axis"))?;
    stack: |x, o| Tensor::stack(&all(x), o.int("axis"))?;
    roll: |x, o| x[0].roll(o.int("shift"), o.int("axis"))?;
    tile: |x, o| x[0].tile(&o.ints::<usize>("times"))?;
    repeat_interleave: |x, o| x[0].repeat_interleave(o.int("times"), o.int("axis"))?;
    meshgrid: |x, _| Tensor::meshgrid(&all(x))?;
}
