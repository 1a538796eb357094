#!/usr/bin/env python3
"""Writes what PyTorch and NumPy save, for the tests to load; and reads what the tests have saved.

    python nn/tests/save/make.py                          # writes torch/*.safetensors and numpy/*
    UPDATE_SAVED=1 cargo test -p nn --test all save       # writes ours/*
    python nn/tests/save/make.py check                    # loads ours/* there, and writes what comes out

Written with PyTorch 2.15, safetensors 0.8 and NumPy 2.4.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = pathlib.Path(__file__).parent


class Mlp(nn.Module):
    """Square weights, whose layout no shape tells."""

    input = (3, 4)

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 4)
        self.output = nn.Linear(4, 4)

    def forward(self, x):
        return self.output(torch.relu(self.hidden(x)))


class LeNet(nn.Module):
    input = (2, 1, 12, 12)

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 3, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 5))

    def forward(self, x):
        return self.classifier(self.features(x))


class Block(nn.Module):
    """A block of a residual network, with a projection where the shape changes."""

    input = (2, 3, 5, 5)

    def __init__(self, c_in=3, c_out=4, stride=2):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.downsample = nn.Sequential()
        if c_in != c_out:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.downsample(x))


class ResNet20(nn.Module):
    """He et al., arXiv:1512.03385, section 4.2, with the names of torchvision; a quarter of the channels keeps the file small."""

    input = (2, 3, 16, 16)

    def __init__(self, widths=(4, 8, 16)):
        super().__init__()
        a, b, c = widths
        self.conv1 = nn.Conv2d(3, a, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(a)
        self.layer1 = nn.Sequential(Block(a, a, 1), Block(a, a, 1), Block(a, a, 1))
        self.layer2 = nn.Sequential(Block(a, b, 2), Block(b, b, 1), Block(b, b, 1))
        self.layer3 = nn.Sequential(Block(b, c, 2), Block(c, c, 1), Block(c, c, 1))
        self.fc = nn.Linear(c, 10)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Recurrent(nn.Module):
    """Layers and directions, a square recurrent matrix, and cumulative statistics."""

    input = (2, 6, 3)

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.rnn = nn.RNN(8, 8, batch_first=True)
        self.norm = nn.BatchNorm1d(6, momentum=None)
        self.output = nn.Linear(8, 2)

    def forward(self, x):
        y, _ = self.rnn(self.lstm(x)[0])
        return self.output(self.norm(y))


class Attention(nn.TransformerEncoder):
    """The blocks of a transformer; square projections, and names with an underscore."""

    input = (2, 3, 4)

    def __init__(self):
        super().__init__(nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2, enable_nested_tensor=False)


MODELS = {
    "mlp": Mlp,
    "lenet": LeNet,
    "block": Block,
    "recurrent": Recurrent,
    "attention": Attention,
    "resnet20": ResNet20,
}


def make():
    for name, model in MODELS.items():
        torch.manual_seed(7)
        model = model()
        model.train()
        for _ in range(3):  # running statistics that are not those of the start
            model(torch.randn(model.input) * 2 + 1)
        model.eval()
        x = torch.randn(model.input)
        save_file(model.state_dict(), HERE / f"torch/{name}.safetensors")
        with torch.no_grad():
            save_file({"x": x, "logits": model(x)}, HERE / f"torch/{name}.run.safetensors")

    x = np.arange(6.0).reshape(2, 3) / 4
    arrays = {
        "double": x,
        "single.weight": x.astype("<f4"),
        "half": x.astype("<f2"),
        "big": x.astype(">f8"),
        "fortran": np.asfortranarray(x),
        "vector": x[1],
        "scalar": x[1, 2],
        "empty": x[:0],
        "steps": np.uint64(12),
    }
    np.savez(HERE / "numpy/stored.npz", **arrays)
    np.savez_compressed(HERE / "numpy/deflated.npz", **arrays)
    np.save(HERE / "numpy/x.npy", x)
    np.save(HERE / "numpy/whole.npy", np.arange(3))


def check():
    for name, model in MODELS.items():
        model = model().eval()
        model.load_state_dict(load_file(HERE / f"ours/{name}.safetensors"), strict=True)
        with torch.no_grad():
            logits = model(load_file(HERE / f"torch/{name}.run.safetensors")["x"])
        save_file({"logits": logits}, HERE / f"ours/{name}.logits.safetensors")
    arrays = dict(np.load(HERE / "ours/arrays.npz")) | {"npy": np.load(HERE / "ours/x.npy")}
    seen = {name: [str(a.dtype), list(a.shape), a.flatten().tolist()] for name, a in arrays.items()}
    (HERE / "ours/numpy.json").write_text(json.dumps(seen, sort_keys=True) + "\n")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else make()
