"""Answers that are held back until there is something to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fastapi import Request

from computility.services.change_feed import ChangeFeed

AnswerT = TypeVar("AnswerT")

_LOOK_FOR_HANG_UP_EVERY_S: Final = 1.0


async def poll(
    request: Request,
    feed: ChangeFeed,
    topic: str,
    look: Callable[[], Awaitable[AnswerT]],
    is_enough: Callable[[AnswerT], bool],
    wait_s: float,
) -> AnswerT:
    """``look()``, again after every change of ``topic``, until that is enough, time is up or the client hung up.

    Raises:
        NodeBusy: too many others are waiting.
    """
    if wait_s <= 0:
        return await look()
    give_up = asyncio.get_running_loop().time() + wait_s
    # Subscribed before the first look, so that no change falls between the two.
    with feed.subscribe(topic) as subscription:
        while True:
            answer = await look()
            if is_enough(answer):
                return answer
            while not await subscription.changed(_LOOK_FOR_HANG_UP_EVERY_S):
                if asyncio.get_running_loop().time() >= give_up or await request.is_disconnected():
                    return answer
