"""Convolution."""
import torch.nn.functional as F

from cases import strides

# Shape of the input, of the kernel, whether there is a bias, and the options.
ONE = [
    ((2, 3, 7), (2, 3, 3), False, {}),
    ((1, 2, 9), (4, 2, 3), True, dict(stride=[2])),
    ((1, 4, 6), (4, 2, 2), True, dict(padding=[2], groups=2)),
    ((2, 1, 10), (1, 1, 3), False, dict(dilation=[3], stride=[2], padding=[1])),
    ((1, 3, 5), (6, 1, 2), True, dict(groups=3)),
]
TWO = [
    ((1, 2, 5, 5), (3, 2, 3, 3), False, {}),
    ((2, 1, 4, 7), (2, 1, 2, 3), True, dict(stride=[2, 1])),
    ((1, 4, 3, 4), (2, 2, 3, 2), True, dict(padding=[1, 2], groups=2)),
    ((1, 1, 7, 8), (2, 1, 3, 2), False, dict(dilation=[2, 3], stride=[1, 2])),
    ((1, 3, 4, 4), (3, 1, 3, 3), True, dict(groups=3, padding=[1, 1])),
]
THREE = [
    ((1, 2, 3, 3, 3), (2, 2, 2, 2, 2), False, {}),
    ((1, 1, 4, 3, 4), (2, 1, 3, 2, 2), True, dict(stride=[1, 2, 1])),
    ((1, 2, 2, 3, 3), (2, 1, 2, 2, 1), True, dict(padding=[1, 0, 2], groups=2)),
    ((1, 1, 5, 3, 4), (2, 1, 2, 2, 2), False, dict(dilation=[3, 1, 2], stride=[2, 1, 1], padding=[1, 1, 0])),
    ((2, 2, 2, 3, 2), (2, 2, 1, 3, 2), True, {}),
]
TRANSPOSED_ONE = [
    ((2, 3, 4), (3, 2, 3), False, {}),
    ((1, 2, 5), (2, 3, 3), True, dict(stride=[3], output_padding=[2])),
    ((1, 4, 3), (4, 2, 2), True, dict(groups=2, padding=[1], stride=[2])),
    ((2, 1, 4), (1, 2, 3), False, dict(dilation=[3], padding=[2], output_padding=[2])),
    ((1, 3, 6), (3, 1, 1), True, dict(groups=3)),
]
TRANSPOSED_TWO = [
    ((1, 2, 3, 4), (2, 3, 2, 3), False, {}),
    ((2, 1, 2, 3), (1, 2, 3, 2), True, dict(stride=[2, 3], output_padding=[1, 2])),
    ((1, 4, 2, 3), (4, 1, 3, 2), True, dict(groups=2, padding=[1, 0], stride=[1, 2])),
    ((1, 2, 3, 3), (2, 1, 2, 2), False, dict(dilation=[2, 3], padding=[1, 2], output_padding=[1, 2])),
    ((1, 3, 4, 2), (3, 1, 3, 3), True, dict(groups=3, padding=[1, 1], stride=[2, 1])),
]


def cases(family):
    for op, table in [("conv1d", ONE), ("conv2d", TWO), ("conv3d", THREE)]:
        convolutions(family, op, table, lambda kernel, groups: kernel[0])
    for op, table in [("conv_transpose1d", TRANSPOSED_ONE), ("conv_transpose2d", TRANSPOSED_TWO)]:
        convolutions(family, op, table, lambda kernel, groups: kernel[1] * groups)


def convolutions(family, op, table, channels):
    function = getattr(F, op)
    for number, (shape, kernel, bias, options) in enumerate(table):
        inputs = [family.tensor(*shape), family.tensor(*kernel)]
        if number == 2:
            inputs = [strides(x) for x in inputs]
        if bias:
            inputs.append(family.tensor(channels(kernel, options.get("groups", 1))))
        family.case(op, lambda x, w, b=None: function(x, w, b, **options), *inputs, **options)
