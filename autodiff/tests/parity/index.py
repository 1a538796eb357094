"""Reading and adding at indices."""
import torch
import torch.nn.functional as F


def cases(family):
    for shape, axis, count in [((5,), 0, 3), ((2, 3), 0, 4), ((2, 3), -1, 5), ((2, 3, 2), 1, 2), ((4, 2), 0, 0)]:
        index = family.index(count, below=shape[axis])
        family.case("index_select", lambda x: x.index_select(axis, torch.tensor(index, dtype=torch.long)),
                    family.tensor(*shape, strided=True), axis=axis, index=index)
    for shape, axis, to in [((5,), 0, (3,)), ((2, 3), 0, (4, 3)), ((2, 3), -1, (2, 5)), ((2, 3, 2), 1, (1, 2, 2)),
                            ((3, 4), 0, (2, 1))]:
        index = family.index(*to, below=shape[axis])
        family.case("gather", lambda x: x.gather(axis, torch.tensor(index)), family.tensor(*shape, strided=True),
                    axis=axis, index=index)
    for shape, axis, to in [((5,), 0, (3,)), ((2, 3), 0, (1, 3)), ((2, 3), -1, (1, 2)), ((2, 3, 2), 1, (2, 1, 1)),
                            ((1, 4), 1, (3, 2))]:
        index = family.index(*to, below=shape[axis])
        family.case("take_along", lambda x: torch.take_along_dim(x, torch.tensor(index), axis),
                    family.tensor(*shape, strided=True), axis=axis, index=index)
    for shape, axis, to in [((3,), 0, (5,)), ((2, 3), 0, (4, 3)), ((2, 3), -1, (2, 5)), ((2, 3, 2), 1, (1, 2, 2)),
                            ((3, 4), 0, (2, 1))]:
        index = family.index(*to, below=shape[axis])
        family.case("scatter_add", lambda x, source: x.scatter_add(axis, torch.tensor(index), source),
                    family.tensor(*shape, strided=True), family.tensor(*to, strided=True), axis=axis, index=index)
    for shape, axis, count in [((3,), 0, 5), ((2, 3), 0, 4), ((2, 3), -1, 2), ((2, 3, 2), 1, 3), ((4, 2), 0, 1)]:
        index = family.index(count, below=shape[axis])
        to = list(shape)
        to[axis] = count
        family.case("index_add", lambda x, source: x.index_add(axis, torch.tensor(index), source),
                    family.tensor(*shape, strided=True), family.tensor(*to, strided=True), axis=axis, index=index)
    for shape, to in [((4, 3), (5,)), ((2, 3), (2, 2)), ((3, 1), (1, 4)), ((5, 2), (2, 1, 3)), ((3, 4), (1,))]:
        index = family.index(*to, below=shape[0])
        family.case("embedding", lambda x: F.embedding(torch.tensor(index), x), family.tensor(*shape, strided=True),
                    index=index)
    for count, classes in [(1, 1), (3, 4), (5, 2), (2, 7), (4, 5)]:
        labels = family.index(count, below=classes)
        family.case("one_hot", lambda: F.one_hot(torch.tensor(labels), classes).to(torch.float64), labels=labels,
                    classes=classes)
    for shape, axis in [((5,), 0), ((2, 3), 0), ((2, 3), -1), ((2, 3, 2), 1), ((1, 4), 1)]:
        x = family.tensor(*shape, distinct=True, strided=True)
        family.case("arg_max", lambda x: x.argmax(axis), x, axis=axis)
        family.case("arg_min", lambda x: x.argmin(axis), x, axis=axis)
