"""What is asked of a node of the compiler's syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def walk(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        if "nodeType" in node:
            yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


def span(node: Node) -> tuple[int, int]:
    """Where it starts and ends in its file, in bytes."""
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def constant(node: Node) -> bool:
    """A number that the compiler computes."""
    return str(node["typeDescriptions"].get("typeString", "")).startswith(("int_const", "rational_const"))


def signature(function: Node) -> tuple[Any, ...]:
    return tuple(
        tuple(parameter["typeDescriptions"]["typeString"] for parameter in function[side]["parameters"])
        for side in ("parameters", "returnParameters")
    )
