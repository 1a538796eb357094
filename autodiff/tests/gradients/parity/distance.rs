//! How alike vectors are.

calls! { "distance";
    cosine_similarity: |x, o| x[0].cosine_similarity(&x[1], o.int("axis"), o.float("eps"))?;
    pairwise_distance: |x, o| x[0].pairwise_distance(&x[1], o.float("p"), o.float("eps"))?;
}
