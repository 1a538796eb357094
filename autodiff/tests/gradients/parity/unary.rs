//! Functions of one number.

calls! { "unary";
    abs: |x, _| x[0].abs();
    sign: |x, _| x[0].sign();
    step: |x, _| x[0].step();
    square: |x, _| x[0].square();
    sqrt: |x, _| x[0].sqrt();
    recip: |x, _| x[0].recip();
    exp: |x, _| x[0].exp();
    ln: |x, _| x[0].ln();
    sin: |x, _| x[0].sin();
    cos: |x, _| x[0].cos();
    tanh: |x, _| x[0].tanh();
    erf: |x, _| x[0].erf();
    exp2: |x, _| x[0].exp2();
    exp_m1: |x, _| x[0].exp_m1();
    ln_1p: |x, _| x[0].ln_1p();
    log2: |x, _| x[0].log2();
    log10: |x, _| x[0].log10();
    rsqrt: |x, _| x[0].rsqrt();
    tan: |x, _| x[0].tan();
    asin: |x, _| x[0].asin();
    acos: |x, _| x[0].acos();
    atan: |x, _| x[0].atan();
    sinh: |x, _| x[0].sinh();
    cosh: |x, _| x[0].cosh();
    asinh: |x, _| x[0].asinh();
    acosh: |x, _| x[0].acosh();
    atanh: |x, _| x[0].atanh();
    erfc: |x, _| x[0].erfc();
    floor: |x, _| x[0].floor();
    ceil: |x, _| x[0].ceil();
    trunc: |x, _| x[0].trunc();
    round: |x, _| x[0].round();
    clamp: |x, o| x[0].clamp(o.float("low"), o.float("high"));
    powi: |x, o| x[0].powi(o.int("n"));
    powf: |x, o| x[0].powf(o.float("p"));
}
