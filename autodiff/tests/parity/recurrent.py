"""Recurrent layers through time, whose input is already multiplied: PyTorch's weight of the input is the identity."""
import torch

# Time, batch, units, and whether the input is strided.
SIZES = [(1, 1, 1, False), (3, 2, 2, False), (5, 1, 3, True), (2, 3, 1, False), (4, 2, 2, True), (2, 1, 5, False)]


def cases(family):
    for time, batch, units, strided in SIZES:
        start = lambda: family.tensor(batch, units)
        run = lambda gates, biases: (
            family.tensor(time, batch, gates * units, strided=strided),
            family.tensor(units, gates * units, strided=strided),
            family.tensor(biases * units),
        )
        family.case("lstm", lstm, *run(4, 4), start(), start())
        family.case("gru", gru, *run(3, 4), start())
        family.case("rnn_tanh", lambda *x: simple(torch.rnn_tanh, *x), *run(1, 1), start())
        family.case("rnn_relu", lambda *x: simple(torch.rnn_relu, *x), *run(1, 1), start())


def call(function, x, weight, ih, hh, start):
    identity = torch.eye(x.shape[-1])
    return function(x, start, [identity, weight.t(), ih, hh], True, 1, 0.0, True, False, False)


def lstm(x, weight, bias, hidden, cell):
    outputs, _, last = call(torch.lstm, x, weight, bias, torch.zeros_like(bias), (hidden[None], cell[None]))
    return outputs, last[0]


def gru(x, weight, bias, hidden):
    """Our biases are those of the three gates, and the one of the product in the third."""
    units = hidden.shape[1]
    none = torch.zeros(2 * units)
    return call(torch.gru, x, weight, bias[:3 * units], torch.cat([none, bias[3 * units:]]), hidden[None])[0]


def simple(function, x, weight, bias, hidden):
    return call(function, x, weight, bias, torch.zeros_like(bias), hidden[None])[0]
