"""Pooling."""
import torch.nn.functional as F

SHAPES = [(2, 2, 3, 5), (1, 3, 4, 4), (3, 1, 1, 7), (1, 1, 6, 8), (1, 2, 5, 5)]
# Window, stride, padding.
WINDOWS = [
    ([1, 2], [1, 1], [0, 0]),
    ([2, 2], [2, 2], [0, 0]),
    ([1, 3], [1, 2], [0, 1]),
    ([2, 3], [3, 1], [1, 1]),
    ([3, 2], [1, 3], [1, 0]),
]
BINS = [[2, 3], [2, 4], [1, 3], [4, 5], [1, 1]]
POOLS = {"max": (F.max_pool1d, F.max_pool2d), "avg": (F.avg_pool1d, F.avg_pool2d)}
ADAPTIVE = {
    "max": (F.adaptive_max_pool1d, F.adaptive_max_pool2d),
    "avg": (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d),
}


def cases(family):
    for kind, (one, two) in POOLS.items():
        for number, (shape, (kernel, stride, padding)) in enumerate(zip(SHAPES, WINDOWS)):
            x = family.tensor(*shape, low=-3.0, high=3.0, distinct=True, strided=number == 3)
            call = lambda x: two(x, kernel, stride, padding)
            family.case(f"{kind}_pool2d", call, x, kernel=kernel, stride=stride, padding=padding)
            row = family.tensor(*shape[:2], shape[3], low=-3.0, high=3.0, distinct=True, strided=number == 3)
            call = lambda x: one(x, kernel[1], stride[1], padding[1])
            family.case(f"{kind}_pool1d", call, row, kernel=kernel[1:], stride=stride[1:], padding=padding[1:])
    for kind, (one, two) in ADAPTIVE.items():
        for number, (shape, size) in enumerate(zip(SHAPES, BINS)):
            x = family.tensor(*shape, low=-3.0, high=3.0, distinct=True, strided=number == 0)
            family.case(f"adaptive_{kind}_pool2d", lambda x: two(x, size), x, size=size)
            row = family.tensor(*shape[:2], shape[3], low=-3.0, high=3.0, distinct=True, strided=number == 0)
            family.case(f"adaptive_{kind}_pool1d", lambda x: one(x, size[1]), row, size=size[1])
