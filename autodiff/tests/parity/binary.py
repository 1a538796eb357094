"""Arithmetic of two tensors."""
import torch

from cases import strides
from unary import ANY, POSITIVE, inputs

FUNCTIONS = {
    "add": (torch.add, ANY, ANY),
    "sub": (torch.sub, ANY, ANY),
    "mul": (torch.mul, ANY, ANY),
    "div": (torch.div, ANY, POSITIVE),
    "maximum": (torch.maximum, ANY, ANY),
    "minimum": (torch.minimum, ANY, ANY),
}


def cases(family):
    for name, (function, left, right) in FUNCTIONS.items():
        for a, b in pairs(family, left, right):
            family.case(name, function, a, b)
        family.case(name, function, *special())
    for x in inputs(family, ANY):
        family.case("neg", torch.neg, x)


def pairs(family, left, right):
    """Odd lengths, other strides against a row, both broadcast, a number against a matrix, no elements."""
    yield family.tensor(7, **left), family.tensor(7, **right)
    yield strides(family.tensor(3, 5, **left)), family.tensor(5, **right)
    yield family.tensor(2, 1, 3, **left), strides(family.tensor(4, 1, **right))
    yield family.tensor(**left), family.tensor(3, 2, **right)
    yield family.tensor(0, 2, **left), family.tensor(1, 2, **right)


def special():
    """Ties, signed zeros and what is large and small."""
    return torch.tensor([1.0, -0.0, 1e300, 1e-200, -3.0]), torch.tensor([1.0, 2.0, 1e-10, 1e200, -3.0])
