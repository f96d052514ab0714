"""A request that a node refuses for the moment (429) is made again when the node says so (``Retry-After``, RFC 9110, section 10.2.3)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import tenacity

LONGEST_TURN_S: Final = 60.0
"""How long all tries together may take: an upload of another thread is done by then, one that was left alone is not."""
_TRIES: Final = 12
_UNTOLD_S: Final = 5.0
_SPREAD_S: Final = 0.5
"""Threads that were refused together come back apart."""

_log = logging.getLogger(__name__)


class WaitingTurn:
    """Waits for the turns of one client's requests, and until it is closed."""

    def __init__(self) -> None:
        self._closed = threading.Event()

    def close(self) -> None:
        """Let whoever waits try at once; a client that is closed says so then."""
        self._closed.set()

    def take(self, what: str, send: Callable[[], httpx.Response]) -> httpx.Response:
        """The first answer that is no 429, or the last 429, at once where to wait as told would take more than ``LONGEST_TURN_S``.

        Args:
            what: who is asked, for the log.
            send: makes the request once; made twice, it changes nothing more.
        """

        def tell(state: tenacity.RetryCallState) -> None:
            _log.info("%s takes no more just now; asked again in %.1f s", what, state.upcoming_sleep)

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_TRIES) | tenacity.stop_before_delay(LONGEST_TURN_S),
            wait=tenacity.wait_combine(_told_s, tenacity.wait_random(0, _SPREAD_S)),
            retry=tenacity.retry_if_result(_is_refused_for_now),
            sleep=tenacity.nap.sleep_using_event(self._closed),
            before_sleep=tell,
            retry_error_callback=_last_answer,
        )
        answer: httpx.Response = retrying(send)
        return answer


def told_to_wait_s(answer: httpx.Response) -> float | None:
    """Seconds for which an answer asks to be left alone, at least 0; None where it does not say, or says nonsense."""
    told = answer.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _is_refused_for_now(answer: httpx.Response) -> bool:
    return answer.status_code == httpx.codes.TOO_MANY_REQUESTS


def _last_answer(state: tenacity.RetryCallState) -> httpx.Response:
    # Where a call raised, this raises it again.
    assert state.outcome is not None
    answer: httpx.Response = state.outcome.result()
    return answer


def _told_s(state: tenacity.RetryCallState) -> float:
    told_s = told_to_wait_s(_last_answer(state))
    return _UNTOLD_S if told_s is None else told_s
