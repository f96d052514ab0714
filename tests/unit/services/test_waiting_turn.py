"""What an answer says of when to ask again, and what is waited for."""

from __future__ import annotations

import time
from email.utils import formatdate

import httpx
import pytest

from computility.services.waiting_turn import WaitingTurn, told_to_wait_s


def _refusal(retry_after: str | None) -> httpx.Response:
    return httpx.Response(429, headers={} if retry_after is None else {"Retry-After": retry_after})


@pytest.mark.parametrize(
    ("told", "wanted"),
    [("7", 7.0), ("0", 0.0), (" 5 ", 5.0), ("9" * 400, float("inf")), (None, None), ("soon", None), ("-3", None)],
)
def test_retry_after__in_seconds(told: str | None, wanted: float | None) -> None:
    assert told_to_wait_s(_refusal(told)) == wanted


def test_retry_after__as_a_date() -> None:
    now = time.time()
    assert told_to_wait_s(_refusal(formatdate(now + 30, usegmt=True))) == pytest.approx(30, abs=2)
    assert told_to_wait_s(_refusal(formatdate(now - 30, usegmt=True))) == 0


def test_a_turn__that_is_too_far_away__is_not_waited_for() -> None:
    asked = []

    def ask() -> httpx.Response:
        asked.append(time.monotonic())
        return _refusal("3600")

    assert WaitingTurn().take("a node", ask).status_code == 429
    assert len(asked) == 1


def test_a_turn__that_comes_at_once__is_taken_after_the_wait() -> None:
    answers = [_refusal("0"), _refusal("0"), httpx.Response(201)]
    assert WaitingTurn().take("a node", lambda: answers.pop(0)).status_code == 201
    assert answers == []


def test_an_error_of_the_request__is_raised_as_it_is() -> None:
    def ask() -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    with pytest.raises(httpx.ConnectError, match="nobody there"):
        WaitingTurn().take("a node", ask)
