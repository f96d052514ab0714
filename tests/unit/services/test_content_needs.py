"""What a sweep must not drop: everything that something open, live or lately closed reads, whatever its age.

content
├── of a live job → its service level, its specification, and each sample of its meter
├── of a job that closed just now → as much
├── of an ask, a request or a quote that is open → its service level, its specification; of one that is over → nothing
├── of hardware claims → the newest list of each provider, however old
└── of verdicts that closed jobs long ago → their evidence by itself, of each provider and verifier as much as is looked at
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.services.order_book_parties import BUYER as BUYER_PARTY
from tests.unit.services.order_book_parties import (
    DOMAIN,
    NOW,
    OTHER_PROVIDER,
    PROVIDER,
    Book,
    Party,
    ask,
    open_book,
    quote,
    request,
    submission,
    terms,
)

from computility.domain.hardware_claim import HardwareClaim
from computility.domain.identifiers import Address, Bytes32, bytes32
from computility.domain.job import ClosedBy, Outcome
from computility.domain.metered_lease import MeterReading
from computility.domain.statements import Statement, read_statement
from computility.services import content_needs
from computility.services.content_needs import evidence_of_records, needed_content
from computility.services.content_sweep import DAY_S

LEVEL, SPEC, OTHER_SPEC = (bytes32(bytes([number]) * 32) for number in (0x51, 0x52, 0x53))
DAY = int(DAY_S)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """An order book with nothing in it."""
    return open_book(tmp_path)


def tell(book: Book, by: Party, message: Statement, at: int = NOW, provider: Address | None = None) -> None:
    """A statement in the journal."""
    book.journal.add(read_statement(by.sign(message), DOMAIN), at, provider or PROVIDER.address)


def needed(book: Book, now: int = NOW) -> set[Bytes32]:
    """What is needed at a time."""
    return set(needed_content(book.ledger, book.journal, now=now, keep_s=30 * DAY))


def reading(job: Bytes32, sequence: int) -> MeterReading:
    """A reading of a lease's meter, whose sample is told by its number."""
    return MeterReading(job, 1, sequence, Bytes32("0x" + "00" * 32), sequence, NOW * 1000, sample(sequence), False)


def sample(sequence: int) -> Bytes32:
    return bytes32(sequence.to_bytes(32, "big"))


def test_live_job__however_long_it_runs__needs_its_level_its_specification_and_every_sample(book: Book) -> None:
    lease = terms(request(ask()), ask(), sla=LEVEL, spec=SPEC)
    job = book.open_job(lease)
    readings = 450
    for sequence in range(1, readings + 1):
        tell(book, PROVIDER, reading(job, sequence))
    tell(book, PROVIDER, submission(job, result=OTHER_SPEC))
    after_a_year = needed(book, NOW + 365 * DAY)
    assert after_a_year == {LEVEL, SPEC, OTHER_SPEC, *(sample(number) for number in range(1, readings + 1))}


def test_job_that_closed_just_now__is_still_needed(book: Book) -> None:
    job = book.open_job(terms(request(ask()), ask(), sla=LEVEL, spec=SPEC), closed=True)
    tell(book, PROVIDER, reading(job, 1))
    # The ledger does not say when it closed, so it is as if just now.
    assert needed(book) == {LEVEL, SPEC, sample(1)}


def test_open_ask__needs_its_level_until_it_expires(book: Book) -> None:
    tell(book, PROVIDER, ask(sla=LEVEL, valid_until=NOW + 9 * DAY))
    assert needed(book, NOW + 8 * DAY) == {LEVEL}
    assert needed(book, NOW + 10 * DAY) == set()


def test_request_and_its_quote__need_the_specification_as_long_as_they_may_be_opened(book: Book) -> None:
    offered = ask(valid_until=NOW + 1)
    asked = request(offered, spec=SPEC, valid_until=NOW + 5 * DAY)
    tell(book, BUYER_PARTY, asked)
    assert needed(book, NOW + 4 * DAY) == {SPEC}
    assert needed(book, NOW + 6 * DAY) == set()
    tell(book, PROVIDER, quote(asked, offered, open_by=NOW + 9 * DAY, sla=LEVEL))
    assert needed(book, NOW + 8 * DAY) == {SPEC, LEVEL}
    assert needed(book, NOW + 11 * DAY) == set()


def test_hardware_claims__keep_the_newest_list_of_each_provider(book: Book) -> None:
    for by, devices, at in ((PROVIDER, SPEC, NOW), (OTHER_PROVIDER, OTHER_SPEC, NOW), (PROVIDER, LEVEL, NOW + 1)):
        tell(book, by, HardwareClaim(by.address, devices, at), at, by.address)
    assert needed(book) == {SPEC, OTHER_SPEC, LEVEL}
    assert needed(book, NOW + 400 * DAY) == {OTHER_SPEC, LEVEL}


def test_verdicts_of_long_ago__keep_their_evidence__as_far_as_a_record_is_looked_at(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a provider that proved itself would be a stranger after a month, and a verdict that believed it could not be audited."""
    monkeypatch.setattr(content_needs, "LOOKED_AT", 2)
    evidence = [sample(number) for number in range(1, 8)]
    outcomes = [Outcome.PASS, Outcome.PASS, Outcome.CLAIM, Outcome.FAIL, Outcome.PASS, Outcome.PASS, Outcome.PASS]
    providers = [PROVIDER] * 5 + [OTHER_PROVIDER, PROVIDER]
    for number, (named, outcome, by) in enumerate(zip(evidence, outcomes, providers, strict=True)):
        book.open_job(
            terms(request(ask()), ask(), nonce=number, provider=by.address),
            closed=True,
            outcome=outcome,
            closed_by=ClosedBy.ATTESTED,
            evidence=named,
            opened_at=NOW + number,
            opened_block=number + 1,
            closed_at=NOW + number + (100 * DAY if named == evidence[-1] else 0),
            closed_block=number + 1,
        )
    later = NOW + 100 * DAY
    kept = list(evidence_of_records(book.ledger, now=later, keep_s=30 * DAY))
    # The newest two of one provider, a claim not counted, nor what is kept with all that it names; and those of the other.
    assert sorted(kept) == sorted([evidence[4], evidence[3], evidence[5]])
    assert evidence[6] in needed(book, later)
