//! Attention.

use super::{SMALL, numbers, vector, zeros};
use autodiff::check::property::Shapes;
use autodiff::{Array, AttentionMask, AttentionOptions, MAX_RANK};

ops! {
    scaled_dot_product_attention: Shapes::alike(2..=MAX_RANK).filled(), [SMALL; 3], |[q, k, v], mut c| {
            // Fewer keys than queries, narrower values; then no mask, one that may forbid whole rows, or one with numbers.
            let causal = c.flag();
            let mask = c.below(3);
            let shape = q.shape();
            let (queries, size) = (shape.dim(shape.rank() - 2), shape.dim(shape.rank() - 1));
            let keys = queries - c.below(queries.min(3));
            let (k, v) = (k.slice(-2, 0..keys)?, v.slice(-2, 0..keys)?.slice(-1, 0..size - c.below(size.min(2)))?);
            let numbers = numbers(&Array::from_vec(c.indices(2, queries * keys), [queries, keys])?);
            let mask = match mask {
                0 => None,
                1 => Some(AttentionMask::Keep(&numbers)),
                _ => Some(AttentionMask::Add(&numbers)),
            };
            q.scaled_dot_product_attention(&k, &v, &AttentionOptions { mask, causal, ..AttentionOptions::default() })
        },
        gradient "through the products and the softmax",
        gives [
            zeros([1, 2, 3]).scaled_dot_product_attention(&zeros([1, 2, 3]), &vector([1.0, 3.0]).reshape([1, 2, 1])?, &AttentionOptions { causal: true, ..AttentionOptions::default() })? => [1.0, 2.0],
        ],
        bad [
            "queries, keys and values need two axes each: [3] has rank 1" => zeros([3]).scaled_dot_product_attention(&zeros([2, 3]), &zeros([2, 1]), &AttentionOptions::default()),
            "cannot multiply [2, 3] by [4, 2]" => zeros([2, 3]).scaled_dot_product_attention(&zeros([2, 4]), &zeros([2, 1]), &AttentionOptions::default()),
            "cannot multiply [2, 2] by [3, 1]" => zeros([2, 3]).scaled_dot_product_attention(&zeros([2, 3]), &zeros([3, 1]), &AttentionOptions::default()),
            "cannot broadcast [3, 2] to [2, 2]" => zeros([2, 3]).scaled_dot_product_attention(
                &zeros([2, 3]), &zeros([2, 1]), &AttentionOptions { mask: Some(AttentionMask::Add(&zeros([3, 2]))), ..AttentionOptions::default() }
            ),
        ],
        like "torch.nn.functional.scaled_dot_product_attention";
}
