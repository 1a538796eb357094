"""Padding."""
import torch
import torch.nn.functional as F

# The shape, and a pair of widths for each of the last axes.
CASES = [((2, 5), [(1, 2)]), ((2, 3, 5), [(2, 0)]), ((1, 2, 3, 4), [(1, 2), (3, 1)]), ((1, 1, 4, 3), [(0, 1), (2, 2)]),
         ((1, 1, 3, 2, 3), [(1, 0), (1, 1), (2, 1)]), ((2, 3), [(0, 0)])]


def cases(family):
    for mode in ["constant", "reflect", "replicate", "circular"]:
        for shape, widths in CASES:
            # PyTorch's pairs begin at the last axis.
            flat = [width for pair in reversed(widths) for width in pair]
            x = family.tensor(*shape, strided=True)
            if mode == "constant":
                family.case("pad", lambda x: F.pad(x, flat, mode, 0.75), x, mode=mode, widths=sum(map(list, widths), []))
            else:
                family.case("pad", lambda x: F.pad(x, flat, mode), x, mode=mode, widths=sum(map(list, widths), []))
