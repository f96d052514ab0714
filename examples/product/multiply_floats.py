"""Multiplies two matrices of float32, terms of like size together: a.npy and b.npy in, /out/c.npy out, its parts one below the other.

``np.load("c.npy").reshape(parts, rows, columns).sum(0, dtype="f8")`` is the product, more exactly than a single sum of float32 would be.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

GRADE_BITS, MAX_GRADES, MAX_PLACES = 8, 16, 8192

left, right = np.load("a.npy"), np.load("b.npy")
largest = np.abs(left).max(axis=0), np.abs(right).max(axis=1)
counted = np.flatnonzero((largest[0] > 0) & (largest[1] > 0))
exponents = np.frexp(largest[0][counted])[1] + np.frexp(largest[1][counted])[1]
grade = np.minimum((exponents.max(initial=-9999) - exponents) // GRADE_BITS, MAX_GRADES - 1)
parts = []
for number in np.unique(grade):
    places = counted[grade == number]
    parts += np.array_split(places, -(-len(places) // MAX_PLACES))
products = [left[:, places] @ right[places] for places in parts or [counted]]
np.save(Path(os.environ.get("PRODUCT_OUT", "/out")) / "c.npy", np.vstack(products))
