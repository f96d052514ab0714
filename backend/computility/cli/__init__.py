"""The command line, ``computility …``: one command a file."""

from computility.cli.application import main

__all__ = ["main"]
