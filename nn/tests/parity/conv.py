"""Convolutional layers, and transposed ones."""
import torch.nn.functional as F

SIZES = {1: ((9,), (3,)), 2: ((5, 4), (3, 2)), 3: ((3, 4, 3), (2, 2, 2))}
OPTIONS = [
    {},
    {"stride": 2},
    {"padding": 1, "bias": False},
    {"stride": 2, "padding": 1, "dilation": 1, "groups": 2},
    {"dilation": 2, "padding": 2},
    {"padding": 1, "groups": 4, "strided": True},
]
MORE_TRANSPOSED = [
    {"stride": 2, "output_padding": 1},
    {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2, "bias": False},
    {"dilation": 2, "output_padding": 1},
]


def cases(family):
    for axes in (1, 2, 3):
        for options in OPTIONS:
            layer(family, f"conv{axes}d", getattr(F, f"conv{axes}d"), axes, False, **options)
    for axes in (1, 2):
        for options in OPTIONS + MORE_TRANSPOSED:
            layer(family, f"conv_transpose{axes}d", getattr(F, f"conv_transpose{axes}d"), axes, True, **options)


def layer(family, op, function, axes, transposed, groups=1, bias=True, strided=False, **options):
    space, kernel = SIZES[axes]
    c_in, c_out = (4, 4) if groups > 1 else (2, 3)
    x = family.tensor(1 if axes == 3 else 2, c_in, *space, strided=strided)
    front = (c_in, c_out // groups) if transposed else (c_out, c_in // groups)
    parameters = [family.tensor(*front, *kernel)] + [family.tensor(c_out)] * bias
    family.case(op, lambda x, weight, bias=None: function(x, weight, bias, groups=groups, **options), x, *parameters,
                c_in=c_in, c_out=c_out, kernel=kernel, groups=groups, bias=bias, **options)
