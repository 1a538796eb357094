"""Activation functions."""
import torch
import torch.nn.functional as F

from cases import strides
from unary import ANY, inputs

WIDE = dict(low=-8.0, high=8.0)

# PyTorch's function, special points. Softplus is linear above 20 in PyTorch, so that there is no case between.
FUNCTIONS = {
    "sigmoid": (torch.sigmoid, [-700.0, 40.0]),
    "softplus": (F.softplus, [-700.0, 40.0]),
    "log_sigmoid": (F.logsigmoid, [-700.0, 40.0]),
    "relu": (torch.relu, [0.0, -0.0]),
    "gelu": (F.gelu, [-30.0, 30.0]),
    "silu": (F.silu, [-700.0, 40.0]),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), [-30.0, 30.0]),
    "mish": (F.mish, [-600.0, 40.0]),
    "selu": (F.selu, [0.0, -40.0]),
    "relu6": (F.relu6, [0.0, 6.0, 7.0]),
    "hard_tanh": (F.hardtanh, [-1.0, 1.0]),
    # The gradient of F.hardsigmoid has a sixth in single precision.
    "hard_sigmoid": (lambda x: F.relu6(x + 3) / 6, [-3.0, 3.0]),
    "hard_swish": (F.hardswish, [-3.0, 3.0]),
    "softsign": (F.softsign, [0.0, 1e9]),
    "tanh_shrink": (F.tanhshrink, [0.0, 30.0]),
}

# PyTorch's function, the options of each case.
WITH_OPTIONS = {
    "leaky_relu": (lambda x, slope: F.leaky_relu(x, slope), [dict(slope=0.01), dict(slope=0.25), dict(slope=0.0)]),
    "elu": (lambda x, alpha: F.elu(x, alpha), [dict(alpha=1.0), dict(alpha=0.5), dict(alpha=2.0)]),
    "celu": (lambda x, alpha: F.celu(x, alpha), [dict(alpha=1.0), dict(alpha=0.5), dict(alpha=2.0)]),
    "soft_shrink": (lambda x, threshold: F.softshrink(x, threshold), [dict(threshold=t) for t in (0.5, 1.0, 0.0)]),
    "hard_shrink": (lambda x, threshold: F.hardshrink(x, threshold), [dict(threshold=t) for t in (0.5, 1.0, 0.0)]),
    "threshold": (lambda x, threshold, value: F.threshold(x, threshold, value),
                  [dict(threshold=0.0, value=0.0), dict(threshold=1.0, value=-3.0), dict(threshold=-0.5, value=9.0)]),
}


def cases(family):
    for name, (function, special) in FUNCTIONS.items():
        for x in inputs(family, WIDE):
            family.case(name, function, x)
        family.case(name, function, torch.tensor(special))
    for name, (function, settings) in WITH_OPTIONS.items():
        for options in settings:
            for x in list(inputs(family, WIDE))[1:3]:
                family.case(name, lambda x: function(x, **options), x, **options)
        family.case(name, lambda x: function(x, **options), torch.tensor([0.0, -0.5, 1.0]), **options)
    for x, slopes in [((3,), 1), ((2, 3), 3), ((2, 3, 5), 3), ((2, 1, 2, 3), 1), ((5, 3), 1), ((0, 2), 2)]:
        family.case("prelu", F.prelu, strides(family.tensor(*x, **ANY)), family.tensor(slopes))
    for shape, axis in [((6,), 0), ((2, 4, 3), 1), ((3, 2), -1), ((2, 3), 0), ((4, 0), 0)]:
        x = strides(family.tensor(*shape, **WIDE))
        family.case("glu", lambda x: F.glu(x, axis), x, axis=axis)
