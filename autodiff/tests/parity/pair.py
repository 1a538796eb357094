"""Functions of two numbers."""
import math

import torch

from binary import pairs
from cases import strides
from unary import ANY, POSITIVE

# PyTorch's function, the domains, special points.
FUNCTIONS = {
    "pow": (torch.pow, POSITIVE, ANY,
            [0.0, 0.0, 0.0, -2.0, 2.0, 0.0], [0.0, 2.0, 0.5, 3.0, 0.0, -1.0]),
    "atan2": (torch.atan2, ANY, POSITIVE,
              [0.0, 0.0, -0.0, 1.0, -3.0], [0.0, -1.0, -1.0, 0.0, -4.0]),
    "hypot": (torch.hypot, ANY, POSITIVE,
              [3e200, 3e-200, 0.0, -5.0], [4e200, 4e-200, 2.0, 12.0]),
    "log_add_exp": (torch.logaddexp, ANY, ANY,
                    [1000.0, -1000.0, 0.0, 0.0, -math.inf], [1000.0, -1001.0, 50.0, 0.0, 1.0]),
    "remainder": (torch.remainder, ANY, POSITIVE,
                  [5.0, -5.0, 5.0, -5.0, 0.0, 1.0], [3.0, 3.0, -3.0, -3.0, -3.0, 0.1]),
    "fmod": (torch.fmod, ANY, POSITIVE,
             [5.0, -5.0, 5.0, -5.0, 0.0], [3.0, 3.0, -3.0, -3.0, -3.0]),
}


def cases(family):
    for name, (function, left, right, *special) in FUNCTIONS.items():
        for a, b in pairs(family, left, right):
            family.case(name, function, a, b)
        family.case(name, function, *map(torch.tensor, special))
    for a, b in pairs(family, ANY, ANY):
        family.case("lerp", torch.lerp, a, b, family.tensor(*b.shape, low=0.0, high=1.0))
    weight = torch.tensor([0.0, 1.0, 0.5, -1.0, 2.0])
    family.case("lerp", torch.lerp, strides(family.tensor(3, 1)), family.tensor(5), weight)
