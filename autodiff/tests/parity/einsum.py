"""Sums of products over named axes."""
import torch

EQUATIONS = [
    ("i,i->", (5,), (5,)),
    ("i,j->ji", (2,), (3,)),
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 3)),
    ("ij,ij", (2, 3), (2, 3)),
    ("ij,kl->il", (2, 3), (2, 4)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("bhqd,bhkd->bhqk", (1, 2, 2, 3), (1, 2, 3, 3)),
    ("ijk,jil->kl", (2, 3, 2), (3, 2, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 2), (3, 2, 1)),
    ("...i,...i->...", (2, 3), (3,)),
    ("i...,...->i", (2, 3), (3,)),
    ("ij,ij->i", (2, 3), (2, 1)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iji->ji", (2, 3, 2)),
    ("ba", (2, 3)),
    ("BaA", (2, 3, 2)),
    ("...ij->...ji", (2, 3, 2)),
    ("ij->", (2, 3)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("bn,anm,bm->ba", (2, 3), (2, 3, 2), (2, 2)),
    ("i,i,i->i", (4,), (4,), (4,)),
    ("ij,jk,kl,lm->im", (2, 3), (3, 2), (2, 3), (3, 1)),
    ("ij,jk->ik", (2, 0), (0, 3)),
]


def cases(family):
    for equation, *shapes in EQUATIONS:
        operands = [family.tensor(*shape, strided=True) for shape in shapes]
        family.case("einsum", lambda *x: torch.einsum(equation, *x), *operands, equation=equation)
