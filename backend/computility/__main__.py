"""``python -m computility``: the command line."""

from __future__ import annotations

from computility.cli.application import main

if __name__ == "__main__":
    main()
