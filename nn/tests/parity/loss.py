"""Losses."""
import itertools

import torch
import torch.nn.functional as F

from cases import strides

REDUCTIONS = ["mean", "sum", "none", "batch_mean"]


def reduced(loss, reduction, first):
    """The loss with one of our reductions; `first` is the size of the first axis."""
    if reduction == "batch_mean":
        return loss(reduction="sum") / first
    return loss(reduction=reduction)


def cases(family):
    elementwise(family)
    labelled(family)
    binary(family)
    margins(family)


def shapes(family, low=-2.0, high=2.0):
    """An odd length, other strides, an axis of one."""
    yield family.tensor(7, low=low, high=high)
    yield family.tensor(3, 5, low=low, high=high, strided=True)
    yield family.tensor(2, 1, 3, low=low, high=high)


def elementwise(family):
    """Losses of predictions and targets of one shape."""
    any_, positive, unit = (-2.0, 2.0), (0.25, 4.0), (0.02, 0.98)
    log_p = (-4.0, -0.1)
    functions = {
        "squared_error": (F.mse_loss, any_, any_, [{}]),
        "absolute_error": (F.l1_loss, any_, any_, [{}]),
        "huber": (F.huber_loss, any_, any_, [{}, {"delta": 0.3}, {"delta": 2.5}]),
        "smooth_l1": (F.smooth_l1_loss, any_, any_, [{}, {"beta": 0.0}, {"beta": 0.3}, {"beta": 2.5}]),
        "poisson_nll": (poisson, any_, positive, [{}, {"full": True}]),
        "kl_divergence": (F.kl_div, log_p, unit, [{}]),
    }
    for op, (function, of_prediction, of_target, settings) in functions.items():
        for options in settings:
            for reduction in REDUCTIONS:
                for x in list(shapes(family, *of_prediction))[: 3 if not options else 2]:
                    y = family.tensor(*x.shape, low=of_target[0], high=of_target[1])
                    call = lambda a, b: reduced(
                        lambda reduction: function(a, b, reduction=reduction, **options), reduction, a.shape[0])
                    family.case(op, call, x, y, reduction=reduction, **options)
    for x in shapes(family, *positive):
        y = family.tensor(*x.shape, low=0.0, high=4.0)
        options = dict(log_input=False, full=False, eps=0.125)
        family.case("poisson_nll", lambda a, b: poisson(a, b, reduction="mean", **options), x, y,
                    reduction="mean", **options)
    for reduction in REDUCTIONS:
        for x in shapes(family, *log_p):
            y = family.tensor(*x.shape, low=log_p[0], high=log_p[1])
            call = lambda a, b: reduced(
                lambda reduction: F.kl_div(a, b, reduction=reduction, log_target=True), reduction, a.shape[0])
            family.case("kl_divergence", call, x, y, reduction=reduction, log_target=True)
    # The divergence proper, with a class that has no probability.
    log_p = torch.tensor([[-1.0, -0.5, -2.0], [-0.25, -3.0, -1.5]])
    family.case("kl_divergence", lambda x: F.kl_div(x, torch.tensor([[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]]),
                                                    reduction="batchmean"),
                log_p, reduction="batch_mean", target=[[1, 0, 1], [2, 0, 0]])
    for options in [{}, {"full": True}, {"eps": 0.5}]:
        for reduction in ["mean", "sum", "none"]:
            x = family.tensor(3, 5)
            y = family.tensor(3, 5, strided=True)
            for v in [family.tensor(3, 5, low=0.51, high=3.0), family.tensor(3, 1, low=0.51, high=3.0)]:
                family.case("gaussian_nll", lambda a, b, c: F.gaussian_nll_loss(a, b, c, reduction=reduction, **options),
                            x, y, v, reduction=reduction, **options)


def poisson(x, y, reduction, log_input=True, full=False, eps=1e-8):
    return F.poisson_nll_loss(x, y, log_input=log_input, full=full, eps=eps, reduction=reduction)


def labelled(family):
    """Losses of rows against labels. Our classes lie along the last axis, PyTorch's along axis 1."""
    settings = [
        {}, {"label_smoothing": 0.1}, {"ignore": 1}, {"ignore": 255, "label_smoothing": 0.25},
        {"weights": True}, {"weights": True, "label_smoothing": 0.3}, {"weights": True, "ignore": 2},
        {"weights": True, "ignore": 0, "label_smoothing": 0.05},
    ]
    turns = itertools.cycle([((5, 4), False), ((3, 7), True), ((2, 3, 4), False)])
    for options in settings:
        for reduction in REDUCTIONS:
            for shape, strided in itertools.islice(turns, 1):
                x = family.tensor(*shape, strided=strided)
                rows = x[..., 0].numel()
                labels = [family.random.randrange(shape[-1]) for _ in range(rows)]
                if "ignore" in options:
                    labels[1] = options["ignore"]
                weights = [family.random.randrange(1, 9) / 4 for _ in range(shape[-1])] if "weights" in options else None
                given = {k: v for k, v in options.items() if k != "weights"} | dict(reduction=reduction, labels=labels)
                if weights:
                    given["weights"] = weights
                told = dict(weight=weights and torch.tensor(weights), ignore_index=options.get("ignore", -100))
                target = torch.tensor(labels).reshape(shape[:-1])
                smoothing = options.get("label_smoothing", 0.0)
                family.case("cross_entropy", lambda x: reduced(
                    lambda reduction: F.cross_entropy(x.movedim(-1, 1), target, label_smoothing=smoothing,
                                                      reduction=reduction, **told), reduction, shape[0]), x, **given)
                if smoothing == 0.0:
                    family.case("nll", lambda x: reduced(
                        lambda reduction: F.nll_loss(x.movedim(-1, 1), target, reduction=reduction, **told),
                        reduction, shape[0]), x, **given)
    for options in [{}, {"label_smoothing": 0.2}, {"weights": True}, {"weights": True, "label_smoothing": 0.1}]:
        for reduction in REDUCTIONS:
            for shape, strided in itertools.islice(turns, 1):
                x = family.tensor(*shape, strided=strided)
                p = family.tensor(*shape, low=0.0, high=1.0)
                weights = [family.random.randrange(1, 9) / 4 for _ in range(shape[-1])] if "weights" in options else None
                given = {k: v for k, v in options.items() if k != "weights"} | dict(reduction=reduction)
                if weights:
                    given["weights"] = weights
                family.case("soft_cross_entropy", lambda x, p: reduced(
                    lambda reduction: F.cross_entropy(
                        x.movedim(-1, 1), p.movedim(-1, 1), weight=weights and torch.tensor(weights),
                        label_smoothing=options.get("label_smoothing", 0.0), reduction=reduction),
                    reduction, shape[0]), x, p, **given)
    # Logits that would overflow, and one that is masked out.
    extreme = torch.tensor([[1000.0, -1000.0, 999.0], [0.0, -float("inf"), 700.0]])
    for reduction in REDUCTIONS:
        target = torch.tensor([2, 0])
        family.case("cross_entropy", lambda x: reduced(
            lambda reduction: F.cross_entropy(x, target, reduction=reduction), reduction, 2),
            extreme, reduction=reduction, labels=[2, 0])


def binary(family):
    """Losses of yes and no."""
    for weighted in [False, True]:
        for reduction in REDUCTIONS:
            for shape, strided in [((7,), False), ((3, 5), True), ((2, 1, 3), False)]:
                p = family.tensor(*shape, low=0.02, high=0.98, strided=strided)
                t = family.tensor(*shape, low=0.0, high=1.0)
                weights = [family.random.randrange(1, 9) / 4 for _ in range(shape[-1])] if weighted else None
                given = dict(reduction=reduction) | (dict(weights=weights) if weighted else {})
                weight = weights and torch.tensor(weights)
                family.case("binary_cross_entropy", lambda p, t: reduced(
                    lambda reduction: F.binary_cross_entropy(p, t, weight=weight, reduction=reduction),
                    reduction, shape[0]), p, t, **given)
                for positive in [None, [family.random.randrange(1, 9) / 2 for _ in range(shape[-1])]]:
                    x = family.tensor(*shape, low=-8.0, high=8.0, strided=strided)
                    more = given | (dict(positive_weights=positive) if positive else {})
                    family.case("binary_cross_entropy_with_logits", lambda x, t: reduced(
                        lambda reduction: F.binary_cross_entropy_with_logits(
                            x, t, weight=weight, pos_weight=positive and torch.tensor(positive), reduction=reduction),
                        reduction, shape[0]), x, t, **more)
    # Where a logarithm is cut: values only, the gradients are meant to differ.
    certain = torch.tensor([0.0, 1.0, 0.0, 1.0])
    truth = torch.tensor([0.0, 1.0, 1.0, 0.0])
    family.case("binary_cross_entropy", lambda: F.binary_cross_entropy(certain, truth, reduction="none"),
                reduction="none", certain=[0, 1, 0, 1], truth=[0, 1, 1, 0])
    extreme = torch.tensor([1000.0, -1000.0, 50.0, -50.0])
    family.case("binary_cross_entropy_with_logits", lambda x: F.binary_cross_entropy_with_logits(
        x, truth, reduction="none"), extreme, reduction="none", truth=[0, 1, 1, 0])


def margins(family):
    """Hinges, rankings, embeddings."""
    def signs(*shape):
        return torch.tensor(family.index(*shape, below=2)).to(torch.float64) * 2 - 1

    for options in [{}, {"margin": 0.3}]:
        for reduction in REDUCTIONS:
            for x in list(shapes(family, 0.0, 2.0))[:2]:
                family.case("hinge_embedding", lambda x, y: reduced(
                    lambda reduction: F.hinge_embedding_loss(x, y, reduction=reduction, **options), reduction, x.shape[0]),
                    x, signs(*x.shape), reduction=reduction, **options)
            for shape in [(5, 4), (3, 7)]:
                x = strides(family.tensor(*shape, distinct=True), shape == (3, 7))
                labels = [family.random.randrange(shape[-1]) for _ in range(shape[0])]
                family.case("multi_margin", lambda x: reduced(
                    lambda reduction: F.multi_margin_loss(x, torch.tensor(labels), reduction=reduction, **options),
                    reduction, shape[0]), x, reduction=reduction, labels=labels, **options)
            for a in list(shapes(family))[:2]:
                b = family.tensor(*a.shape)
                family.case("margin_ranking", lambda a, b, y: reduced(
                    lambda reduction: F.margin_ranking_loss(a, b, y, reduction=reduction, **options), reduction, a.shape[0]),
                    a, b, signs(*a.shape), reduction=reduction, **options)
            for rows, n, strided in [(4, 3, False), (3, 5, True)]:
                a, b = family.tensor(rows, n, strided=strided), family.tensor(rows, n)
                family.case("cosine_embedding", lambda a, b, y: reduced(
                    lambda reduction: F.cosine_embedding_loss(a, b, y, reduction=reduction, **options), reduction, rows),
                    a, b, signs(rows), reduction=reduction, **options)
                for swap in [False, True]:
                    c = family.tensor(rows, n)
                    family.case("triplet_margin", lambda a, b, c: reduced(
                        lambda reduction: F.triplet_margin_loss(a, b, c, swap=swap, reduction=reduction, **options),
                        reduction, rows), a, b, c, reduction=reduction, swap=swap, **options)
