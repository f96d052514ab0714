"""The quick folds of the commonest events leave the store as ``domain.job`` and its neighbours do, whatever the events are and however they come."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel
from tests.integration.ledger_on_chain import rows_of
from tests.unit.chain.test_event_decoders import encoded, random_value

from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    Deposited,
    Event,
    FeesCollected,
    JobAttested,
    JobCancelled,
    JobClosed,
    JobDisputed,
    JobOpened,
    JobPaid,
    JobProposed,
    Withdrawn,
)
from computility.domain.identifiers import Address, chain_id_of
from computility.domain.logs_digest import digested
from computility.domain.packed_logs import packed_logs
from computility.domain.statistics import DAY_S
from computility.domain.units import FULL_BPS
from computility.services.incoming import IncomingBlock
from computility.services.log_kinds import LogKind, kinds_at
from computility.services.projection import Projection
from computility.store.engine import Database, open_database
from computility.store.projections import EVERY
from computility.store.raw_logs import OF_ACCOUNTS, OF_JOBS, OF_NAMES
from computility.store.undo import UndoRow

CHAIN = chain_id_of(31337)
LEDGER, ESCROW, OLDER = 7, Address("0x" + "e5" * 20), Address("0x" + "0e" * 20)
KINDS: list[LogKind] = [
    kind for generation, escrow in ((3, ESCROW), (2, OLDER)) for kind in kinds_at(escrow, generation, "JobEscrow").values()
]  # fmt: skip
NUMBERS = {(kind.address, kind.event): number for number, kind in enumerate(KINDS)}
NO_HASH, NOBODY = bytes(32), "0x" + "00" * 20
FIRST, BLOCKS = 100, 14
SEEDS = range(25)


class History:
    """Random blocks of two escrows' events, as contracts could have emitted them, among the same people. Some jobs are still live at the end."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # reproducible on purpose
        # Few, so that they trade with one another again, and play several parts in one trade.
        self.people = ["0x" + self.chance.randbytes(20).hex() for _ in range(5)]
        self.resources = [self.chance.randbytes(32) for _ in range(2)]
        self.live: dict[Address, list[bytes]] = {ESCROW: [], OLDER: []}
        self.time_s = 1_790_000_000
        self.blocks = [self._block(FIRST + number) for number in range(BLOCKS)]

    def _block(self, number: int) -> IncomingBlock:
        chance = self.chance
        # The next day now and then, or some weeks on.
        self.time_s += chance.choice((2, 2, 2, DAY_S // 2, 20 * DAY_S))
        logs, kinds = [], []
        for at in range(chance.randrange(12)):
            escrow = chance.choice((ESCROW, ESCROW, OLDER))
            event, values = self._event(self.live[escrow])
            topics, data = encoded(event, values)
            logs.append(digested(3 * at, chance.randbytes(32), bytes.fromhex(escrow[2:]), b"".join(topics), data))
            kinds.append(NUMBERS[escrow, event])
        packed = packed_logs(logs) if logs else b""
        return IncomingBlock(number, chance.randbytes(32), b"", self.time_s, None, packed, kinds)

    def _event(self, live: list[bytes]) -> tuple[type[Event], dict[str, Any]]:
        chance = self.chance
        event: type[Event] = chance.choices(
            (JobOpened, JobAttested, JobProposed, JobPaid, Deposited, Withdrawn, JobDisputed, JobClosed, JobCancelled, FeesCollected),
            (8, 3, 3, 6, 2, 2, 1, 1, 1, 1),
        )[0]  # fmt: skip
        if event.EVENT.fields[0].name == "job" and event not in (JobOpened, JobCancelled) and not live:
            event = JobOpened
        values = {field.name: random_value(field.type, chance) for field in event.EVENT.fields}
        values |= {name: chance.choice([*self.people, NOBODY]) for name in _accounts(event)}
        for name in ("result", "evidence"):
            if name in values and chance.random() < 0.3:
                values[name] = NO_HASH
        if "amount" in values:
            values["amount"] = chance.choice((0, chance.getrandbits(80)))
        if "toWallet" in values:
            # Now and then just what the verifier is paid in the same event, who may be the caller: nothing of it stays.
            values["toWallet"] = chance.choice((0, chance.getrandbits(90), values["verifierPaid"]))
        if "qualityBps" in values:
            values["qualityBps"] = chance.choice((0, 9_000, FULL_BPS, FULL_BPS, FULL_BPS + 1))
        if event is JobAttested:
            values |= {"outcome": chance.randrange(4), "verdict": chance.randrange(4)}
        if event in (JobPaid, JobClosed):
            values |= {"units": chance.randrange(100), "fee": chance.choice((0, chance.getrandbits(65)))}
        if event is JobClosed:
            values |= {"cause": chance.choice((0, 1, 2, 3, 4, 5, 6)), "outcome": chance.randrange(4)}
        if event is JobOpened:
            values["terms"] = terms = self._terms()
            # Of our contracts both are the terms' own.
            values |= {"buyer": terms[0], "provider": terms[2]} if chance.random() < 0.9 else {}
            live.append(values["job"])
        elif "job" in values and event is not JobCancelled:
            values["job"] = chance.choice(live)
            if event in (JobPaid, JobClosed):
                live.remove(values["job"])
        return event, values

    def _terms(self) -> tuple[Any, ...]:
        chance = self.chance
        parties = [chance.choice(self.people) for _ in range(3)]
        others = [chance.choice([*self.people, NOBODY]) for _ in range(3)]
        if chance.random() < 0.5:
            parties[1] = parties[0]
        hashes = [chance.randbytes(32), chance.choice(self.resources), chance.randbytes(32), chance.randbytes(32)]
        amounts = [chance.choice((0, 1, chance.getrandbits(70))) for _ in range(3)]
        return (*parties, *others, *hashes, chance.choice((0, chance.getrandbits(60))), 1, chance.randint(100, 2**40), *amounts,
                10, 2**39, 1, 2, 3, 500, 77)  # fmt: skip


def _accounts(event: type[Event]) -> list[str]:
    return [field.name for field in event.EVENT.fields if field.type == "address"]


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("stores") / "empty.db"
    open_database(f"sqlite:///{file}").close()
    return file


class Store:
    """A database and the projection that writes to it."""

    def __init__(self, database: Database, *, quick: bool) -> None:
        self.database = database
        self.projection = Projection(CHAIN)
        if not quick:
            self.projection._quick = ()

    def fold(self, blocks: Sequence[IncomingBlock], keep_from: int) -> set[bytes]:
        with self.database.bulk_work() as (_, writer):
            return self.projection.fold(writer, LEDGER, blocks, KINDS, keep_from=keep_from, keep_logs=True)

    def restore(self, number: int) -> None:
        with self.database.bulk_work() as (session, writer):
            self.projection.restore(session, writer, LEDGER, number)

    def projected(self) -> dict[str, list[dict[str, Any]]]:
        return self._rows([*(table.model for table in EVERY), UndoRow])

    def listed(self) -> list[list[Any]]:
        with self.database.engine.connect() as connection:
            return [sorted(map(tuple, connection.execute(t.select()))) for t in (OF_ACCOUNTS, OF_JOBS, OF_NAMES)]

    def _rows(self, models: Sequence[type[SQLModel]]) -> dict[str, list[dict[str, Any]]]:
        return {model.__name__: rows_of(self.database, model) for model in models}


@pytest.fixture
def stores(empty_file: Path, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """One that folds quickly, and one in which every event goes through the domain."""
    made = []
    for name in ("quick", "plain"):
        shutil.copy(empty_file, tmp_path / name)
        made.append(Store(open_database(f"sqlite:///{tmp_path / name}"), quick=name == "quick"))
    quick, plain = made
    yield quick, plain
    quick.database.close()
    plain.database.close()


def chunks(blocks: Sequence[IncomingBlock], chance: random.Random) -> Iterator[Sequence[IncomingBlock]]:
    """Blocks as they come, by one or by several."""
    at = 0
    while at < len(blocks):
        some = chance.randint(1, 8)
        yield blocks[at : at + some]
        at += some


@pytest.mark.parametrize("seed", SEEDS)
def test_random_trades__leave_the_rows_that_the_domain_says(seed: int, stores: tuple[Store, Store]) -> None:
    history, (quick, plain) = History(seed), stores
    keep_from = FIRST + history.chance.randrange(BLOCKS + 1)
    for some in chunks(history.blocks, history.chance):
        assert quick.fold(some, keep_from) == plain.fold(some, keep_from)
        assert quick.projected() == plain.projected()
    assert quick.listed() == plain.listed()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reorganisation__puts_back_what_quick_folds_changed(seed: int, stores: tuple[Store, Store]) -> None:
    history, (quick, plain) = History(seed), stores
    fork = history.chance.randrange(BLOCKS)
    keep_from = FIRST + history.chance.randint(0, fork)
    below = history.blocks[:fork]
    for some in chunks(history.blocks, history.chance):
        quick.fold(some, keep_from)
    plain.fold(below, keep_from)
    quick.restore(FIRST + fork - 1)
    assert quick.projected() == plain.projected()


def test_a_history__has_every_quick_event_and_jobs_that_last_over_days() -> None:
    histories = [History(seed) for seed in SEEDS]
    events = [KINDS[number].event for history in histories for block in history.blocks for number in block.kinds]
    assert min(map(events.count, (JobOpened, JobAttested, JobProposed, JobPaid, Deposited, Withdrawn))) > 20
    assert all(any(history.live[escrow] for history in histories) for escrow in (ESCROW, OLDER))


def one_log(event: type[Event], number: int, **values: Any) -> IncomingBlock:
    chance = random.Random(number)
    random_values = {field.name: random_value(field.type, chance) for field in event.EVENT.fields}
    topics, data = encoded(event, random_values | values)
    log = digested(0, bytes(32), bytes.fromhex(ESCROW[2:]), b"".join(topics), data)
    return IncomingBlock(number, bytes(32), b"", 1_790_000_000, None, packed_logs([log]), [NUMBERS[ESCROW, event]])


@pytest.mark.parametrize("event", [JobAttested, JobProposed, JobPaid])
@pytest.mark.parametrize("close", [JobPaid, JobClosed])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_event_of_a_job_that_never_began_or_is_closed__is_refused(
    event: type[Event], close: type[Event], chunked: bool, stores: tuple[Store, Store]
) -> None:
    quick, _ = stores
    job, terms = b"j" * 32, History(1)._terms()
    with pytest.raises(ChainMisbehaved, match="does not follow"):
        quick.fold([one_log(event, 1, job=job)], keep_from=1_000)
    quick.projection.discard()
    closing = {"cause": 1, "outcome": 1} if close is JobClosed else {}
    before = [one_log(JobOpened, 2, job=job, terms=terms), one_log(close, 3, job=job, units=5, **closing)]
    after = [one_log(event, 4, job=job)]
    if chunked:
        quick.fold(before, keep_from=1_000)
        before = []
    with pytest.raises(ChainMisbehaved, match="does not follow"):
        quick.fold(before + after, keep_from=1_000)


def test_a_job_that_begins_twice__is_refused(stores: tuple[Store, Store]) -> None:
    quick, _ = stores
    terms = History(1)._terms()
    opened = [one_log(JobOpened, number, job=b"j" * 32, terms=terms) for number in (1, 2)]
    with pytest.raises(ChainMisbehaved, match="twice"):
        quick.fold(opened, keep_from=1_000)
    quick.projection.discard()
    quick.fold(opened[:1], keep_from=1_000)
    # Not at hand any more, as after a restart: the store refuses it, also when it has gone on since.
    quick.projection.discard()
    with pytest.raises(ChainMisbehaved, match="twice"):
        quick.fold([opened[1], one_log(JobProposed, 3, job=b"j" * 32)], keep_from=1_000)
