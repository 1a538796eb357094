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
