"""Layers of a line or two: activations, pooling, resizing, embedding, fully connected ones, ways around."""
import torch
import torch.nn as nn
import torch.nn.functional as F

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid, "log_sigmoid": nn.LogSigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "relu6": nn.ReLU6,
    "gelu": nn.GELU, "gelu_tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "mish": nn.Mish, "selu": nn.SELU,
    # The gradient of nn.Hardsigmoid has a sixth in single precision, and so has that of nn.CELU its 1/alpha.
    "softplus": nn.Softplus, "softsign": nn.Softsign, "hard_tanh": nn.Hardtanh,
    "hard_sigmoid": lambda: lambda x: F.relu6(x + 3) / 6,
    "hard_swish": nn.Hardswish, "tanh_shrink": nn.Tanhshrink,
}
TOLD = {
    "leaky_relu": (nn.LeakyReLU, 0.2), "elu": (nn.ELU, 0.5), "celu": (nn.CELU, 0.5), "soft_shrink": (nn.Softshrink, 0.25),
    "hard_shrink": (nn.Hardshrink, 0.25),
}
ALONG = {"softmax": nn.Softmax, "softmin": nn.Softmin, "log_softmax": nn.LogSoftmax, "glu": nn.GLU}


def cases(family):
    activations(family)
    pooling(family)
    resizing(family)
    affine(family)
    embedding(family)


def shapes(family):
    yield family.tensor(7, low=-4.0, high=4.0)
    yield family.tensor(1)
    yield family.tensor(3, 5, strided=True)
    yield family.tensor(2, 1, 3, low=-8.0, high=8.0)
    yield family.tensor(2, 3, 2, 2)


def activations(family):
    for op, layer in ACTIVATIONS.items():
        for x in shapes(family):
            family.case(op, layer(), x)
    for op, (layer, told) in TOLD.items():
        for number, x in enumerate(shapes(family)):
            # By default, and told.
            if number % 2:
                family.case(op, layer(told), x, told=told)
            else:
                family.case(op, layer(), x)
    for x in shapes(family):
        family.case("threshold", nn.Threshold(0.3, -2.0), x, threshold=0.3, value=-2.0)
    for op, layer in ALONG.items():
        for shape, axis in [((4,), 0), ((3, 4), -1), ((4, 3), 0), ((2, 6, 2), 1), ((2, 2, 3), -2), ((2, 2, 2), 2)]:
            family.case(op, layer(axis), family.tensor(*shape, strided=axis == -2), axis=axis)
    for shape, slopes in [((7,), 1), ((3, 4), 1), ((3, 4), 4), ((2, 3, 4), 3), ((1, 2, 3, 2), 2)]:
        family.case("prelu", F.prelu, family.tensor(*shape), family.tensor(slopes))


def pooling(family):
    options = [{"kernel": 2}, {"kernel": 3, "stride": 1}, {"kernel": 3, "stride": 2, "padding": 1},
               {"kernel": 2, "padding": 1}, {"kernel": 1, "stride": 2}]
    for number, told in enumerate(options):
        given = {"kernel_size": told["kernel"]} | {k: v for k, v in told.items() if k != "kernel"}
        for axes, space in [(1, (8,)), (2, (5, 4))]:
            for kind in ("max", "avg"):
                layer = getattr(nn, f"{kind.capitalize()}Pool{axes}d")
                x = family.tensor(2, 2, *space, distinct=True, strided=number == 2)
                family.case(f"{kind}_pool{axes}d", layer(**given), x, **told)
    for number, size in enumerate([(1, 1), (2, 3), (3, 2), (5, 4), (4, 1)]):
        for kind in ("Max", "Avg"):
            x = family.tensor(1, 2, 5, 4, distinct=True, strided=number == 2)
            family.case(f"adaptive_{kind.lower()}_pool2d", getattr(nn, f"Adaptive{kind}Pool2d")(size), x, size=size)
            x = family.tensor(2, 2, 7, distinct=True, strided=number == 2)
            length = number + 1
            family.case(f"adaptive_{kind.lower()}_pool1d", getattr(nn, f"Adaptive{kind}Pool1d")(length), x, size=length)
    for shape in [(2, 3), (2, 3, 4), (2, 2, 3, 2), (1, 2, 2, 3, 2), (3, 1, 1, 5)]:
        x = family.tensor(*shape, distinct=True)
        family.case("global_avg_pool", lambda x: x.flatten(2).mean(2) if x.dim() > 2 else x * 1, x)
        family.case("global_max_pool", lambda x: x.flatten(2).amax(2) if x.dim() > 2 else x * 1, x)
    for shape in [(2, 3), (2, 3, 4), (1, 2, 3, 2), (2, 1, 3), (3, 2, 2)]:
        family.case("flatten", nn.Flatten(), family.tensor(*shape, strided=shape == (2, 3, 4)))


def resizing(family):
    for mode, align in [("nearest", None), ("linear", False), ("linear", True)]:
        for shape, options in [((2, 2, 5), {"factor": 2.0}), ((1, 2, 3, 2), {"factor": 2.0}), ((2, 2, 5), {"factor": 0.6}),
                               ((1, 2, 3, 4), {"size": (5, 3)}), ((2, 1, 4), {"size": (7,)})]:
            told = {"scale_factor": options.get("factor"), "size": options.get("size"), "align_corners": align}
            name = mode if mode == "nearest" else ["linear", "bilinear"][len(shape) - 3]
            # With a factor and aligned corners, the corners decide.
            family.case("upsample", nn.Upsample(mode=name, **told), family.tensor(*shape, strided=len(shape) == 4),
                        mode=mode, align=bool(align), **options)
    for shape, r in [((1, 4, 2, 3), 2), ((2, 8, 1, 2), 2), ((1, 9, 1, 2), 3), ((4, 3, 2), 2), ((2, 1, 2, 3), 1)]:
        family.case("pixel_shuffle", nn.PixelShuffle(r), family.tensor(*shape), factor=r)
    for shape, r in [((1, 1, 4, 6), 2), ((2, 2, 2, 4), 2), ((1, 1, 3, 6), 3), ((2, 4, 2), 2), ((2, 1, 2, 3), 1)]:
        family.case("pixel_unshuffle", nn.PixelUnshuffle(r), family.tensor(*shape), factor=r)


def affine(family):
    for shape in [(3,), (4, 3), (2, 4, 3), (0, 3), (5, 3)]:
        for bias in (True, False):
            x = family.tensor(*shape, strided=len(shape) == 3)
            parameters = [family.tensor(3, 2)] + [family.tensor(2)] * bias
            # PyTorch's weight is ours transposed.
            family.case("affine", lambda x, w, *b: F.linear(x, w.t(), *b), x, *parameters, bias=bias)
            square = [family.tensor(3, 3), family.tensor(3)]
            family.case("residual", lambda x, w, b: x + F.linear(x, w.t(), b), x, *square)


def embedding(family):
    for index in [(3,), (2, 3), (2, 2, 2), (1,), (5, 1)]:
        for padding in (None, 0, 2):
            layer = nn.Embedding(4, 3, padding_idx=padding)
            rows = family.index(*index, below=4)
            table = family.tensor(4, 3)
            if padding is not None:
                with torch.no_grad():
                    table[padding] = 0.0
            family.case("embedding", lambda table: F.embedding(torch.tensor(rows), table, padding_idx=padding), table,
                        index=rows, padding=padding)
