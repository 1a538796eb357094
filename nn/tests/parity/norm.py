"""Normalisation. The inputs of batch normalisation are several batches, one after the other; the last is for evaluation."""
import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = [(4, 3), (2, 3, 4), (2, 3, 2, 3), (1, 3, 5)]


def cases(family):
    batch_norm(family)
    rows(family)
    groups(family)


def batch_norm(family):
    settings = [{}, {"momentum": 0.3}, {"eps": 0.1}, {"affine": False}, {"track": False}, {"cumulative": True},
                {"cumulative": True, "affine": False, "eps": 1e-3}]
    for options in settings:
        for number, shape in enumerate(SHAPES[:3 if not options else 2]):
            batches = [family.tensor(*shape, strided=number == 1) for _ in range(4)]
            parameters = [family.tensor(3), family.tensor(3)] if options.get("affine", True) else []

            def function(*given):
                norm = [nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d][len(shape) - 2]
                layer = norm(3, eps=options.get("eps", 1e-5), affine=False,
                             momentum=None if "cumulative" in options else options.get("momentum", 0.1),
                             track_running_stats=options.get("track", True))
                # Weight and bias as they are given, to have their gradients.
                weight, bias = given[4:] if parameters else (torch.ones(3), torch.zeros(3))
                along = [1, 3] + [1] * (len(shape) - 2)
                outputs = []
                for step, x in enumerate(given[:4]):
                    layer.train(step < 3)
                    outputs.append(layer(x) * weight.reshape(along) + bias.reshape(along))
                if options.get("track", True):
                    outputs += [layer.running_mean, layer.running_var]
                return outputs

            family.case("batch_norm", function, *batches, *parameters, **options)


def rows(family):
    for shape, own in [((3, 5), (5,)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 4)), ((7,), (7,))]:
        for options in [{}, {"eps": 0.1}, {"bias": False}, {"affine": False}]:
            x = family.tensor(*shape, strided=own == (4,))
            affine, bias = options.get("affine", True), options.get("bias", True)
            parameters = [family.tensor(*own) for _ in range(affine + (affine and bias))]
            eps = options.get("eps", 1e-5)
            family.case("layer_norm", lambda x, *p: F.layer_norm(x, own, *p, eps=eps), x, *parameters, shape=own, **options)
            if "bias" not in options:
                family.case("rms_norm", lambda x, *p: F.rms_norm(x, own, *p, eps=options.get("eps")), x, *parameters[:1],
                            shape=own, **options)


def groups(family):
    for shape in [(2, 4), (2, 4, 3), (1, 4, 2, 3), (3, 4, 1, 2)]:
        for options in [{}, {"eps": 0.1}, {"affine": False}]:
            parameters = [family.tensor(4), family.tensor(4)] if options.get("affine", True) else []
            for count in (1, 2, 4):
                if count == 4 and len(shape) == 2:
                    continue  # a group of one element
                x = family.tensor(*shape, strided=count == 2)
                family.case("group_norm", lambda x, *p: F.group_norm(x, count, *p, eps=options.get("eps", 1e-5)), x,
                            *parameters, groups=count, **options)
            if len(shape) > 2:
                x = family.tensor(*shape)
                family.case("instance_norm", lambda x, *p: F.instance_norm(
                    x, None, None, *p, eps=options.get("eps", 1e-5)), x, *parameters, **options)
