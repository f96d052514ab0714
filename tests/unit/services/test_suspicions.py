"""Alerts are looked for once a minute, whoever asks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from computility.domain.errors import NodeBusy
from computility.services.suspicions import Suspicions


class Slow(Suspicions):
    """One whose look takes until it is told."""

    def __init__(self) -> None:
        super().__init__(None, None, None)  # type: ignore[arg-type]  # nothing is read
        self.looks = 0
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def _look(self) -> dict[str, Any]:
        self.looks += 1
        self.begun.set()
        assert self.goes_on.wait(30)
        return {"alerts": [self.looks]}


def test_alerts__are_looked_for_once__whoever_else_asks_is_told_so_or_gets_those_of_the_last_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suspicions = Slow()
    looking = threading.Thread(target=suspicions.alerts)
    looking.start()
    assert suspicions.begun.wait(30)
    with pytest.raises(NodeBusy, match="ask again"):
        suspicions.alerts()
    suspicions.goes_on.set()
    looking.join(30)
    assert suspicions.alerts() == suspicions.alerts() == {"alerts": [1]}
    monkeypatch.setattr("computility.services.suspicions._HOLDS_S", -1.0)
    assert suspicions.alerts() == {"alerts": [2]}
