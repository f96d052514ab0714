"""A bench's parts, one after the other: what each found or how it failed, and none that would begin too late.

The machine is lent for minutes: one part must not cost the others.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

_TRACE: Final = 1200
"""Characters of a failure's traceback, the last ones."""


def run_parts(
    report: dict[str, Any],
    parts: Mapping[str, Callable[[], Mapping[str, Any]]],
    *,
    until: float,
    wanted: list[str] | None = None,
) -> None:
    """Add to a report, under its name, what each part finds.

    Args:
        report: gets a key for each part; so does the standard error, as soon as one ends.
        parts: by name, in the order in which they run.
        until: the monotonic second from which on no further part begins.
        wanted: names of those that run; the command line's words for None, and all where there are none.
    """
    names = sys.argv[1:] if wanted is None else wanted
    for name, part in parts.items():
        if names and name not in names:
            continue
        if time.monotonic() > until:
            report[name] = {"left_out": "no time was left"}
            continue
        began = time.monotonic()
        try:
            report[name] = dict(part())
        except Exception as error:  # noqa: BLE001 - the other parts still have something to say
            found = f"{type(error).__name__}: {error}"[:500]
            report[name] = {"failed": found, "at": traceback.format_exc()[-_TRACE:]}
        report[name]["wall_s"] = round(time.monotonic() - began, 2)
        print(json.dumps({name: report[name]}), file=sys.stderr, flush=True)
