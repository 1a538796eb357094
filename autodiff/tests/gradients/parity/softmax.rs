//! Softmax and the cross-entropy of a classification.

calls! { "softmax";
    softmax: |x, o| x[0].softmax(o.int("axis"))?;
    softmin: |x, o| x[0].softmin(o.int("axis"))?;
    log_softmax: |x, o| x[0].log_softmax(o.int("axis"))?;
    cross_entropy: |x, o| x[0].cross_entropy(&o.index("labels").to_vec())?;
    soft_cross_entropy: |x, _| x[0].soft_cross_entropy(&x[1])?;
}
