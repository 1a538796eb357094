//! Variance, standard deviation and norms.

fn order(o: &super::Options) -> f64 {
    o.text("p").parse().expect("a number")
}

calls! { "spread";
    var: |x, o| x[0].var(o.int("correction"));
    var_axes: |x, o| x[0].var_axes(&o.ints("axes")[..], o.int("correction"))?;
    var_keep: |x, o| x[0].var_keep(&o.ints("axes")[..], o.int("correction"))?;
    std: |x, o| x[0].std(o.int("correction"));
    std_axes: |x, o| x[0].std_axes(&o.ints("axes")[..], o.int("correction"))?;
    std_keep: |x, o| x[0].std_keep(&o.ints("axes")[..], o.int("correction"))?;
    norm: |x, o| x[0].norm(order(o));
    norm_axes: |x, o| x[0].norm_axes(order(o), &o.ints("axes")[..])?;
    norm_keep: |x, o| x[0].norm_keep(order(o), &o.ints("axes")[..])?;
}
