#!/usr/bin/env python3
"""The workloads of `cargo bench -p examples --bench workloads` in PyTorch, under the same names.

It prints the names as a JSON array, then reads one request a line, `THREADS NAME [STEPS]`, and answers each with a JSON
object a line. Without a number of steps,
it times the workload as the benchmark does: seconds per iteration, the median, smallest and largest of several
repetitions, each an inner loop of a fixed least duration, after a warm-up. With one, it does so many steps.

    echo 1 lenet_mnist_adam | python3 examples/benches/pytorch/workloads.py
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

WORKLOADS = {}


def workload(name):
    """Registers what builds the step of a workload."""
    def register(builder):
        WORKLOADS[name] = builder
        return builder
    return register


def measure(step, options):
    """Seconds per iteration, one figure a repetition."""
    start = time.perf_counter()
    count = 0
    while count < 3 or time.perf_counter() - start < options.warm_time:
        step()
        count += 1
    estimate = (time.perf_counter() - start) / count
    inner = max(1, round(options.rep_time / estimate))
    times = []
    for _ in range(options.reps):
        start = time.perf_counter()
        for _ in range(inner):
            step()
        times.append((time.perf_counter() - start) / inner)
    return times


# GEMM
def _gemm(m, k, n):
    def build():
        a, b = torch.randn(m, k), torch.randn(k, n)
        return lambda: torch.mm(a, b)
    return build


for _name, _dims in {
    "gemm_64": (64, 64, 64),
    "gemm_skinny": (128, 784, 256),
    "gemm_512": (512, 512, 512),
    "gemm_1024": (1024, 1024, 1024),
    "gemm_2048": (2048, 2048, 2048),
}.items():
    WORKLOADS[_name] = _gemm(*_dims)


@workload("gemm_1024_fwdbwd")
def _():
    a = torch.randn(1024, 1024, requires_grad=True)
    b = torch.randn(1024, 1024, requires_grad=True)
    g = torch.randn(1024, 1024)
    return lambda: torch.autograd.grad(a @ b, (a, b), g)


# per-op overhead
@workload("op_overhead_fwdbwd")
def _():
    a = torch.full((1,), 0.999, requires_grad=True)
    b = torch.full((1,), 0.001, requires_grad=True)

    def step():
        y = torch.ones(1)
        for _ in range(1000):
            y = y * a + b
        y.backward()
        a.grad = None
        b.grad = None
    return step


@workload("op_overhead_fwd")
def _():
    a, b = torch.full((1,), 0.999), torch.full((1,), 0.001)

    def step():
        y = torch.ones(1)
        for _ in range(1000):
            y = y * a + b
    return step


# elementwise and reductions
def _unary(fn, out_shape=(1024, 1024)):
    def build():
        x = torch.randn(1024, 1024, requires_grad=True)
        g = torch.ones(out_shape)

        def step():
            torch.autograd.grad(fn(x), x, g)
        return step
    return build


for _name, _fn, _shape in [
    ("ew_relu", F.relu, (1024, 1024)),
    ("ew_gelu_erf", F.gelu, (1024, 1024)),
    ("ew_gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), (1024, 1024)),
    ("ew_tanh", torch.tanh, (1024, 1024)),
    ("ew_exp", torch.exp, (1024, 1024)),
    ("ew_sigmoid", torch.sigmoid, (1024, 1024)),
    ("softmax_rows", lambda x: F.softmax(x, dim=1), (1024, 1024)),
    ("sum_axis0", lambda x: x.sum(0), (1024,)),
    ("sum_axis1", lambda x: x.sum(1), (1024,)),
]:
    WORKLOADS[_name] = _unary(_fn, _shape)


@workload("bcast_add")
def _():
    x = torch.randn(1024, 1024, requires_grad=True)
    b = torch.randn(1024, requires_grad=True)
    g = torch.ones(1024, 1024)
    return lambda: torch.autograd.grad(x + b, (x, b), g)


@workload("mul_same_shape")
def _():
    x = torch.randn(1024, 1024, requires_grad=True)
    y = torch.randn(1024, 1024, requires_grad=True)
    g = torch.ones(1024, 1024)
    return lambda: torch.autograd.grad(x * y, (x, y), g)


@workload("layernorm")
def _():
    x = torch.randn(1024, 1024, requires_grad=True)
    w = torch.ones(1024, requires_grad=True)
    b = torch.zeros(1024, requires_grad=True)
    g = torch.randn(1024, 1024)
    return lambda: torch.autograd.grad(F.layer_norm(x, (1024,), w, b), (x, w, b), g)


# training steps
def _train(model, x, y, opt):
    model.train()

    def step():
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    return step


def _mlp(dims):
    layers = []
    for i, (a, b) in enumerate(zip(dims, dims[1:])):
        layers.append(nn.Linear(a, b))
        if i < len(dims) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _mlp_workload(dims, batch, make_opt):
    def build():
        m = _mlp(dims)
        x, y = torch.randn(batch, dims[0]), torch.randint(0, dims[-1], (batch,))
        return _train(m, x, y, make_opt(m.parameters()))
    return build


def sgd(p):
    return torch.optim.SGD(p, lr=0.01, momentum=0.9)


def adam(p):
    return torch.optim.Adam(p, lr=1e-3)


WORKLOADS["mlp_mnist_sgd"] = _mlp_workload((784, 256, 128, 10), 128, sgd)
WORKLOADS["mlp_mnist_adam"] = _mlp_workload((784, 256, 128, 10), 128, adam)
WORKLOADS["mlp_tiny_sgd"] = _mlp_workload((64, 32, 10), 32, sgd)
WORKLOADS["mlp_tiny_adam"] = _mlp_workload((64, 32, 10), 32, adam)


def _lenet():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


@workload("lenet_mnist_adam")
def _():
    n = 64
    m = _lenet()
    x, y = torch.randn(n, 1, 28, 28), torch.randint(0, 10, (n,))
    return _train(m, x, y, adam(m.parameters()))


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.down = None
        if stride != 1 or cin != cout:
            self.down = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.down is None else self.down(x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        blocks, cin = [], 16
        for cout, stride in ((16, 1), (32, 2), (64, 2)):
            for i in range(3):
                blocks.append(BasicBlock(cin, cout, stride if i == 0 else 1))
                cin = cout
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.conv(x))))
        return self.fc(x.mean((2, 3)))


@workload("resnet_cifar_sgd")
def _():
    n = 64
    m = ResNet20()
    x, y = torch.randn(n, 3, 32, 32), torch.randint(0, 10, (n,))
    return _train(m, x, y, sgd(m.parameters()))


class Recurrent(nn.Module):
    def __init__(self, cell, hidden):
        super().__init__()
        self.rnn = cell(hidden, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 10)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.fc(y[:, -1])


def _rnn(cell):
    def build():
        n, t, h = 32, 64, 128
        m = Recurrent(cell, h)
        x, y = torch.randn(n, t, h), torch.randint(0, 10, (n,))
        return _train(m, x, y, sgd(m.parameters()))
    return build


WORKLOADS["lstm_h128_s64_b32"] = _rnn(nn.LSTM)
WORKLOADS["gru_h128_s64_b32"] = _rnn(nn.GRU)


class Block(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v)
        x = x + self.proj(a.transpose(1, 2).reshape(b, s, d))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


@workload("transformer_block")
def _():
    b, s, d, h = 16, 128, 256, 4
    m = Block(d, h)
    x = torch.randn(b, s, d, requires_grad=True)

    def step():
        m.zero_grad()
        x.grad = None
        m(x).square().mean().backward()
    return step


# single convolutions
CONVS = {       # n, cin, cout, input side, kernel, stride, pad, groups
    "conv3x3_64_56": (32, 64, 64, 56, 3, 1, 1, 1),
    "conv7x7s2_3_64": (32, 3, 64, 224, 7, 2, 3, 1),      # output 112x112
    "conv3x3_128_28": (32, 128, 128, 28, 3, 1, 1, 1),
    "conv1x1_64_256_56": (32, 64, 256, 56, 1, 1, 0, 1),
    "dwconv3x3_128_28": (32, 128, 128, 28, 3, 1, 1, 128),
}


def _conv(spec, backward):
    n, cin, cout, hw, k, s, p, g = spec

    def build():
        x = torch.randn(n, cin, hw, hw, requires_grad=backward)
        conv = nn.Conv2d(cin, cout, k, s, p, groups=g)
        side = (hw + 2 * p - k) // s + 1
        if not backward:
            def fwd():
                with torch.no_grad():
                    conv(x)
            return fwd
        go = torch.ones(n, cout, side, side)
        params = (x, conv.weight, conv.bias)
        return lambda: torch.autograd.grad(conv(x), params, go)
    return build


for _name, _spec in CONVS.items():
    WORKLOADS[_name + "_fwd"] = _conv(_spec, False)
    WORKLOADS[_name + "_fwdbwd"] = _conv(_spec, True)


def resident(field):
    """Mebibytes of a line of Linux's account of this process."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(field + ":"))


def main(workloads=WORKLOADS, description=__doc__):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=9, help="repetitions")
    parser.add_argument("--rep-time", type=float, default=0.12, help="least seconds of one repetition")
    parser.add_argument("--warm-time", type=float, default=0.4, help="seconds of warm-up")
    options = parser.parse_args()
    torch.manual_seed(0)
    print(json.dumps(list(workloads)), flush=True)
    for line in sys.stdin:
        threads, name, *steps = line.split()
        torch.set_num_threads(int(threads))
        row = {"system": "torch-" + torch.__version__, "workload": name, "threads": int(threads)}
        if steps:
            # What is free goes back to the system, and the most that there was is from now on counted anew.
            ctypes.CDLL(None).malloc_trim(0)
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            row["before_mib"] = resident("VmRSS")
        step = workloads[name]()
        if steps:
            for _ in range(int(steps[0])):
                step()
            row["peak_mib"] = resident("VmHWM")
        else:
            times = measure(step, options)
            row |= {"median_s": statistics.median(times), "min_s": min(times), "max_s": max(times), "reps": len(times)}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
