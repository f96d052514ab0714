"""A job's row over server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse

from computility.api.schemas.job import JobRow
from computility.services.change_feed import ChangeFeed, Subscription


async def job_stream(
    request: Request, feed: ChangeFeed, job_id: str, look: Callable[[], Awaitable[JobRow]], heartbeat_s: float
) -> EventSourceResponse:
    """A stream of ``job`` events: the row as it is, and again whenever it changes, until the client hangs up.

    A slow client gets the newest row, not every row between: what it cannot take in time is never queued.

    Raises:
        UnknownJob: no such job.
        NodeBusy: too many streams are open.
    """
    subscription = feed.subscribe(f"job:{job_id.lower()}", stream=True)
    try:
        first = await look()
    except BaseException:
        subscription.close()
        raise
    events = _events(first, subscription, look, heartbeat_s)
    return EventSourceResponse(
        events, ping=max(1, round(heartbeat_s)), headers={"Cache-Control": "no-store"}, send_timeout=30
    )


async def _events(
    first: JobRow, subscription: Subscription, look: Callable[[], Awaitable[JobRow]], heartbeat_s: float
) -> AsyncIterator[ServerSentEvent]:
    with subscription:
        sent = first
        yield _event(first)
        while True:
            if not await subscription.changed(heartbeat_s):
                continue
            row = await look()
            if row != sent:
                sent = row
                yield _event(row)


def _event(row: JobRow) -> ServerSentEvent:
    return ServerSentEvent(event="job", data=row.model_dump_json(), id=row.closed_tx or row.opened_tx)
