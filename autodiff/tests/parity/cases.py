"""The cases of a family: what PyTorch makes of them, in f64, forward and backward."""
import json
import math
import random

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


class Family:
    """Collects cases. Its numbers are multiples of 1/64, so that they are short and exact; the same in each run."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.random = random.Random(name)

    def tensor(self, *shape, low=-2.0, high=2.0, distinct=False, strided=False):
        """Numbers from `low` to `high`. `distinct` ones have no ties; a `strided` tensor is not contiguous in the test."""
        size = math.prod(shape)
        grid = range(math.ceil(low * 64), math.floor(high * 64) + 1)
        numbers = self.random.sample(grid, size) if distinct else [self.random.choice(grid) for _ in range(size)]
        return strides(torch.tensor([n / 64 for n in numbers]).reshape(shape), strided)

    def index(self, *shape, below):
        """Whole numbers from 0, as nested lists, which an option can hold."""
        size = math.prod(shape)
        return torch.tensor([self.random.randrange(below) for _ in range(size)]).reshape(shape).tolist()

    def case(self, op, function, *inputs, **options):
        """A call of `op`: `function(*inputs)` is PyTorch's, `options` are what the test is told besides the inputs."""
        leaves = [x.detach().clone().requires_grad_() for x in inputs]
        outputs = function(*leaves)
        outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
        tracked = [y for y in outputs if y.requires_grad]
        gradients = [None] * len(leaves)
        if tracked and leaves:
            gradients = torch.autograd.grad(tracked, leaves, [seed(y) for y in tracked], allow_unused=True)
        self.lines.append(json.dumps({
            "op": op,
            "options": options,
            "inputs": [tensor_text(x) | ({"strided": True} if getattr(x, "strided", False) else {}) for x in inputs],
            "outputs": [tensor_text(y) for y in outputs],
            "gradients": [None if g is None else numbers_text(g) for g in gradients],
        }, allow_nan=False))

    def text(self):
        """The file: a JSON array, a case a line."""
        return "[\n" + ",\n".join(self.lines) + "\n]\n"


def strides(x, strided=True):
    """Marks a tensor to be made with its axes in the opposite order in memory."""
    x.strided = strided
    return x


def seed(y):
    """The cotangent of an output: a number for each element, which the test makes by the same formula."""
    return ((torch.arange(y.numel()) * 7 % 11 - 5) / 4).to(y.dtype).reshape(y.shape)


def tensor_text(x):
    return {"shape": list(x.shape), "values": numbers_text(x)}


def numbers_text(x):
    return [number_text(v) for v in x.detach().to(torch.float64).reshape(-1).tolist()]


def number_text(v):
    if not math.isfinite(v):
        return str(v)
    return int(v) if v == int(v) and (v != 0 or math.copysign(1, v) > 0) else v
