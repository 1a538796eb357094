"""Normalisation."""
import torch
import torch.nn.functional as F

# Shape, and the smallest variance.
BATCHES = [((4, 3), 1e-5), ((2, 3, 5), 1e-5), ((2, 2, 3, 4), 0.1), ((1, 3, 2, 2), 1e-3), ((3, 1, 7), 1e-5)]
# Shape, how many of its last axes, and the smallest variance.
ROWS = [((4, 5), 1, 1e-5), ((2, 3, 4), 2, 1e-5), ((3, 7), 1, 0.1), ((2, 2, 3), 3, 1e-3), ((2, 1, 3, 2), 2, 1e-5)]
# Shape, groups, and the smallest variance.
GROUPS = [((2, 4), 2, 1e-5), ((2, 6, 3), 3, 1e-5), ((1, 4, 2, 3), 1, 0.1), ((2, 2, 5), 2, 1e-3), ((3, 4, 1, 3), 2, 1e-5)]
INSTANCES = [((2, 3, 5), 1e-5), ((1, 2, 3, 4), 1e-5), ((3, 1, 7), 0.1), ((2, 2, 2, 3), 1e-3), ((1, 2, 2, 3, 2), 1e-5)]
# Shape, power, axis, and the smallest norm.
LENGTHS = [((3, 4), 2.0, 1, 1e-12), ((2, 3, 2), 1.0, -2, 1e-12), ((5,), 3.0, 0, 1e-12), ((2, 3), 2.0, 0, 2.5)]


def cases(family):
    for number, (shape, eps) in enumerate(BATCHES):
        # Mean and variance are outputs, too.
        affine(family, "batch_norm", shape, [shape[1]], number == 2, batch(eps), eps=eps)
    for number, (shape, axes, eps) in enumerate(ROWS):
        own = list(shape[len(shape) - axes:])
        affine(family, "layer_norm", shape, own, number == 2, lambda x, w, b: F.layer_norm(x, own, w, b, eps), eps=eps)
        inputs = [family.tensor(*shape, strided=number == 2), family.tensor(*own)]
        family.case("rms_norm", lambda x, w: F.rms_norm(x, own, w, eps), *inputs, eps=eps)
    for number, (shape, groups, eps) in enumerate(GROUPS):
        call = lambda x, w, b: F.group_norm(x, groups, w, b, eps)
        affine(family, "group_norm", shape, [shape[1]], number == 2, call, groups=groups, eps=eps)
    for number, (shape, eps) in enumerate(INSTANCES):
        call = lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=eps)
        affine(family, "instance_norm", shape, [shape[1]], number == 2, call, eps=eps)
    for number, (shape, p, axis, eps) in enumerate(LENGTHS):
        x = family.tensor(*shape, strided=number == 1)
        family.case("normalize", lambda x: F.normalize(x, p, axis, eps), x, p=p, axis=axis, eps=eps)
    zeros = torch.tensor([[0.0, 0.0], [3.0, -4.0]])
    family.case("normalize", lambda x: F.normalize(x, 2.0, 1, 0.5), zeros, p=2.0, axis=1, eps=0.5)


def affine(family, op, shape, own, strided, call, **options):
    inputs = [family.tensor(*shape, strided=strided), family.tensor(*own), family.tensor(*own)]
    family.case(op, call, *inputs, **options)


def batch(eps):
    def call(x, weight, bias):
        axes = [axis for axis in range(x.dim()) if axis != 1]
        variance, mean = torch.var_mean(x.detach(), axes, correction=0)
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps), mean, variance

    return call
