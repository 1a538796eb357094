"""Writes trajectories.json and schedules.json: what torch.optim does, in double precision.

    python optim/tests/parity/make.py      # PyTorch 2.15, no other package

Every optimiser takes steps on the same small network, from the same weights, on the same data. What PyTorch lacks (Lion,
LAMB) is written here from the formulas of the papers.
"""

import json
import pathlib

import torch
from torch.optim import lr_scheduler as schedulers
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
STEPS = 20

DATA = [[-1.2, 0.4], [-0.5, -0.9], [0.1, 0.8], [0.7, -0.3], [1.1, 0.6]]
TARGETS = [[0.9], [-0.4], [0.3], [-1.1], [0.5]]
START = {
    "hidden.weight": [[0.6, -0.3, 0.2], [0.1, 0.5, -0.7]],
    "hidden.bias": [0.05, -0.1, 0.2],
    "out.weight": [[0.4], [-0.6], [0.3]],
    "out.bias": [0.1],
}


class Net(torch.nn.Module):
    """tanh(x W + b) V + c"""

    def __init__(self):
        super().__init__()
        self.values = torch.nn.ParameterList([torch.tensor(v) for v in START.values()])

    def loss(self):
        w, b, v, c = self.values
        out = (torch.tensor(DATA) @ w + b).tanh() @ v + c
        return (out - torch.tensor(TARGETS)).square().mean()

    def flat(self):
        return torch.cat([p.detach().flatten() for p in self.values]).tolist()


class Lion(torch.optim.Optimizer):
    """arXiv:2302.06675, algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
            for p in group["params"]:
                m = self.state[p].get("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p.copy_(p - lr * (c.sign() + decay * p))
                self.state[p]["m"] = beta2 * m + (1 - beta2) * p.grad


class Lamb(torch.optim.Optimizer):
    """arXiv:1904.00962, algorithm 2, with phi the identity."""

    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2), eps, decay = (group[k] for k in ("lr", "betas", "eps", "weight_decay"))
            for p in group["params"]:
                m, v, t = self.state[p].get("all", (torch.zeros_like(p), torch.zeros_like(p), 0))
                t += 1
                m = beta1 * m + (1 - beta1) * p.grad
                v = beta2 * v + (1 - beta2) * p.grad**2
                self.state[p]["all"] = (m, v, t)
                r = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
                u = r + decay * p
                p.copy_(p - lr * p.norm() / u.norm() * u)


O = torch.optim
OPTIMIZERS = {
    "sgd": lambda p: O.SGD(p, 0.1),
    "sgd, decay": lambda p: O.SGD(p, 0.1, weight_decay=0.2),
    "momentum": lambda p: O.SGD(p, 0.05, momentum=0.9),
    "momentum, decay": lambda p: O.SGD(p, 0.05, momentum=0.5, weight_decay=0.2),
    "momentum, dampening": lambda p: O.SGD(p, 0.05, momentum=0.9, dampening=0.3, weight_decay=0.1),
    "nesterov": lambda p: O.SGD(p, 0.05, momentum=0.9, nesterov=True),
    "nesterov, decay": lambda p: O.SGD(p, 0.05, momentum=0.8, nesterov=True, weight_decay=0.2),
    "adagrad": lambda p: O.Adagrad(p, 0.1),
    "adagrad, decay": lambda p: O.Adagrad(p, 0.1, eps=1e-2, weight_decay=0.2),
    "adagrad, rate decay": lambda p: O.Adagrad(p, 0.1, lr_decay=0.1),
    "adagrad, initial": lambda p: O.Adagrad(p, 0.1, initial_accumulator_value=0.5, lr_decay=0.05),
    "rmsprop": lambda p: O.RMSprop(p, 0.01),
    "rmsprop, decay": lambda p: O.RMSprop(p, 0.01, alpha=0.9, eps=1e-3, weight_decay=0.2),
    "rmsprop, centered": lambda p: O.RMSprop(p, 0.01, centered=True),
    "rmsprop, momentum": lambda p: O.RMSprop(p, 0.005, momentum=0.8),
    "rmsprop, all": lambda p: O.RMSprop(p, 0.005, alpha=0.9, centered=True, momentum=0.7, weight_decay=0.1),
    "adadelta": lambda p: O.Adadelta(p, 1.0),
    "adadelta, set": lambda p: O.Adadelta(p, 0.5, rho=0.8, eps=1e-3),
    "adadelta, decay": lambda p: O.Adadelta(p, 1.0, eps=1e-3, weight_decay=0.2),
    "adam": lambda p: O.Adam(p, 0.05),
    "adam, set": lambda p: O.Adam(p, 0.05, betas=(0.8, 0.9), eps=1e-3),
    "adam, decay": lambda p: O.Adam(p, 0.05, weight_decay=0.2),
    "adam, amsgrad": lambda p: O.Adam(p, 0.05, betas=(0.5, 0.6), amsgrad=True),
    "adamw": lambda p: O.AdamW(p, 0.05),
    "adamw, decay": lambda p: O.AdamW(p, 0.05, betas=(0.8, 0.9), weight_decay=0.2),
    "adamw, amsgrad": lambda p: O.AdamW(p, 0.05, betas=(0.5, 0.6), amsgrad=True, weight_decay=0.1),
    "adamax": lambda p: O.Adamax(p, 0.05),
    "adamax, set": lambda p: O.Adamax(p, 0.05, betas=(0.7, 0.8), eps=1e-2),
    "adamax, decay": lambda p: O.Adamax(p, 0.05, weight_decay=0.2),
    "nadam": lambda p: O.NAdam(p, 0.05),
    "nadam, set": lambda p: O.NAdam(p, 0.05, betas=(0.8, 0.9), eps=1e-3, momentum_decay=0.1),
    "nadam, decay": lambda p: O.NAdam(p, 0.05, weight_decay=0.2),
    "nadam, decoupled": lambda p: O.NAdam(p, 0.05, weight_decay=0.2, decoupled_weight_decay=True),
    "radam": lambda p: O.RAdam(p, 0.05),
    "radam, set": lambda p: O.RAdam(p, 0.05, betas=(0.8, 0.9), eps=1e-3),
    "radam, never": lambda p: O.RAdam(p, 0.05, betas=(0.9, 0.5)),
    "radam, decay": lambda p: O.RAdam(p, 0.05, weight_decay=0.2),
    "radam, decoupled": lambda p: O.RAdam(p, 0.05, weight_decay=0.2, decoupled_weight_decay=True),
    "rprop": lambda p: O.Rprop(p, 0.02),
    "rprop, set": lambda p: O.Rprop(p, 0.05, etas=(0.3, 1.5), step_sizes=(1e-3, 0.1)),
    "lion": lambda p: Lion(p, 0.02),
    "lion, set": lambda p: Lion(p, 0.02, betas=(0.8, 0.7)),
    "lion, decay": lambda p: Lion(p, 0.02, weight_decay=0.3),
    "lamb": lambda p: Lamb(p, 0.05),
    "lamb, set": lambda p: Lamb(p, 0.05, betas=(0.8, 0.9), eps=1e-2),
    "lamb, decay": lambda p: Lamb(p, 0.05, weight_decay=0.5),
}


def trajectory(optimizer, net, scheduler=None, before=lambda: None, after=lambda: None):
    """The loss before each step, and the weights after the first, the second and the last."""
    losses, weights = [], []
    for t in range(STEPS):
        optimizer.zero_grad()
        loss = net.loss()
        loss.backward()
        before()
        optimizer.step()
        after()
        if scheduler is not None:
            scheduler.step()
        losses.append(loss.item())
        if t in (0, 1, STEPS - 1):
            weights.append(net.flat())
    return {"losses": losses, "weights": weights}


def optimizers():
    cases = {}
    for name, make in OPTIMIZERS.items():
        net = Net()
        cases[name] = trajectory(make(net.parameters()), net)
    return cases


def groups():
    """Biases without decay; the output at a tenth of the rate; its bias frozen."""

    def of(make):
        net = Net()
        w, b, v, c = net.values
        c.requires_grad_(False)
        optimizer = make(
            [
                {"params": [w]},
                {"params": [b], "weight_decay": 0.0},
                {"params": [v], "lr": 0.1 * 0.05},
            ]
        )
        return trajectory(optimizer, net)

    return {
        "sgd": of(lambda p: O.SGD(p, 0.05, weight_decay=0.2)),
        "adamw": of(lambda p: O.AdamW(p, 0.05, weight_decay=0.2)),
        "lamb": of(lambda p: Lamb(p, 0.05, weight_decay=0.2)),
    }


def changing_rate():
    """The learning rate halves every five steps."""

    def of(make):
        net = Net()
        optimizer = make(net.parameters())
        return trajectory(optimizer, net, schedulers.StepLR(optimizer, 5, 0.5))

    return {
        "adam": of(lambda p: O.Adam(p, 0.1)),
        "adamw": of(lambda p: O.AdamW(p, 0.1, weight_decay=0.2)),
        "nadam": of(lambda p: O.NAdam(p, 0.1)),
        "adagrad": of(lambda p: O.Adagrad(p, 0.1)),
        "rprop": of(lambda p: O.Rprop(p, 0.02)),
    }


def clipping():
    """The norm of the first gradient, the gradient clipped, and SGD on clipped gradients."""
    cases = {}
    for name, clip in {
        "norm": lambda p: torch.nn.utils.clip_grad_norm_(p, 0.3),
        "values": lambda p: torch.nn.utils.clip_grad_value_(p, 0.1),
    }.items():
        net = Net()
        net.loss().backward()
        norm = torch.cat([p.grad.flatten() for p in net.parameters()]).norm()
        clip(net.parameters())
        gradient = torch.cat([p.grad.flatten() for p in net.parameters()])
        cases[name] = {"norm": norm.item(), "gradient": gradient.tolist()}
    return cases


def averages():
    """The averages of the weights after each of the steps of SGD."""
    cases = {}
    for name, multi_avg_fn in {"swa": None, "ema": get_ema_multi_avg_fn(0.9)}.items():
        net = Net()
        average = AveragedModel(net, multi_avg_fn=multi_avg_fn)
        trajectory(O.SGD(net.parameters(), 0.1), net, after=lambda: average.update_parameters(net))
        cases[name] = average.module.flat()
    return cases


LBFGS = {
    "fixed": dict(lr=0.3, max_iter=3),
    "fixed, history": dict(lr=0.3, max_iter=6, history_size=2),
    "wolfe": dict(max_iter=3, line_search_fn="strong_wolfe"),
    "wolfe, history": dict(lr=0.5, max_iter=4, history_size=2, line_search_fn="strong_wolfe"),
    "wolfe, long": dict(lr=40.0, max_iter=3, max_eval=25, line_search_fn="strong_wolfe"),
    "wolfe, short": dict(lr=0.01, max_iter=3, max_eval=25, line_search_fn="strong_wolfe"),
    "wolfe, few": dict(lr=40.0, max_iter=3, max_eval=3, line_search_fn="strong_wolfe"),
}


def lbfgs():
    cases = {}
    for name, options in LBFGS.items():
        net = Net()
        optimizer = O.LBFGS(net.parameters(), **options)
        losses, weights, evaluations = [], [], []

        def closure():
            optimizer.zero_grad()
            loss = net.loss()
            loss.backward()
            return loss

        # No more steps: differences of gradients that are nearly equal amplify what rounding has left.
        for _ in range(3):
            losses.append(optimizer.step(closure).item())
            weights.append(net.flat())
            evaluations.append(optimizer.state[net.values[0]]["func_evals"])
        cases[name] = {"losses": losses, "weights": weights, "evaluations": evaluations}
    return cases


S = schedulers
SCHEDULES = {
    "step": lambda o: S.StepLR(o, 7, 0.3),
    "step, one": lambda o: S.StepLR(o, 1, 0.9),
    "multi step": lambda o: S.MultiStepLR(o, [3, 10, 11, 25], 0.5),
    "multi step, twice": lambda o: S.MultiStepLR(o, [4, 4, 9], 0.5),
    "exponential": lambda o: S.ExponentialLR(o, 0.95),
    "polynomial": lambda o: S.PolynomialLR(o, 20, 2.0),
    "polynomial, root": lambda o: S.PolynomialLR(o, 30, 0.5),
    "polynomial, power 0": lambda o: S.PolynomialLR(o, 20, 0.0),
    "linear": lambda o: S.LinearLR(o, 1 / 3, 1.0, 5),
    "linear, down": lambda o: S.LinearLR(o, 0.8, 0.1, 12),
    "cosine": lambda o: S.CosineAnnealingLR(o, 30),
    "cosine, floor": lambda o: S.CosineAnnealingLR(o, 30, 0.1),
    "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 8),
    "restarts, longer": lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2, 0.05),
    "one cycle": lambda o: S.OneCycleLR(o, 1.0, 31),
    "one cycle, linear": lambda o: S.OneCycleLR(o, 1.0, 31, pct_start=0.4, anneal_strategy="linear"),
    "one cycle, three": lambda o: S.OneCycleLR(
        o, 1.0, 31, pct_start=0.25, div_factor=10.0, final_div_factor=100.0, three_phase=True
    ),
    "one cycle, up alone": lambda o: S.OneCycleLR(o, 1.0, 31, pct_start=1.0),
    "one cycle, down alone": lambda o: S.OneCycleLR(o, 1.0, 31, pct_start=0.0),
    "one cycle, three, cut off": lambda o: S.OneCycleLR(o, 1.0, 31, pct_start=0.6, three_phase=True),
    "one cycle, three, half each": lambda o: S.OneCycleLR(o, 1.0, 31, pct_start=0.5, three_phase=True),
    "constant": lambda o: S.ConstantLR(o, 0.25, 6),
    "chained": lambda o: S.ChainedScheduler([S.LinearLR(o, 0.1, 1.0, 4), S.ExponentialLR(o, 0.9), S.StepLR(o, 10, 0.5)]),
    "sequential": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, 1.0, 5), S.CosineAnnealingLR(o, 15), S.ExponentialLR(o, 0.8)], [5, 20]
    ),
}

METRICS = [5.0, 4.0, 4.1, 3.9996, 4.2, 3.0, 3.0, 3.1, 2.999, 3.2, 3.3, 2.0, float("nan"), 2.5, 2.4]
METRICS += [1.0] + 14 * [1.5] + [0.9, 0.95, 0.95, 0.95, 0.95]
PLATEAUS = {
    "defaults": dict(),
    "patient": dict(factor=0.5, patience=2),
    "absolute": dict(factor=0.5, patience=1, threshold=0.05, threshold_mode="abs"),
    "largest": dict(mode="max", factor=0.5, patience=1),
    "largest, absolute": dict(mode="max", factor=0.7, patience=1, threshold=0.2, threshold_mode="abs"),
    "cooldown": dict(factor=0.5, patience=1, cooldown=3),
    "floor": dict(factor=0.3, patience=0, min_lr=0.05),
    "epsilon": dict(factor=0.3, patience=0, eps=0.1),
}


def rates(make):
    optimizer = O.SGD([torch.zeros(1)], 1.0, momentum=0.9)
    scheduler = make(optimizer)
    values = []
    for _ in range(31):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(values) < 31:
            scheduler.step()
    return values


def plateau(options):
    optimizer = O.SGD([torch.zeros(1)], 1.0)
    scheduler = schedulers.ReduceLROnPlateau(optimizer, **options)
    values = []
    for metric in METRICS:
        scheduler.step(10 - metric if options.get("mode") == "max" else metric)
        values.append(optimizer.param_groups[0]["lr"])
    return values


def write(name, content):
    """One line a case."""
    groups = [
        json.dumps(group) + ": {\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in cases.items()) + "\n}"
        for group, cases in content.items()
    ]
    (HERE / name).write_text("{\n" + ",\n".join(groups) + "\n}\n")


write(
    "trajectories.json",
    {
        "optimizers": optimizers(),
        "groups": groups(),
        "changing rate": changing_rate(),
        "clipping": clipping(),
        "averages": averages(),
        "lbfgs": lbfgs(),
    },
)
write(
    "schedules.json",
    {
        "schedules": {name: rates(make) for name, make in SCHEDULES.items()},
        "plateaus": {name: plateau(options) for name, options in PLATEAUS.items()},
    },
)
