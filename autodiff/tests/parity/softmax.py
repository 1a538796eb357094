"""Softmax and the cross-entropy of a classification."""
import torch
import torch.nn.functional as F

from cases import strides

ALONG = {"softmax": F.softmax, "softmin": F.softmin, "log_softmax": F.log_softmax}


def cases(family):
    for name, function in ALONG.items():
        for shape, axis in [((7,), 0), ((3, 5), 1), ((3, 5), 0), ((2, 3, 4), -2), ((4, 1), 1), ((2, 0), 0)]:
            x = strides(family.tensor(*shape, low=-4.0, high=4.0), len(shape) > 1)
            family.case(name, lambda x: function(x, dim=axis), x, axis=axis)
        family.case(name, lambda x: function(x, dim=0), torch.tensor([1000.0, 999.0, -1000.0]), axis=0)
    for shape in [(1, 4), (5, 3), (3, 1), (7, 2), (2, 9)]:
        labels = family.index(shape[0], below=shape[1])
        x = strides(family.tensor(*shape, low=-4.0, high=4.0))
        family.case("cross_entropy", lambda x: F.cross_entropy(x, torch.tensor(labels)), x, labels=labels)
        targets = F.softmax(family.tensor(*shape), dim=1)
        family.case("soft_cross_entropy", F.cross_entropy, x, targets)
    # Several axes of rows: PyTorch wants the classes along axis 1.
    x, labels = family.tensor(2, 3, 4), family.index(2, 3, below=4)
    family.case("cross_entropy", lambda x: F.cross_entropy(x.transpose(1, 2), torch.tensor(labels)), x, labels=labels)
