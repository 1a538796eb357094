//! Sorting along an axis. Equal elements stay in their order, as in PyTorch's with `stable=True`, and in `topk` as well.

calls! { "sort";
    sort: |x, o| x[0].sort(o.int("axis"), o.flag("descending"))?;
    arg_sort: |x, o| x[0].arg_sort(o.int("axis"), o.flag("descending"))?;
    topk: |x, o| x[0].topk(o.int("k"), o.int("axis"), o.flag("largest"))?;
}
