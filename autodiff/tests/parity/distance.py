"""How alike vectors are."""
import torch
import torch.nn.functional as F

# Shapes, axis, and the smallest length.
COSINES = [
    ((3, 4), (3, 4), -1, 1e-8),
    ((2, 3, 5), (3, 5), 2, 1e-8),
    ((5,), (5,), 0, 1e-8),
    ((2, 1, 3), (2, 4, 3), -1, 1e-8),
    ((4, 3), (4, 3), 0, 1e-3),
]
# Shapes, power, and what is added.
DISTANCES = [
    ((3, 4), (3, 4), 2.0, 1e-6),
    ((2, 3, 5), (3, 5), 1.0, 1e-6),
    ((5,), (5,), 3.0, 0.0),
    ((2, 1, 3), (2, 4, 3), 2.0, 0.25),
    ((2, 7), (7,), 1.5, 1e-6),
]


def cases(family):
    for number, (left, right, axis, eps) in enumerate(COSINES):
        inputs = [family.tensor(*left, strided=number == 1), family.tensor(*right)]
        family.case("cosine_similarity", lambda a, b: F.cosine_similarity(a, b, axis, eps), *inputs, axis=axis, eps=eps)
    for number, (left, right, p, eps) in enumerate(DISTANCES):
        inputs = [family.tensor(*left, strided=number == 1), family.tensor(*right)]
        family.case("pairwise_distance", lambda a, b: F.pairwise_distance(a, b, p, eps), *inputs, p=p, eps=eps)
    # No distance has no gradient.
    same = torch.tensor([[1.0, 2.0]])
    family.case("pairwise_distance", lambda a, b: F.pairwise_distance(a, b, 2.0, 0.0), same, same, p=2.0, eps=0.0)
