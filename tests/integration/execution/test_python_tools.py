"""A provider gathers a Python for its jobs, and what it prints is what an offer takes."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from typer.testing import CliRunner

from computility.cli.provider import group


def test_tools__gathers_python_and_packages__and_prints_an_offers_lines(tmp_path: Path) -> None:
    answer = CliRunner().invoke(group, ["tools", str(tmp_path / "python"), "numpy"])
    assert answer.exit_code == 0, answer.output
    offer = tomllib.loads(answer.stdout)
    assert offer["tools"] == {"/opt/python": str(tmp_path / "python")}
    assert offer["toolset"]["numpy"] == metadata.version("numpy")
    assert (tmp_path / "python" / "bin" / "python3").stat().st_mode & 0o111 == 0o111
    assert list((tmp_path / "python").glob("lib/python3*/site-packages/numpy/__init__.py"))


def test_tools__of_a_package_that_is_not_there__says_how_to_get_it(tmp_path: Path) -> None:
    answer = CliRunner().invoke(group, ["tools", str(tmp_path / "python"), "no-such-package"])
    assert "pip install no-such-package" in str(answer.exception or answer.output)
