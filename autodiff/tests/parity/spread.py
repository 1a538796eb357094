"""Variance, standard deviation and norms."""
import math

import torch

from cases import strides
from reduce import SHAPES_AND_AXES

WIDE = dict(low=-3.0, high=3.0)
ORDERS = [2.0, 1.0, 0.0, 0.5, 1.5, 3.0, -1.0, math.inf, -math.inf]


def cases(family):
    for name, function in [("var", torch.var), ("std", torch.std)]:
        for shape, correction in [((7,), 1), ((3, 5), 0), ((2, 1, 9), 2), ((2,), 1), ((3, 4), 1)]:
            x = strides(family.tensor(*shape, **WIDE))
            family.case(name, lambda x: function(x, correction=correction), x, correction=correction)
        family.case(name, lambda x: function(x, correction=1), torch.full((4,), 1.5), correction=1)
        for suffix, keep in [("axes", False), ("keep", True)]:
            for place, (shape, axes) in enumerate(SHAPES_AND_AXES):
                correction = place % 2
                call = lambda x: function(x, axes, correction=correction, keepdim=keep)
                family.case(f"{name}_{suffix}", call, strides(family.tensor(*shape, **WIDE)),
                            axes=axes, correction=correction)
    norm = torch.linalg.vector_norm
    for place, p in enumerate(ORDERS):
        # As a text, which infinity can be.
        options = dict(p=str(p))
        family.case("norm", lambda x: norm(x, p), strides(family.tensor(3, 5, **WIDE)), **options)
        family.case("norm", lambda x: norm(x, p), torch.tensor([2.0, 0.0, -3.0, 3.0, 0.0]), **options)
        family.case("norm", lambda x: norm(x, p), torch.zeros(3), **options)
        for suffix, keep in [("axes", False), ("keep", True)]:
            shape, axes = SHAPES_AND_AXES[place % len(SHAPES_AND_AXES)]
            x = strides(family.tensor(*shape, distinct=True, **WIDE))
            family.case(f"norm_{suffix}", lambda x: norm(x, p, axes, keepdim=keep), x, axes=axes, **options)
