"""The demo's offer of commands, on a stage."""

from __future__ import annotations

import time

import pytest

from computility.cli.demo.cast import COMMAND_PROVIDER
from computility.cli.demo.stage import Stage
from computility.domain.errors import ExecutorUnfit

_JOINS_WITHIN_S = 60.0


def ask_of_commands(stage: Stage) -> str:
    """The ask of the provider of commands, which joins if it has not. Skips where this machine has no sandbox."""
    if COMMAND_PROVIDER not in stage.processes.children:
        try:
            stage.offer_commands()
        except ExecutorUnfit as error:
            pytest.skip(str(error))
    give_up = time.monotonic() + _JOINS_WITHIN_S
    while not (asks := stage.node.asks(provider=stage.cast[COMMAND_PROVIDER].address)):
        stage.processes.check()
        assert time.monotonic() < give_up, "the provider of commands posted no ask"
        time.sleep(0.1)
    found: str = asks[0]["ask"]["id"]
    return found
