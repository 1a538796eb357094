//! Arithmetic of two tensors.

calls! { "binary";
    add: |x, _| &x[0] + &x[1];
    sub: |x, _| &x[0] - &x[1];
    mul: |x, _| &x[0] * &x[1];
    div: |x, _| &x[0] / &x[1];
    maximum: |x, _| x[0].maximum(&x[1])?;
    minimum: |x, _| x[0].minimum(&x[1])?;
    neg: |x, _| -&x[0];
}
