#!/usr/bin/env python3
"""Writes what PyTorch computes, for the tests to compare with.

    python autodiff/tests/parity/make.py             # every family
    python autodiff/tests/parity/make.py unary norm  # these

A family is a file here whose function `cases(family)` lists its cases; what comes out lies beside it as JSON.
Written with PyTorch 2.15 on a CPU, in f64.
"""
import pathlib
import runpy
import sys

# Behind the standard library, one of whose modules has the name of a family.
sys.path.append(sys.path.pop(0))

from cases import Family

HERE = pathlib.Path(__file__).parent


def main():
    others = {"make", "cases"}
    names = sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py") if p.stem not in others)
    for name in names:
        family = Family(name)
        runpy.run_path(str(HERE / f"{name}.py"))["cases"](family)
        (HERE / f"{name}.json").write_text(family.text())
        print(f"{name}: {len(family.lines)} cases")


if __name__ == "__main__":
    main()
