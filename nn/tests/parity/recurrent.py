"""Recurrent layers. Weights are given as ours, `[inputs, outputs]`; PyTorch's are their transposes."""
import torch

STATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 1, "lstm": 2}
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def cases(family):
    for op in STATES:
        for layers in (1, 2):
            for bidirectional in (False, True):
                for more in ({}, {"state": True}, {"state": True, "time_first": True}, {"bias": False, "state": True},
                             {"strided": True}):
                    layer(family, op, layers, bidirectional, **more)
        for state in (False, True):
            layer(family, op, 1, False, sizes=(1, 1, 1, 1), state=state)
            layer(family, op, 1, False, sizes=(7, 3, 5, 1), state=state)
        for bias in (True, False):
            for sizes in ((2, 3, 2), (1, 1, 1), (3, 2, 3)):
                cell(family, op, *sizes, bias)


def layer(family, op, layers, bidirectional, sizes=(3, 2, 3, 2), state=False, time_first=False, bias=True,
          strided=False):
    time, batch, inputs, hidden = sizes
    directions = 1 + bidirectional
    x = family.tensor(*((time, batch) if time_first else (batch, time)), inputs, strided=strided)
    states = [family.tensor(layers * directions, batch, hidden) for _ in range(STATES[op] * state)]
    parameters = []
    for number in range(layers):
        for _ in range(directions):
            parameters += weights(family, op, hidden * directions if number else inputs, hidden, bias)

    def function(x, *rest):
        given = list(rest[:len(states)])
        if not given:
            given = [torch.zeros(layers * directions, batch, hidden) for _ in range(STATES[op])]
        turned = [p.t() if p.dim() == 2 else p for p in rest[len(states):]]
        start = tuple(given) if len(given) > 1 else given[0]
        return getattr(torch, op)(x, start, turned, bias, layers, 0.0, True, bidirectional, not time_first)

    family.case(op, function, x, *states, *parameters, layers=layers, hidden=hidden, bidirectional=bidirectional,
                state=state, time_first=time_first, bias=bias)


def cell(family, op, batch, inputs, hidden, bias):
    x = family.tensor(batch, inputs)
    states = [family.tensor(batch, hidden) for _ in range(STATES[op])]

    def function(x, *rest):
        given, own = rest[:len(states)], [p.t() if p.dim() == 2 else p for p in rest[len(states):]]
        return getattr(torch, f"{op}_cell")(x, given if len(given) > 1 else given[0], *own)

    family.case(f"{op}_cell", function, x, *states, *weights(family, op, inputs, hidden, bias), hidden=hidden, bias=bias)


def weights(family, op, inputs, hidden, bias):
    outputs = GATES[op] * hidden
    small = dict(low=-1.0, high=1.0)
    drawn = [family.tensor(inputs, outputs, **small), family.tensor(hidden, outputs, **small)]
    return drawn + [family.tensor(outputs, **small) for _ in range(2 * bias)]
