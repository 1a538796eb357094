//! Reading and adding at indices.

use autodiff::Tensor;

calls! { "index";
    index_select: |x, o| x[0].index_select(o.int("axis"), &o.ints::<usize>("index"))?;
    gather: |x, o| x[0].gather(o.int("axis"), &o.index("index"))?;
    take_along: |x, o| x[0].take_along(o.int("axis"), &o.index("index"))?;
    scatter_add: |x, o| x[0].scatter_add(o.int("axis"), &o.index("index"), &x[1])?;
    index_add: |x, o| x[0].index_add(o.int("axis"), &o.ints::<usize>("index"), &x[1])?;
    embedding: |x, o| x[0].embedding(&o.index("index"))?;
    one_hot: |_, o| Tensor::one_hot(&o.ints::<usize>("labels"), o.int("classes"))?;
    arg_max: |x, o| x[0].arg_max(o.int("axis"))?;
    arg_min: |x, o| x[0].arg_min(o.int("axis"))?;
}
