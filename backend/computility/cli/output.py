"""What every command prints: rows for people, or one JSON document with ``--json``; errors as one line that says what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

# Progress and errors go to standard error, so that standard output is always the answer alone.
progress_console = Console(stderr=True, highlight=False)
console = Console(highlight=False)


def print_json(document: Any) -> None:
    """Print one JSON document, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one record: its fields below one another, or as JSON."""
    if as_json:
        print_json(record)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in record.items():
        table.add_row(name.replace("_", " "), _cell(value))
    console.print(table)


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
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
