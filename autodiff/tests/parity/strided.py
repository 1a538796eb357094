"""Diagonals, triangles and windows."""
import torch

MATRICES = [(3, 3), (2, 4), (4, 2), (2, 3, 3), (1, 3), (0, 2)]


def cases(family):
    for shape, offset, rows, columns in [((3, 3), 0, 0, 1), ((2, 4), 1, 0, 1), ((4, 2), -2, 0, 1), ((3, 4), 1, 1, 0),
                                         ((2, 3, 4), 0, 0, 2), ((2, 3, 4), -1, -1, 1), ((2, 3), 3, 0, 1)]:
        x = family.tensor(*shape, strided=True)
        family.case("diagonal", lambda x: x.diagonal(offset, rows, columns), x, offset=offset, rows=rows, columns=columns)
    for shape, offset in [((3,), 0), ((3,), 1), ((2,), -2), ((2, 3), 0), ((2, 1, 2), -1), ((0,), 1)]:
        family.case("diag", lambda x: torch.diag_embed(x, offset), family.tensor(*shape, strided=True), offset=offset)
    for shape in MATRICES:
        x = family.tensor(*shape, strided=True)
        # PyTorch's own trace takes a single matrix.
        trace = torch.trace if len(shape) == 2 else lambda x: x.diagonal(0, -2, -1).sum(-1)
        family.case("trace", trace, x)
    for name, function in [("tril", torch.tril), ("triu", torch.triu)]:
        for shape, k in zip(MATRICES, [0, 1, -1, -2, 2, 0]):
            family.case(name, lambda x: function(x, k), family.tensor(*shape, strided=True), k=k)
    for shape, axis, size, step in [((6,), 0, 3, 1), ((7,), 0, 3, 2), ((7,), 0, 2, 3), ((2, 5), -1, 2, 1), ((5, 2), 0, 4, 1),
                                    ((2, 4, 2), 1, 4, 1), ((3,), 0, 0, 1)]:
        x = family.tensor(*shape, strided=True)
        family.case("unfold", lambda x: x.unfold(axis, size, step), x, axis=axis, size=size, step=step)
