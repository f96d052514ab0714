"""On what a verifier checks matrix products: ``auto`` takes a card that is free, ``cpu`` none, ``cuda:N`` the card at that place on the bus.

A card is held by its lease while it checks, as by a job: so a check never runs beside a job, and where a job has the card the processor checks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from computility.domain.errors import ExecutorBusy, InvalidMessage
from computility.execution.content_store import ContentStore
from computility.execution.gpu.card import Card, Cards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.nvml_cards import find_cards
from computility.services.provider_config import AUTO, DEVICE
from computility.verification.product_checks import DeviceChecks
from computility.verification.product_jobs import ProductVerifier
from computility.verification.verifier import Verifier

_log = logging.getLogger(__name__)

PROCESSOR: Final = "cpu"
_HOLDER: Final = "a verifier's check"
_NUMBERED_ANEW: Final = "CUDA_VISIBLE_DEVICES"
WORTH_A_START: Final = 2**28
"""Entries of factors and product (9,459 rows of each) that sixteen processor cores check in the time in which PyTorch comes up on a card, and fewer
cores in more; measured in docs/gpu.md."""


def product_methods(
    setting: str, content: ContentStore, cards: Cards | None = None, *, checks_once: bool = False
) -> dict[str, Verifier]:
    """The method ``freivalds`` on what ``setting`` names; none where it is the processor, which is known without a setting. The log says what it is.

    A process that ``checks_once`` starts PyTorch for that one check, which takes seconds: it does so by itself only for products of at least
    ``WORTH_A_START`` entries, and for any where a card is named.

    Raises:
        InvalidMessage: no such setting, or a card that is named and cannot check.
    """
    if not re.fullmatch(DEVICE, setting):
        raise InvalidMessage(f"the device of checks is auto, cpu or cuda:N, not {setting[:80]!r}")
    if setting == PROCESSOR:
        return {}
    found = find_cards() if cards is None else cards
    usable, why_not = _usable(found)
    if setting != AUTO:
        place = int(setting.partition(":")[2])
        usable = [(number, card) for number, card in usable if number == place]
        if not usable:
            raise InvalidMessage(f"products cannot be checked on {setting}: {why_not or 'there is no such card'}")
    if not usable:
        _log.info("products are checked on the processor: %s", why_not)
        return {}
    _log.info("products are checked on %s", ", ".join(f"cuda:{number} ({card.name})" for number, card in usable))
    least_entries = WORTH_A_START if checks_once and setting == AUTO else 0
    return {"freivalds": ProductVerifier(content, DeviceChecks(held_card(usable), least_entries))}


def held_card(
    usable: Sequence[tuple[int, Card]], leases: CardLeases | None = None
) -> Callable[[], AbstractContextManager[str]]:
    """Holds one of the cards, each given with its place on the bus, for as long as a check lasts: the first that is free. It tells PyTorch's name of
    it, and raises `ExecutorBusy` where a job has each."""
    places = {card.uuid: number for number, card in usable}
    leased = leases or CardLeases(list(places))

    @contextlib.contextmanager
    def held() -> Iterator[str]:
        with leased.some(1, _HOLDER) as lease:
            torch = _torch()
            place = places[lease.uuids[0]]
            with torch.cuda.device(place):
                try:
                    yield f"cuda:{place}"
                finally:
                    # A job that comes next wants the memory.
                    torch.cuda.empty_cache()
                    if (cupy := sys.modules.get("cupy")) is not None:
                        cupy.get_default_memory_pool().free_all_blocks()

    return held


def _torch() -> Any:
    # CUDA counts cards by speed unless told otherwise, and NVML by their place on the bus.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    torch = import_module("torch")
    if not torch.cuda.is_available():
        raise ExecutorBusy("PyTorch sees no card")
    return torch


def _usable(cards: Cards) -> tuple[list[tuple[int, Card]], str]:
    """Cards that may check, each with its place on the bus, and why there are none."""
    found = cards.found()
    if not found:
        return [], str(getattr(cards, "reason", "there is no card"))
    if _NUMBERED_ANEW in os.environ:
        # The card that is held has to be the one that is used.
        return [], f"{_NUMBERED_ANEW} numbers the cards anew: unset it for verifiers"
    if find_spec("torch") is None:
        return [], "PyTorch is not installed: pip install 'computility[torch]'"
    faults = {card.uuid: "it is partitioned" if card.partitioned else _fault(cards, card) for card in found}
    usable = [(number, card) for number, card in enumerate(found) if not faults[card.uuid]]
    return usable, "; ".join(f"{uuid}: {fault}" for uuid, fault in faults.items() if fault)


def _fault(cards: Cards, card: Card) -> str:
    health = cards.health(card.uuid)
    return "" if health.good else str(health)
