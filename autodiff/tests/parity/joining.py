"""Joining and repeating."""
import torch


def cases(family):
    for shapes, axis in [([(2,), (3,)], 0), ([(2, 3), (1, 3)], 0), ([(2, 3), (2, 1), (2, 2)], -1),
                         ([(2, 1, 3), (2, 2, 3)], 1), ([(2, 0), (2, 3)], 1)]:
        parts = [family.tensor(*shape, strided=True) for shape in shapes]
        family.case("cat", lambda *x: torch.cat(x, axis), *parts, axis=axis)
    for shape, count, axis in [((), 3, 0), ((3,), 2, 0), ((3,), 2, -1), ((2, 3), 3, 1), ((2, 3), 1, -2)]:
        parts = [family.tensor(*shape, strided=True) for _ in range(count)]
        family.case("stack", lambda *x: torch.stack(x, axis), *parts, axis=axis)
    for shape, shift, axis in [((5,), 2, 0), ((5,), -7, 0), ((2, 3), 1, -1), ((2, 3, 2), 2, 1), ((2, 0), 3, 1), ((4,), 0, 0)]:
        family.case("roll", lambda x: x.roll(shift, axis), family.tensor(*shape, strided=True), shift=shift, axis=axis)
    for shape, times in [((3,), (2,)), ((2, 3), (2,)), ((2, 3), (3, 2)), ((3,), (2, 2)), ((2, 1, 3), (1, 3, 1)), ((), (3,)),
                         ((2,), (0,))]:
        family.case("tile", lambda x: x.tile(times), family.tensor(*shape, strided=True), times=times)
    for shape, times, axis in [((3,), 2, 0), ((2, 3), 3, 0), ((2, 3), 2, -1), ((2, 3, 2), 2, 1), ((2, 3), 0, 1), ((2, 0), 2, 1)]:
        family.case("repeat_interleave", lambda x: x.repeat_interleave(times, axis), family.tensor(*shape, strided=True),
                    times=times, axis=axis)
    for sizes in [(3,), (2, 3), (3, 1), (2, 3, 2), (0, 2)]:
        vectors = [family.tensor(n) for n in sizes]
        family.case("meshgrid", lambda *x: torch.meshgrid(*x, indexing="ij"), *vectors)
