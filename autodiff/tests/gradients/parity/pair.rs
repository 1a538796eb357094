//! Functions of two numbers. The gradient of `hypot` at the origin, 0 here, is NaN in PyTorch; that of `fmod` for the divisor
//! has here the quotient that belongs to the value, in PyTorch the rounded one: for 1 and 0.1 nine, and ten.

calls! { "pair";
    pow: |x, _| x[0].pow(&x[1])?;
    atan2: |x, _| x[0].atan2(&x[1])?;
    hypot: |x, _| x[0].hypot(&x[1])?;
    log_add_exp: |x, _| x[0].log_add_exp(&x[1])?;
    remainder: |x, _| x[0].remainder(&x[1])?;
    fmod: |x, _| x[0].fmod(&x[1])?;
    lerp: |x, _| x[0].lerp(&x[1], &x[2])?;
}
