"""Waking those who wait."""

from __future__ import annotations

import asyncio
import threading

import pytest

from computility.domain.errors import NodeBusy
from computility.services.change_feed import ChangeFeed

pytestmark = pytest.mark.anyio


async def test_a_listener__is_woken_from_another_thread() -> None:
    feed = ChangeFeed(max_waiters=1, max_streams=1)
    with feed.subscribe("jobs") as subscription:
        threading.Timer(0.05, feed.publish, [["jobs"]]).start()

        assert await subscription.changed(5)


async def test_a_notice_before_the_wait__is_not_lost_and_counts_once() -> None:
    feed = ChangeFeed(max_waiters=1, max_streams=1)
    with feed.subscribe("jobs") as subscription:
        feed.publish(["jobs"])
        feed.publish(["jobs"])

        assert await subscription.changed(5)
        assert not await subscription.changed(0.05)


async def test_another_topic__wakes_nobody() -> None:
    feed = ChangeFeed(max_waiters=1, max_streams=1)
    with feed.subscribe("job:0x1") as subscription:
        feed.publish(["job:0x2"])

        assert not await subscription.changed(0.05)


async def test_one_listener_too_many__is_refused_until_another_leaves() -> None:
    feed = ChangeFeed(max_waiters=1, max_streams=1)
    first = feed.subscribe("a")
    with pytest.raises(NodeBusy):
        feed.subscribe("b")
    feed.subscribe("b", stream=True).close()

    first.close()
    first.close()

    with feed.subscribe("b"), pytest.raises(NodeBusy):
        feed.subscribe("c")


async def test_many_listeners__are_all_woken() -> None:
    feed = ChangeFeed(max_waiters=50, max_streams=1)
    subscriptions = [feed.subscribe("jobs") for _ in range(50)]

    feed.publish(["jobs"])

    assert all(await asyncio.gather(*(subscription.changed(5) for subscription in subscriptions)))
