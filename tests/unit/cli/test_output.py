"""What commands print for people."""

from __future__ import annotations

import pytest

from computility.cli import output

HASH = "0x" + "ab" * 32


def test_a_record__keeps_a_hash_in_one_line_and_lists_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output.console, "_width", 40)
    output.print_record({"opened_tx": HASH, "files": ["a.png", "b"], "none": None, "ok": True}, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        f"opened tx  {HASH}",
        "files      a.png, b",
        "none       –",
        "ok         yes",
    ]


def test_a_record__takes_nothing_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_record({"name": "[bold]x[/bold]"}, as_json=False)
    assert capsys.readouterr().out == "name  [bold]x[/bold]\n"
