"""What a provider's settings make it claim: the cards of its offers with GPUs, or else this machine's processors, and how they work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from computility.domain.hardware_claim import Device, DeviceList
from computility.execution.gpu.card import Cards
from computility.services.provider_config import Offer
from computility.verification.device_challenge import DeviceWorker
from computility.verification.hardware_answer import GemmWorker, Worker
from computility.verification.integer_gemm import NumpyGemm, TorchGemm

PROCESSORS: Final = "processors"
"""The id of a machine's processors: they are one device."""


def claimed_devices(offers: Sequence[Offer], cards: Cards) -> DeviceList | None:
    """Every card that an offer names, behind that offer's resource; without any, the processors behind the first offer's. None without offers.

    Cards of a cluster are claimed by nobody: a challenge asks all of a provider's at once, and a queue gives them when it likes."""
    offers = [offer for offer in offers if not isinstance(offer.gpus, int)]
    found = {card.uuid: card for card in cards.found()}
    devices: dict[str, Device] = {}
    for offer in offers:
        for uuid in found if not isinstance(offer.gpus, tuple) else offer.gpus:
            if uuid in found and uuid not in devices:
                devices[uuid] = Device(offer.resource, uuid, found[uuid].name, found[uuid].memory_bytes)
    if not devices and offers:
        devices[PROCESSORS] = Device(offers[0].resource, PROCESSORS, processor_model(), _memory_bytes())
    return DeviceList(tuple(devices.values())) if devices else None


def worker_on(device: str, cards: Cards) -> Worker:
    """How a claimed device works: the processor's BLAS, or a card at its place on the bus, by CuPy's kernels where it is installed.

    Raises:
        ModuleNotFoundError: a card, and PyTorch is not installed.
    """
    places = [card.uuid for card in cards.found()]
    if device not in places:
        return GemmWorker(NumpyGemm())
    place = places.index(device)
    if find_spec("cupy") is not None:
        return DeviceWorker(place)
    return GemmWorker(TorchGemm(f"cuda:{place}"))


def processor_model() -> str:
    """As the processor names itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())[:100]
    except OSError:
        pass
    return os.uname().machine


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
