#!/usr/bin/env python3
"""Writes what PyTorch computes, for the tests to compare with.

    python nn/tests/parity/make.py         # every family
    python nn/tests/parity/make.py loss    # this one

A family is a file here whose function `cases(family)` lists its cases; what comes out lies beside it as JSON.
Written with PyTorch 2.15 on a CPU, in f64.
"""
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parents[2] / "autodiff" / "tests" / "parity"))

from cases import Family  # noqa: E402


def main():
    names = sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py") if p.stem != "make")
    for name in names:
        family = Family(name)
        importlib.import_module(name).cases(family)
        (HERE / f"{name}.json").write_text(family.text())
        print(f"{name}: {len(family.lines)} cases")


if __name__ == "__main__":
    main()
