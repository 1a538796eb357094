//! Matrix products.

calls! { "matmul";
    matmul: |x, _| x[0].matmul(&x[1])?;
    affine: |x, _| x[0].affine(&x[1], &x[2])?;
    dot: |x, _| x[0].dot(&x[1])?;
    outer: |x, _| x[0].outer(&x[1])?;
}
