"""Parts."""
import torch

# What is written in Python, and in Rust.
INDICES = {
    "x[1]": lambda x: x[1],
    "x[-1]": lambda x: x[-1],
    "x[1:-1]": lambda x: x[1:-1],
    "x[:, 0]": lambda x: x[:, 0],
    "x[..., -2:]": lambda x: x[..., -2:],
    "x[::2, 1, None]": lambda x: x[::2, 1, None],
    "x[0, ..., 1]": lambda x: x[0, ..., 1],
}


def cases(family):
    for shape, axis, start, end in [((5,), 0, 1, 4), ((2, 3), 1, 0, 2), ((2, 3), -2, 1, 2), ((2, 3, 2), 1, 2, 3),
                                    ((4,), 0, 2, 2)]:
        x = family.tensor(*shape, strided=True)
        family.case("slice", lambda x: x.narrow(axis, start, end - start), x, axis=axis, start=start, end=end)
    for shape, start, end, step in [((5,), 0, 5, 2), ((5, 2), 1, 5, 3), ((7,), 2, 6, 1), ((4, 3), 0, 4, 9), ((4,), 1, 1, 2)]:
        x = family.tensor(*shape, strided=True)
        family.case("slice_step", lambda x: x[start:end:step], x, start=start, end=end, step=step)
    for text, function in INDICES.items():
        for shape in [(3, 4), (3, 2, 5)]:
            family.case("at", function, family.tensor(*shape, strided=True), text=text)
    for shape, sizes, axis in [((5,), (2, 3), 0), ((5,), (1, 0, 4), 0), ((2, 4), (3, 1), 1), ((3, 2, 2), (1, 1, 1), -3),
                               ((2, 0), (0, 0), -1)]:
        x = family.tensor(*shape, strided=True)
        family.case("split", lambda x: x.split(sizes, axis), x, sizes=sizes, axis=axis)
    for shape, chunks, axis in [((6,), 3, 0), ((5,), 3, 0), ((5,), 4, 0), ((2, 7), 2, -1), ((3, 2), 5, 0), ((0, 2), 3, 0)]:
        x = family.tensor(*shape, strided=True)
        family.case("chunk", lambda x: x.chunk(chunks, axis), x, chunks=chunks, axis=axis)
