"""Deploy a generation of contracts to any RPC URL: ``computility deploy``, as a script. See ``scripts/deploy.py --help``."""

from __future__ import annotations

import sys

from computility.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["deploy"]
    main()
