"""What a verifier checks products on.

a setting
├── cpu → the processor; auto without a card or PyTorch → the processor, and it is said why
├── auto with cards → those that are good and whole, one held while it checks
│   ├── that a job holds → the processor
│   └── in a process that checks once → the processor, but for what is worth PyTorch's start
└── a card that is not there, or no setting at all → refused
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from computility.domain.attestation import Verdict
from computility.domain.errors import ExecutorBusy, InvalidMessage
from computility.execution.content_store import FileContentStore
from computility.execution.gpu.card import Card, CardHealth, NoCards
from computility.execution.gpu.card_leases import CardLeases
from computility.services import check_device
from computility.services.check_device import held_card, product_methods
from computility.verification.product_jobs import ProductVerifier


def card(number: int, *, partitioned: bool = False) -> Card:
    return Card(f"GPU-{number}", "H100", number, f"0{number}:00", 80 << 30, "9.0", "580.1", partitioned=partitioned)


@dataclass(frozen=True)
class Machine(NoCards):
    """Cards, one of them broken."""

    cards: tuple[Card, ...] = (card(0), card(1, partitioned=True), card(2))
    broken: str = "GPU-2"

    def found(self) -> tuple[Card, ...]:
        return self.cards

    def health(self, uuid: str) -> CardHealth:
        return CardHealth(("it fell off the bus",) if uuid == self.broken else ())


@pytest.fixture
def content(tmp_path: Path) -> FileContentStore:
    return FileContentStore(str(tmp_path / "content"), 1 << 20)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PyTorch is there, and sees cards; leases lie in a folder of the test's own."""

    @contextlib.contextmanager
    def device(_place: int) -> Iterator[None]:
        yield

    torch = ModuleType("torch")
    cuda = SimpleNamespace(is_available=lambda: True, device=device, empty_cache=lambda: None)
    torch.cuda = cuda  # type: ignore[attr-defined]  # as much of it as is asked
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(check_device, "find_spec", lambda _: object())
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_processor__is_what_is_known_without_a_setting(content: FileContentStore) -> None:
    assert product_methods("cpu", content, Machine()) == {}


def test_without_a_card__the_processor_checks__and_it_is_said_why(
    content: FileContentStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO):
        assert product_methods("auto", content, NoCards("no driver")) == {}
        monkeypatch.setattr(check_device, "find_spec", lambda _: None)
        assert product_methods("auto", content, Machine()) == {}
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        assert product_methods("auto", content, Machine()) == {}
    said = [record.message for record in caplog.records]
    assert [text.partition(": ")[2].split(":")[0] for text in said] == [
        "no driver",
        "PyTorch is not installed",
        "CUDA_VISIBLE_DEVICES numbers the cards anew",
    ]


def test_cards_that_are_good_and_whole__check(content: FileContentStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert set(product_methods("auto", content, Machine())) == {"freivalds"}
        assert set(product_methods("cuda:0", content, Machine())) == {"freivalds"}
    assert [record.message for record in caplog.records] == ["products are checked on cuda:0 (H100)"] * 2


@pytest.mark.parametrize("setting", ["cuda:1", "cuda:2", "cuda:7"])
def test_a_card_that_is_named__and_cannot_check__is_refused(content: FileContentStore, setting: str) -> None:
    with pytest.raises(InvalidMessage, match=f"cannot be checked on {setting}"):
        product_methods(setting, content, Machine())


@pytest.mark.parametrize("setting", ["", "gpu", "cuda", "cuda:-1", "cuda:01", "CPU", "cuda:0\n"])
def test_what_is_no_device__is_refused(content: FileContentStore, setting: str) -> None:
    with pytest.raises(InvalidMessage, match="auto, cpu or cuda:N"):
        product_methods(setting, content, Machine())


def test_a_card__is_held_while_it_checks__and_never_shared_with_a_job(tmp_path: Path) -> None:
    leases = CardLeases(["GPU-0", "GPU-3"], tmp_path / "cards")
    hold = held_card([(0, card(0)), (3, card(3))], leases)
    with hold() as device:
        assert device == "cuda:0"
        assert leases.holders() == {"GPU-0": "a verifier's check"}
    with leases.all_of(["GPU-0"], "job 0x12"):
        with hold() as device:
            assert device == "cuda:3"
        with leases.all_of(["GPU-3"], "job 0x13"), pytest.raises(ExecutorBusy, match="job 0x12"), hold():
            pass
    assert leases.holders() == {}


def test_a_card__is_given_back_with_the_memory_of_both_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[str] = []
    pool = SimpleNamespace(free_all_blocks=lambda: given_back.append("cupy"))
    cupy = SimpleNamespace(get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(sys.modules["torch"].cuda, "empty_cache", lambda: given_back.append("torch"))
    hold = held_card([(0, card(0))], CardLeases(["GPU-0"], tmp_path / "cards"))
    with hold():
        # Loaded by the check itself, where it is installed.
        monkeypatch.setitem(sys.modules, "cupy", cupy)  # type: ignore[arg-type] # as much of it as is asked
        assert given_back == []
    assert given_back == ["torch", "cupy"]
    monkeypatch.delitem(sys.modules, "cupy")
    with pytest.raises(MemoryError), hold():
        raise MemoryError
    assert given_back == ["torch", "cupy", "torch"]


def test_a_process_that_checks_once__starts_pytorch_for_large_products_alone(
    content: FileContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(check_device, "_torch", lambda: started.append("torch") or sys.modules["torch"])
    monkeypatch.setattr(check_device, "WORTH_A_START", 3 * 64 * 64)

    def check(setting: str, size: int, *, checks_once: bool) -> int:
        [verifier] = product_methods(setting, content, Machine(), checks_once=checks_once).values()
        assert isinstance(verifier, ProductVerifier)
        matrix = np.ones((size, size), dtype=np.int32)
        # There is no such device, so the processor judges in the end.
        assert verifier._checks.integers(matrix, matrix, matrix * size, bytes(16)).verdict is Verdict.PASS
        told = len(started)
        started.clear()
        return told

    assert check("auto", 63, checks_once=True) == 0
    assert check("auto", 64, checks_once=True) == 1
    assert check("auto", 63, checks_once=False) == 1
    assert check("cuda:0", 63, checks_once=True) == 1
