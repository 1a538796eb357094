"""Functions of one number."""
import torch

from cases import strides

ANY = dict(low=-2.0, high=2.0)
POSITIVE = dict(low=0.25, high=4.0)
INSIDE = dict(low=-0.95, high=0.95)
ABOVE_ONE = dict(low=1.1, high=4.0)

# name: PyTorch's function, the domain, special points.
FUNCTIONS = {
    "abs": (torch.abs, ANY, [0.0, -0.0]),
    "sign": (torch.sign, ANY, [0.0]),
    "step": (lambda x: (x > 0).to(x.dtype), ANY, [0.0]),
    "square": (torch.square, ANY, [0.0]),
    "sqrt": (torch.sqrt, POSITIVE, [0.0, 1e300]),
    "recip": (torch.reciprocal, POSITIVE, [-0.5, 1e300]),
    "exp": (torch.exp, ANY, [-800.0, 700.0]),
    "ln": (torch.log, POSITIVE, [1e-300, 1e300]),
    "sin": (torch.sin, ANY, [0.0, 100.0]),
    "cos": (torch.cos, ANY, [0.0, 100.0]),
    "tanh": (torch.tanh, ANY, [-30.0, 1e-9]),
    "erf": (torch.erf, ANY, [-7.0, 1e-9]),
    "exp2": (torch.exp2, ANY, [-1.0, 1000.0]),
    "exp_m1": (torch.expm1, ANY, [1e-12, -50.0]),
    "ln_1p": (torch.log1p, POSITIVE, [1e-12, -0.5]),
    "log2": (torch.log2, POSITIVE, [1e-300, 8.0]),
    "log10": (torch.log10, POSITIVE, [1e-300, 1000.0]),
    "rsqrt": (torch.rsqrt, POSITIVE, [1e-10, 1e300]),
    "tan": (torch.tan, INSIDE, [0.0, 10.0]),
    "asin": (torch.asin, INSIDE, [0.0, 1e-9]),
    "acos": (torch.acos, INSIDE, [0.0, 1e-9]),
    "atan": (torch.atan, ANY, [-1e9, 1e-9]),
    "sinh": (torch.sinh, ANY, [-20.0, 1e-9]),
    "cosh": (torch.cosh, ANY, [-20.0, 1e-9]),
    "asinh": (torch.asinh, ANY, [-1e6, 1e-9]),
    "acosh": (torch.acosh, ABOVE_ONE, [1e6, 1.0001]),
    "atanh": (torch.atanh, INSIDE, [0.0, 1e-9]),
    "erfc": (torch.erfc, ANY, [5.0, 20.0]),
    "floor": (torch.floor, ANY, [0.0, -1.0]),
    "ceil": (torch.ceil, ANY, [0.0, -1.0]),
    "trunc": (torch.trunc, ANY, [0.0, -1.0]),
    "round": (torch.round, ANY, [0.5, 1.5]),
}

# name: PyTorch's function, the domain, the options of each case.
WITH_OPTIONS = {
    "clamp": (lambda x, low, high: torch.clamp(x, low, high), ANY,
              [dict(low=-1.0, high=1.0), dict(low=0.0, high=0.5), dict(low=-9.0, high=9.0)]),
    "powi": (lambda x, n: torch.pow(x, n), dict(low=0.5, high=2.0),
             [dict(n=0), dict(n=1), dict(n=3), dict(n=-2)]),
    "powf": (lambda x, p: torch.pow(x, p), POSITIVE, [dict(p=0.0), dict(p=0.5), dict(p=-1.5), dict(p=3.0)]),
}


def cases(family):
    for name, (function, domain, special) in FUNCTIONS.items():
        for x in inputs(family, domain):
            family.case(name, function, x)
        family.case(name, function, torch.tensor(special))
    for name, (function, domain, settings) in WITH_OPTIONS.items():
        for options in settings:
            for x in list(inputs(family, domain))[1:3]:
                family.case(name, lambda x: function(x, **options), x, **options)


def inputs(family, domain):
    """No axes, an odd length, other strides, an axis of one, no elements."""
    yield family.tensor(**domain)
    yield family.tensor(7, **domain)
    yield strides(family.tensor(3, 5, **domain))
    yield family.tensor(2, 1, 3, **domain)
    yield family.tensor(0, 2, **domain)
