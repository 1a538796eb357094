//! Comparisons, and the choice between two tensors.

calls! { "select";
    select: |x, _| x[0].select(&x[1], &x[2])?;
    eq: |x, _| x[0].eq(&x[1])?;
    ne: |x, _| x[0].ne(&x[1])?;
    lt: |x, _| x[0].lt(&x[1])?;
    le: |x, _| x[0].le(&x[1])?;
    gt: |x, _| x[0].gt(&x[1])?;
    ge: |x, _| x[0].ge(&x[1])?;
    masked_fill: |x, o| x[0].masked_fill(&x[1], o.float("value"))?;
}
