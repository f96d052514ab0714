"""Multiplies two matrices of integers exactly: a.npy and b.npy in, /out/c.npy out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

left, right = np.load("a.npy"), np.load("b.npy")
# Doubles hold every integer up to 2^53, and so every sum here.
product = (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int32)
np.save(Path(os.environ.get("PRODUCT_OUT", "/out")) / "c.npy", product)
