"""Comparisons, and the choice between two tensors."""
import math

import torch

from binary import pairs, special
from unary import ANY

COMPARISONS = {
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
}


def cases(family):
    for name, function in COMPARISONS.items():
        for a, b in [*pairs(family, ANY, ANY), special(), (torch.tensor([math.nan, 1.0]), torch.tensor(math.nan))]:
            family.case(name, lambda a, b: function(a, b).to(a.dtype), a, b)
    for a, b in pairs(family, ANY, ANY):
        mask = torch.tensor([family.random.randrange(2) for _ in range(b.numel())], dtype=a.dtype).reshape(b.shape)
        family.case("select", lambda mask, a, b: torch.where(mask != 0, a, b), mask, a, b)
    for shape, to, value in [((5,), (5,), 0.5), ((2, 3), (3,), -1.0), ((2, 3), (2, 1), 0.0), ((2, 3, 2), (), 2.0),
                             ((0, 2), (2,), 1.0)]:
        mask = torch.tensor([family.random.randrange(2) for _ in range(math.prod(to))], dtype=torch.float64).reshape(to)
        family.case("masked_fill", lambda x, mask: x.masked_fill(mask != 0, value), family.tensor(*shape, strided=True),
                    mask, value=value)
