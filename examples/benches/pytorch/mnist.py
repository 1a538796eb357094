#!/usr/bin/env python3
"""The job of `cargo run --release --example mnist` in PyTorch: the same network, data, batches, optimiser and schedule.

It reads the same files, trains for the same three epochs, tests on the same images, and prints the same two figures. What
differs is what each framework does by itself: the initial weights' distribution, and the random numbers.

    python3 examples/benches/pytorch/mnist.py --threads 2
"""
import argparse
import gzip
import math
import os
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../datasets/data/mnist")
EPOCHS, BATCH, RATE = 3, 64, 0.002


def idx(name):
    """The bytes of an IDX file, in its shape."""
    with gzip.open(os.path.join(DATA, name)) as file:
        content = bytearray(file.read())
    assert content[:3] == b"\0\0\x08", f"{name}: not an IDX file of bytes"
    rank = content[3]
    shape = [int.from_bytes(content[4 + 4 * axis:8 + 4 * axis], "big") for axis in range(rank)]
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 + 4 * rank).view(shape)


def dataset(part):
    """Images of one channel from 0 to 1, and their labels."""
    images = idx(f"{part}-images-idx3-ubyte.gz").unsqueeze(1).float() / 255
    return images, idx(f"{part}-labels-idx1-ubyte.gz").long()


class Cnn(nn.Module):
    """Two convolutions, each with pooling and ReLU, then two affine layers with dropout between."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.output = nn.Linear(64 * 7 * 7, 128), nn.Linear(128, 10)

    def forward(self, images):
        x = F.relu(F.max_pool2d(self.conv1(images), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = F.relu(self.hidden(x.flatten(1)))
        return self.output(F.dropout(x, 0.5, self.training))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    images, labels = dataset("train")
    test_images, test_labels = dataset("t10k")

    model = Cnn()
    start = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = EPOCHS * math.ceil(len(images) / BATCH)
    step = 0
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            step += 1
    print(f"trained in {time.perf_counter() - start:.1f} s")

    model.eval()
    with torch.no_grad():
        right = sum(
            (model(x).argmax(1) == y).sum().item()
            for x, y in zip(test_images.split(500), test_labels.split(500)))
    print(f"test accuracy: {100 * right / len(test_images):.2f} %")


if __name__ == "__main__":
    main()
