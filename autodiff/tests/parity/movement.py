"""The same elements in another place."""
import torch


def cases(family):
    for shape, to in [((2, 3), (3, 2)), ((6,), (2, -1)), ((2, 1, 3), (6,)), ((1,), ()), ((0, 2), (2, 0))]:
        for strided in [False, True]:
            x = family.tensor(*shape, strided=strided)
            family.case("reshape", lambda x: x.reshape(to), x, to=to)
    for shape, axis in [((2, 3), 0), ((2, 3, 2), 1), ((2, 3, 2), -2), ((5,), -1), ((2, 0, 3), 1)]:
        family.case("flatten", lambda x: x.flatten(axis), family.tensor(*shape, strided=True), axis=axis)
    for shape, axis in [((), 0), ((3,), 0), ((3,), -1), ((2, 3), 1), ((2, 3), -3)]:
        family.case("unsqueeze", lambda x: x.unsqueeze(axis), family.tensor(*shape, strided=True), axis=axis)
    for shape, axis in [((1,), 0), ((3, 1), -1), ((1, 3), 0), ((2, 1, 3), 1), ((2, 0, 1), 2)]:
        family.case("squeeze", lambda x: x.squeeze(axis), family.tensor(*shape, strided=True), axis=axis)
    for shape, order in [((), ()), ((3,), (0,)), ((2, 3), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 1, 3), (0, -1, 1))]:
        family.case("permute", lambda x: x.permute(order), family.tensor(*shape, strided=True), order=order)
    for shape, a, b in [((3,), 0, 0), ((2, 3), 0, 1), ((2, 3, 4), 0, -1), ((2, 3, 2), -2, 1), ((2, 1, 0), 1, 2)]:
        family.case("transpose", lambda x: x.transpose(a, b), family.tensor(*shape, strided=True), a=a, b=b)
    for shape in [(2, 3), (1, 4), (2, 3, 2), (0, 2), (3, 3)]:
        family.case("t", lambda x: x.mT, family.tensor(*shape, strided=True))
    for shape, to in [((), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((2, 3), (2, 3)), ((1, 3, 1), (2, 2, 3, 2))]:
        family.case("broadcast_to", lambda x: x.broadcast_to(to), family.tensor(*shape, strided=True), to=to)
    for shape, axis in [((5,), 0), ((2, 3), 0), ((2, 3), -1), ((2, 3, 2), 1), ((2, 0), 1)]:
        family.case("flip", lambda x: x.flip(axis), family.tensor(*shape, strided=True), axis=axis)
