"""Sorting along an axis."""
import math

import torch

from cases import strides
from scan import ALONG

# What has ties is sorted stably here, which PyTorch promises on demand, and for topk not at all.
SPECIAL = [1.0, math.nan, -0.0, 0.0, math.inf, -2.0, math.nan, 1.0]


def cases(family):
    for place, (shape, axis) in enumerate(ALONG):
        descending = place % 2 == 1
        options = dict(axis=axis, descending=descending)
        call = lambda x: torch.sort(x, dim=axis, descending=descending, stable=True)
        positions = lambda x: torch.argsort(x, dim=axis, descending=descending, stable=True)
        x = strides(family.tensor(*shape), len(shape) > 1)
        family.case("sort", call, x, **options)
        family.case("arg_sort", positions, x, **options)
        k = min(shape[axis], place // 2 + 1)
        x = strides(family.tensor(*shape, distinct=True), len(shape) > 1)
        for largest in [True, False]:
            family.case("topk", lambda x: torch.topk(x, k, axis, largest), x, k=k, axis=axis, largest=largest)
    for descending in [False, True]:
        options = dict(axis=0, descending=descending)
        x = torch.tensor(SPECIAL)
        family.case("sort", lambda x: torch.sort(x, dim=0, descending=descending, stable=True), x, **options)
        family.case("arg_sort", lambda x: torch.argsort(x, dim=0, descending=descending, stable=True), x, **options)
