//! Running results along an axis.

calls! { "scan";
    cumsum: |x, o| x[0].cumsum(o.int("axis"))?;
    cumprod: |x, o| x[0].cumprod(o.int("axis"))?;
    cummax: |x, o| x[0].cummax(o.int("axis"))?;
    cummin: |x, o| x[0].cummin(o.int("axis"))?;
}
