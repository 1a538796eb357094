"""Attention."""
import torch
import torch.nn.functional as F

# Shapes of queries, keys and values, which of them are strided, and the options.
CASES = [
    ((3, 4), (5, 4), (5, 2), False, {}),
    ((2, 3, 4), (2, 3, 4), (2, 3, 4), False, dict(is_causal=True)),
    ((1, 2, 3, 2), (1, 2, 5, 2), (1, 2, 5, 3), True, dict(scale=0.25)),
    ((2, 4, 3), (2, 2, 3), (2, 2, 3), False, dict(is_causal=True, scale=2.0)),
    ((2, 2, 3), (1, 4, 3), (1, 4, 1), False, {}),
]


def cases(family):
    name = "scaled_dot_product_attention"
    for query, key, value, strided, options in CASES:
        inputs = [family.tensor(*shape, strided=strided) for shape in (query, key, value)]
        call = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options)
        family.case(name, call, *inputs, **options)
    inputs = [family.tensor(*shape) for shape in ((2, 3, 2), (2, 4, 2), (2, 4, 3))]
    # Numbers are the fourth input, which has a gradient.
    for shape in ((3, 4), (2, 1, 4)):
        call = lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, mask)
        family.case(name, call, *inputs, family.tensor(*shape), added=True)
    # The second query may attend to nothing.
    keep = [[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]]
    call = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, torch.tensor(keep).bool())
    family.case(name, call, *inputs, keep=keep)
    forbidden = torch.tensor(keep).to(inputs[0].dtype).log()
    call = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, forbidden)
    family.case(name, call, *inputs, forbid=keep)
