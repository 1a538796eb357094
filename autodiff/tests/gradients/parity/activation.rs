//! Activation functions. `softplus` is not cut off for large numbers, as PyTorch's is above 20, and the gradient of
//! `hard_sigmoid` has a sixth in the precision of the tensor.

calls! { "activation";
    sigmoid: |x, _| x[0].sigmoid();
    softplus: |x, _| x[0].softplus();
    log_sigmoid: |x, _| x[0].log_sigmoid();
    relu: |x, _| x[0].relu();
    gelu: |x, _| x[0].gelu();
    silu: |x, _| x[0].silu();
    gelu_tanh: |x, _| x[0].gelu_tanh();
    mish: |x, _| x[0].mish();
    selu: |x, _| x[0].selu();
    relu6: |x, _| x[0].relu6();
    hard_tanh: |x, _| x[0].hard_tanh();
    hard_sigmoid: |x, _| x[0].hard_sigmoid();
    hard_swish: |x, _| x[0].hard_swish();
    softsign: |x, _| x[0].softsign();
    tanh_shrink: |x, _| x[0].tanh_shrink();
    leaky_relu: |x, o| x[0].leaky_relu(o.float("slope"));
    elu: |x, o| x[0].elu(o.float("alpha"));
    celu: |x, o| x[0].celu(o.float("alpha"));
    soft_shrink: |x, o| x[0].soft_shrink(o.float("threshold"));
    hard_shrink: |x, o| x[0].hard_shrink(o.float("threshold"));
    threshold: |x, o| x[0].threshold(o.float("threshold"), o.float("value"));
    prelu: |x, _| x[0].prelu(&x[1])?;
    glu: |x, o| x[0].glu(o.int("axis"))?;
}
