//! Diagonals, triangles and windows.

calls! { "strided";
    diagonal: |x, o| x[0].diagonal(o.int("offset"), o.int("rows"), o.int("columns"))?;
    diag: |x, o| x[0].diag(o.int("offset"))?;
    trace: |x, _| x[0].trace()?;
    tril: |x, o| x[0].tril(o.int("k"))?;
    triu: |x, o| x[0].triu(o.int("k"))?;
    unfold: |x, o| x[0].unfold(o.int("axis"), o.int("size"), o.int("step"))?;
}
