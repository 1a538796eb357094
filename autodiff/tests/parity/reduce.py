"""Reductions over axes."""
import torch

from cases import strides

WIDE = dict(low=-3.0, high=3.0)


def prod(x, axes, keepdim):
    """PyTorch's product goes along one axis."""
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keepdim)
    return x


# Over everything, over axes. Where PyTorch has two maxima, ties share alike in the one that is meant here.
FUNCTIONS = {
    "sum": (torch.sum, torch.sum),
    "mean": (torch.mean, torch.mean),
    "prod": (torch.prod, prod),
    "max": (torch.max, torch.amax),
    "min": (torch.min, torch.amin),
    "log_sum_exp": (lambda x: torch.logsumexp(x, tuple(range(x.dim()))), torch.logsumexp),
}

SHAPES_AND_AXES = [((7,), [0]), ((3, 5), [1]), ((3, 5), [0]), ((2, 3, 4), [0, -1]), ((2, 3, 1, 3), [1, 2]), ((4, 5), [-1, -2])]


def cases(family):
    for name, (whole, along) in FUNCTIONS.items():
        for shape in [(), (7,), (3, 5), (2, 1, 9), (1, 1)]:
            family.case(name, whole, strides(family.tensor(*shape, **WIDE)))
        for x in [torch.tensor([2.0, 0.0, 4.0, 4.0, -1.0]), torch.tensor([0.0, -3.0, 0.0, -3.0])]:
            family.case(name, whole, x)
        for suffix, keep in [("axes", False), ("keep", True)]:
            for shape, axes in SHAPES_AND_AXES:
                x = strides(family.tensor(*shape, **WIDE))
                family.case(f"{name}_{suffix}", lambda x: along(x, axes, keepdim=keep), x, axes=axes)
            ties = torch.tensor([[2.0, 0.0, 4.0], [0.0, 4.0, 4.0], [0.0, 0.0, 5.0]])
            family.case(f"{name}_{suffix}", lambda x: along(x, [0], keepdim=keep), ties, axes=[0])
    family.case("log_sum_exp", FUNCTIONS["log_sum_exp"][0], torch.tensor([1000.0, 999.0, -1000.0]))
    family.case("prod", torch.prod, torch.tensor([]))
    family.case("sum", torch.sum, torch.tensor([]))
