"""Resizing."""
import torch.nn.functional as F

MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}
# Shape, new sizes.
SIZES = [
    ((1, 2, 5), [8]),
    ((2, 1, 7), [3]),
    ((2, 1, 3, 4), [5, 2]),
    ((1, 1, 2, 3), [4, 6]),
    ((1, 3, 2, 1), [1, 4]),
    ((1, 1, 2, 3, 2), [3, 2, 4]),
]
# Shape, scales.
SCALES = [
    ((1, 2, 5), [1.5]),
    ((2, 1, 7), [0.4]),
    ((2, 1, 3, 4), [2.0, 0.7]),
    ((1, 1, 3, 3), [1.4, 2.5]),
    ((1, 1, 2, 3, 2), [1.5, 1.4, 2.0]),
]


def cases(family):
    for number, (shape, size) in enumerate(SIZES):
        resize(family, "interpolate", "size", shape, number == 2, size)
    for number, (shape, scale) in enumerate(SCALES):
        resize(family, "interpolate_by", "scale_factor", shape, number == 2, scale)
    for shape, r in [((1, 4, 2, 3), 2), ((2, 9, 1, 2), 3), ((8, 3, 1), 2), ((2, 1, 4, 1, 2), 2), ((1, 3, 2, 2), 1)]:
        family.case("pixel_shuffle", lambda x: F.pixel_shuffle(x, r), family.tensor(*shape, strided=r == 3), r=r)
    for shape, r in [((1, 1, 4, 6), 2), ((1, 2, 3, 6), 3), ((2, 2, 4), 2), ((2, 1, 2, 2, 4), 2), ((1, 3, 2, 2), 1)]:
        family.case("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, r), family.tensor(*shape, strided=r == 3), r=r)


def resize(family, op, name, shape, strided, sizes):
    linear = MODES[len(sizes)]
    settings = [("nearest", dict(mode="nearest"))]
    settings += [("linear", dict(mode=linear, align_corners=False)), ("aligned", dict(mode=linear, align_corners=True))]
    for mode, options in settings:
        call = lambda x: F.interpolate(x, **{name: sizes}, **options)
        family.case(op, call, family.tensor(*shape, strided=strided), sizes=sizes, mode=mode)
