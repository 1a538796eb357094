//! Normalisation.

calls! { "norm";
    batch_norm: |x, o| x[0].batch_norm(&x[1], &x[2], o.float("eps"))?;
    layer_norm: |x, o| x[0].layer_norm(&x[1], &x[2], o.float("eps"))?;
    group_norm: |x, o| x[0].group_norm(o.int("groups"), &x[1], &x[2], o.float("eps"))?;
    instance_norm: |x, o| x[0].instance_norm(&x[1], &x[2], o.float("eps"))?;
    rms_norm: |x, o| x[0].rms_norm(&x[1], o.float("eps"))?;
    normalize: |x, o| x[0].normalize(o.float("p"), o.int("axis"), o.float("eps"))?;
}
