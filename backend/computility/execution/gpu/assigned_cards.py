"""The cards that a cluster's scheduler gave to this process. Schedulers count cards; which ones they gave stands in the process's environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorUnfit
from computility.execution.gpu.card import Card, Cards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.card_pool import CardPool
from computility.execution.gpu.driver_files import DriverFiles, driver_files

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""Slurm and Ray both set it: UUIDs, or places on the bus among the cards that the process can see."""
_NONE: Final = ("", "-1", "NoDevFiles", "none", "void")


def assigned_uuids(found: Sequence[Card], visible: str) -> tuple[str, ...]:
    """The UUIDs that a value of ``CUDA_VISIBLE_DEVICES`` names.

    Raises:
        ExecutorUnfit: it names none, or one that is not here.
    """
    names = [] if visible.strip() in _NONE else [name.strip() for name in visible.split(",")]
    if not names:
        raise ExecutorUnfit("the cluster gave this job no card: does its scheduler know the machine's GPUs?")
    uuids = [card.uuid for card in found]
    named = []
    for name in names:
        uuid = uuids[int(name)] if name.isdecimal() and int(name) < len(uuids) else name
        if uuid not in uuids:
            raise ExecutorUnfit(
                f"the cluster gave this job the card {name[:80]}, and the driver shows {len(uuids)} cards here"
            )
        named.append(uuid)
    return tuple(dict.fromkeys(named))


def assigned_pool(
    cards: Cards,
    variables: Mapping[str, str] = os.environ,
    leases: Path | None = None,
    files_of: Callable[[Sequence[Card]], DriverFiles] = driver_files,
) -> CardPool:
    """A pool of exactly the cards that the scheduler gave to this process. They are leased all the same: whoever else uses this machine is kept away,
    a hardware challenge too. ``leases`` is the folder of the leases, the machine's own unless told.

    Raises:
        ExecutorUnfit: there is none, or one is not fit for a job.
    """
    found = cards.found()
    if not found:
        raise ExecutorUnfit(f"no GPU is on this machine of the cluster: {getattr(cards, 'reason', 'none is here')}")
    uuids = assigned_uuids(found, variables.get(VISIBLE, ""))
    return CardPool(cards, uuids, leases=CardLeases(uuids, leases), files_of=files_of)
