//! Sums of products over named axes.

use autodiff::Tensor;

calls! { "einsum";
    einsum: |x, o| Tensor::einsum(o.text("equation"), &x.iter().collect::<Vec<_>>())?;
}
