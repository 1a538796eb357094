"""Running results along an axis."""
import math

import torch

from cases import strides

ALONG = [((7,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), -2), ((4, 1), 1), ((2, 0), 0), ((0, 3), 0)]

FUNCTIONS = {"cumsum": torch.cumsum, "cumprod": torch.cumprod, "cummax": torch.cummax, "cummin": torch.cummin}


def cases(family):
    for name, function in FUNCTIONS.items():
        for shape, axis in ALONG:
            family.case(name, lambda x: function(x, axis), strides(family.tensor(*shape), len(shape) > 1), axis=axis)
        for numbers in [[2.0, 0.0, 4.0, 4.0, -1.0], [1.0, 0.0, 3.0, 0.0, -3.0, 3.0]]:
            family.case(name, lambda x: function(x, 0), torch.tensor(numbers), axis=0)
    for name in ["cummax", "cummin"]:
        x = torch.tensor([1.0, math.nan, 3.0, math.nan, 0.0])
        family.case(name, lambda x: FUNCTIONS[name](x, 0), x, axis=0)
