"""What every command prints: rows for people, or one JSON document with ``--json``; errors as one line that says what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

# Progress and errors go to standard error, so that standard output is always the answer alone.
progress_console = Console(stderr=True, highlight=False)
# Where nobody looks, in a pipe or a file, nothing is folded: a hash in two lines is no hash any more.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 1_000)


def print_json(document: Any) -> None:
    """Print one JSON document, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record: its fields below one another, or as JSON."""
    if as_json:
        print_json(record)
        return
    width = max(map(len, record), default=0)
    for name, value in record.items():
        # Not folded: whoever copies a hash wants it in one piece.
        console.print(
            Text(name.replace("_", " ").ljust(width), "bold").append(f"  {_cell(value)}", "not bold"), soft_wrap=True
        )


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print records as a table with ``columns``, or all their fields as a JSON array.

    ``empty`` is said when there are none.
    """
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        console.print(empty)
        return
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in columns))
    console.print(table)


def print_error(code: str, message: str, *, as_json: bool) -> None:
    """Say what went wrong: one line on standard error, or a JSON document on standard output."""
    if as_json:
        print_json({"error": {"code": code, "detail": message}})
    else:
        progress_console.print(f"[bold red]error[/] ({code}): {message}", markup=True, soft_wrap=True)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "–"
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
