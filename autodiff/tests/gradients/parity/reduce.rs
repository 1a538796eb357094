//! Reductions over axes. Over no axes there is nothing to combine here; PyTorch takes an empty list for all of them.

calls! { "reduce";
    sum: |x, _| x[0].sum();
    sum_axes: |x, o| x[0].sum_axes(&o.ints("axes")[..])?;
    sum_keep: |x, o| x[0].sum_keep(&o.ints("axes")[..])?;
    mean: |x, _| x[0].mean();
    mean_axes: |x, o| x[0].mean_axes(&o.ints("axes")[..])?;
    mean_keep: |x, o| x[0].mean_keep(&o.ints("axes")[..])?;
    prod: |x, _| x[0].prod();
    prod_axes: |x, o| x[0].prod_axes(&o.ints("axes")[..])?;
    prod_keep: |x, o| x[0].prod_keep(&o.ints("axes")[..])?;
    max: |x, _| x[0].max();
    max_axes: |x, o| x[0].max_axes(&o.ints("axes")[..])?;
    max_keep: |x, o| x[0].max_keep(&o.ints("axes")[..])?;
    min: |x, _| x[0].min();
    min_axes: |x, o| x[0].min_axes(&o.ints("axes")[..])?;
    min_keep: |x, o| x[0].min_keep(&o.ints("axes")[..])?;
    log_sum_exp: |x, _| x[0].log_sum_exp();
    log_sum_exp_axes: |x, o| x[0].log_sum_exp_axes(&o.ints("axes")[..])?;
    log_sum_exp_keep: |x, o| x[0].log_sum_exp_keep(&o.ints("axes")[..])?;
}
