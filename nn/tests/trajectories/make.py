#!/usr/bin/env python3
"""Writes the losses of small models over twenty steps in PyTorch, for the test to compare with.

    python nn/tests/trajectories/make.py

Weights and data come from a formula, which the test has too. Written with PyTorch 2.15 on a CPU.
"""
import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

STEPS = 20


def waves(shape, number, dtype):
    """Element `i` of tensor `number`, counted along rows, is `sin(i (1 + 0.3 number) + number)`."""
    size = math.prod(shape)
    values = [math.sin(i * (1 + 0.3 * number) + number) for i in range(size)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype)


def fill(model, dtype):
    """Weights of a size that keeps activations alive. Matrices are laid out as ours, whose transposes these are."""
    with torch.no_grad():
        for number, p in enumerate(model.parameters()):
            if p.dim() == 1:
                # Those that are ones at first belong to normalisations.
                start = 1.0 if torch.all(p == 1.0) else 0.0
                p.copy_(start + 0.1 * waves(p.shape, number, torch.float64))
            elif p.dim() == 2:
                p.copy_((waves(p.t().shape, number, torch.float64) / math.sqrt(p.shape[1])).t())
            else:
                p.copy_(waves(p.shape, number, torch.float64) / math.sqrt(p[0].numel()))


def losses(model, loss, dtype, rate):
    model = model().to(dtype)
    fill(model, dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    found = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(model, dtype)
        value.backward()
        optimizer.step()
        found.append(value.item())
    return found


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
    def __init__(self, widths, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(widths[0])
        blocks, cin = [], widths[0]
        for cout, stride in zip(widths, (1, 2, 2)):
            for i in range(3):
                blocks.append(BasicBlock(cin, cout, stride if i == 0 else 1))
                cin = cout
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn(self.conv(x))))
        return self.fc(x.mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self, cell, hidden, classes):
        super().__init__()
        self.rnn = cell(hidden, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.fc(y[:, -1])


def classified(*shape, classes):
    """The loss of labels that take turns."""
    labels = torch.arange(shape[0]) % classes
    return lambda model, dtype: F.cross_entropy(model(2 * waves(shape, 0, dtype)), labels)


MODELS = {
    "transformer_block": (lambda: Block(8, 2), lambda model, dtype: model(2 * waves((2, 5, 8), 0, dtype)).square().mean(), 0.05),
    # With a larger rate, PyTorch's own f32 leaves its f64: a rounding decides which side of 0 a ReLU is on, and the
    # normalisation of a nearly constant channel makes that large.
    "resnet20": (lambda: ResNet20((6, 8, 10), 3), classified(12, 3, 8, 8, classes=3), 0.001),
    "lstm": (lambda: Recurrent(nn.LSTM, 6, 3), classified(4, 7, 6, classes=3), 0.1),
    "gru": (lambda: Recurrent(nn.GRU, 6, 3), classified(4, 7, 6, classes=3), 0.1),
}


def main():
    torch.set_num_threads(1)
    rows = []
    for name, (model, loss, rate) in MODELS.items():
        found = {kind: losses(model, loss, dtype, rate) for kind, dtype in [("f64", torch.float64), ("f32", torch.float32)]}
        print(f"{name}: {found['f64'][0]:.6f} to {found['f64'][-1]:.6f}")
        worst = max(abs(a - b) / b for a, b in zip(found["f32"], found["f64"]))
        print(f"    single from double precision: {worst:.1e}")
        rows.append(f"{json.dumps(name)}: {json.dumps({'rate': rate} | found)}")
    (pathlib.Path(__file__).parent / "losses.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
