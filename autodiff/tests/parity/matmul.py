"""Matrix products."""
import torch


def cases(family):
    for left, right in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 2, 3), (3, 2)),
                        ((2, 1, 2, 3), (3, 3, 1)), ((2, 3), (2, 3, 1)), ((2, 0), (0, 3))]:
        for strided in [False, True]:
            a, b = family.tensor(*left, strided=strided), family.tensor(*right, strided=strided)
            family.case("matmul", torch.matmul, a, b)
    for m, k, n in [(1, 1, 1), (2, 3, 4), (5, 1, 2), (3, 0, 2), (0, 2, 3), (9, 17, 33)]:
        for strided in [False, True]:
            x, w, b = (family.tensor(*shape, strided=strided) for shape in [(m, k), (k, n), (n,)])
            family.case("affine", lambda x, w, b: torch.addmm(b, x, w), x, w, b)
    for n in [1, 2, 7, 20, 0]:
        family.case("dot", torch.dot, family.tensor(n), family.tensor(n))
    for m, n in [(1, 1), (2, 3), (5, 1), (1, 4), (0, 3)]:
        family.case("outer", torch.outer, family.tensor(m), family.tensor(n))
