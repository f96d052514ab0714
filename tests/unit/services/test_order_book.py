"""What the order book takes into its journal, and what it turns away.

a statement
├── known already → the journal's entry, made once
├── signed wrongly: another key, another chain, another escrow, a field changed → refused
├── over, or too far ahead → refused
└── more than one party may have → refused
an ask            ├── of an inactive provider · of nonsense numbers · of a resource that is not canonical → refused
a withdrawal      ├── by a stranger · of an unknown ask · twice → refused
a quote request   ├── for an unknown, withdrawn or expired ask · beyond what it offers · with conflicting roles → refused
a quote           ├── to an unknown, expired or answered request · differing in any field → refused
a submission      ├── of an unknown or closed job · by a stranger · another result, of whatever attempt → refused
an attestation    └── by nobody who may · of an unknown or closed job · of more units than the job has → refused

Long on purpose: the tree and its branches stand in one place.
"""

from __future__ import annotations

import dataclasses
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tests.unit.services.order_book_parties as given
from tests.unit.services.order_book_parties import (
    BUYER,
    COMMITTEE,
    DOMAIN,
    MEMBER,
    NOW,
    OTHER_PROVIDER,
    PROVIDER,
    STRANGER,
    VERIFIER,
    Book,
    open_book,
)

from computility.domain import errors
from computility.domain.eip712 import Eip712Domain
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, bytes32
from computility.domain.metered_lease import MeterReading
from computility.domain.statements import Ask, AskWithdrawal, Challenge, QuoteRequest, Refusal, StatementKind
from computility.verification.challenge_seed import SECRET_PREFIX


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return open_book(tmp_path)


def _published(book: Book, **changes: Any) -> Ask:
    ask = given.ask(**changes)
    book.door.accept_ask(PROVIDER.sign(ask))
    return ask


def _requested(book: Book, ask: Ask, **changes: Any) -> QuoteRequest:
    request = given.request(ask, **changes)
    book.door.accept_quote_request(BUYER.sign(request))
    return request


# ---------------------------------------------------------------- signatures


def test_a_sound_ask__is_kept_and_the_second_time_found(book: Book) -> None:
    envelope = PROVIDER.sign(given.ask())

    first, second = book.door.accept_ask(envelope), book.door.accept_ask(envelope)

    assert first.created
    assert not second.created
    assert second.entry == first.entry
    assert first.entry.statement.signer == PROVIDER.address


def test_an_envelope_without_id_and_signer__is_enough(book: Book) -> None:
    envelope = PROVIDER.sign(given.ask())

    assert book.door.accept_ask({key: envelope[key] for key in ("message", "signature")}).created


def test_another_key__is_refused_and_told_which_is_wanted(book: Book) -> None:
    with pytest.raises(errors.SignerMismatch, match=PROVIDER.address):
        book.door.accept_ask(STRANGER.sign(given.ask()))


@pytest.mark.parametrize(
    "domain",
    [dataclasses.replace(DOMAIN, chain_number=1), Eip712Domain(31337, COMMITTEE)],
    ids=["another chain", "another escrow"],
)
def test_a_signature_for_another_domain__is_refused_and_told_ours(book: Book, domain: Eip712Domain) -> None:
    with pytest.raises(errors.SignerMismatch, match=r"eip155:31337"):
        book.door.accept_ask(PROVIDER.sign(given.ask(), domain))


@pytest.mark.parametrize(
    ("field", "value"), [("unitPrice", "1"), ("maxUnits", "10001"), ("validUntil", NOW + 3_601), ("nonce", 2)]
)
def test_one_field_changed_after_signing__is_refused(book: Book, field: str, value: Any) -> None:
    with pytest.raises(errors.SignerMismatch):
        book.door.accept_ask(given.with_message(PROVIDER.sign(given.ask()), **{field: value}))


@pytest.mark.parametrize("signature", ["0x", "0x1234", "0x" + "00" * 65, "0x" + "ff" * 65, "nothing"])
def test_what_is_no_signature__is_refused(book: Book, signature: str) -> None:
    with pytest.raises(errors.InvalidSignature):
        book.door.accept_ask({**PROVIDER.sign(given.ask()), "signature": signature})


def test_a_statement_of_another_kind__is_refused(book: Book) -> None:
    with pytest.raises(errors.InvalidMessage, match="quote-request"):
        book.door.accept_quote_request(PROVIDER.sign(given.ask()))


# ---------------------------------------------------------------- asks


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"valid_until": NOW}, errors.StatementExpired),
        ({"valid_until": NOW + 400 * 86_400}, errors.StatementRefused),
        ({"resource": given.URN.upper()}, errors.InvalidResource),
        ({"resource": "urn:isbn:0451450523"}, errors.InvalidResource),
        ({"environment": "no such class"}, errors.InvalidMessage),
        ({"max_units": 0, "min_units": 0}, errors.InvalidMessage),
        ({"min_units": 10_001}, errors.InvalidMessage),
        ({"max_concurrent": 0}, errors.InvalidMessage),
        ({"bond_bps": 65_536}, errors.InvalidMessage),
        ({"unit_price": 2**104 - 1}, errors.AmountOutOfRange),
    ],
)
def test_an_ask_that_makes_no_sense__is_refused(
    book: Book, changes: dict[str, Any], error: type[errors.ComputilityError]
) -> None:
    with pytest.raises(error):
        book.door.accept_ask(PROVIDER.sign(given.ask(**changes)))


def test_an_ask_of_an_inactive_provider__is_refused(book: Book) -> None:
    book.register(PROVIDER, exit_requested_at=NOW)

    with pytest.raises(errors.ProviderNotActive, match="register"):
        book.door.accept_ask(PROVIDER.sign(given.ask()))


def test_one_ask_more_than_allowed__is_refused_until_one_is_withdrawn_or_over(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_open_asks=2)
    first = _published(book, nonce=1)
    _published(book, nonce=2, valid_until=NOW + 10)
    with pytest.raises(errors.LimitReached):
        _published(book, nonce=3)
    assert book.door.accept_ask(OTHER_PROVIDER.sign(given.ask(OTHER_PROVIDER))).created

    _withdraw(book, first)
    _published(book, nonce=3)
    book.clock.now += 10
    _published(book, nonce=4)


def test_parallel_asks__cannot_pass_the_limit_together(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_open_asks=3)
    envelopes = [PROVIDER.sign(given.ask(nonce=nonce)) for nonce in range(12)]

    def publish(envelope: dict[str, Any]) -> bool:
        try:
            return book.door.accept_ask(envelope).created
        except errors.LimitReached:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(publish, envelopes)) == 3


def _withdraw(book: Book, ask: Ask, signer: given.Party = PROVIDER, at: int = NOW) -> None:
    identifier = ask.digest(DOMAIN)
    book.door.accept_withdrawal(identifier, signer.sign(AskWithdrawal(signer.address, identifier, at)))


def test_a_withdrawal__by_its_provider_alone_and_once(book: Book) -> None:
    ask = _published(book)
    with pytest.raises(errors.SignerMismatch):
        _withdraw(book, ask, STRANGER)

    _withdraw(book, ask)

    with pytest.raises(errors.Conflict):
        _withdraw(book, ask, at=NOW + 1)


def test_a_withdrawal_of_an_unknown_ask__is_refused(book: Book) -> None:
    with pytest.raises(errors.UnknownAsk):
        _withdraw(book, given.ask())


def test_a_withdrawal_posted_to_another_ask__is_refused(book: Book) -> None:
    ask = _published(book)
    withdrawal = PROVIDER.sign(AskWithdrawal(PROVIDER.address, ask.digest(DOMAIN), NOW))

    with pytest.raises(errors.InvalidMessage):
        book.door.accept_withdrawal("0x" + "00" * 32, withdrawal)


# ---------------------------------------------------------------- quote requests


def test_a_request_for_an_unknown_ask__is_refused(book: Book) -> None:
    with pytest.raises(errors.UnknownAsk):
        _requested(book, given.ask())


def test_a_request_for_a_withdrawn_ask__is_refused(book: Book) -> None:
    ask = _published(book)
    _withdraw(book, ask)

    with pytest.raises(errors.UnknownAsk):
        _requested(book, ask)


def test_a_request_for_an_expired_ask__is_refused(book: Book) -> None:
    ask = _published(book, valid_until=NOW + 5)
    book.clock.now += 5

    with pytest.raises(errors.UnknownAsk):
        _requested(book, ask)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"valid_until": NOW}, errors.StatementExpired),
        ({"valid_until": NOW + 2 * 86_400}, errors.StatementRefused),
        ({"end": NOW}, errors.StatementExpired),
        ({"max_units": 0}, errors.TermsMismatch),
        ({"max_units": 10_001}, errors.TermsMismatch),
        ({"verifier_fee": 2**104 - 1}, errors.AmountOutOfRange),
        ({"nonce": 2**47 - 1}, errors.InvalidMessage),
        ({"verifier": ZERO_ADDRESS}, errors.InvalidMessage),
        ({"verifier": PROVIDER.address}, errors.StatementRefused),
        ({"payer": PROVIDER.address}, errors.StatementRefused),
        ({"arbiter": VERIFIER.address}, errors.StatementRefused),
        ({"arbiter": BUYER.address}, errors.StatementRefused),
    ],
)
def test_a_request_that_cannot_become_a_job__is_refused(
    book: Book, changes: dict[str, Any], error: type[errors.ComputilityError]
) -> None:
    ask = _published(book)

    with pytest.raises(error):
        _requested(book, ask, **changes)


def test_a_verifier_that_the_ask_does_not_accept__is_refused_and_told_which_are(book: Book) -> None:
    ask = _published(book, verifiers=(COMMITTEE,))

    with pytest.raises(errors.TermsMismatch, match=COMMITTEE):
        _requested(book, ask)
    _requested(book, ask, verifier=COMMITTEE)


def test_one_request_more_than_allowed__is_refused_until_one_is_answered(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_pending_requests=1)
    ask = _published(book)
    first = _requested(book, ask)
    with pytest.raises(errors.LimitReached):
        _requested(book, ask, nonce=2)

    book.door.accept_quote(PROVIDER.sign(given.quote(first, ask)))

    _requested(book, ask, nonce=2)


# ---------------------------------------------------------------- quotes


def test_a_quote__answers_its_request_and_the_second_answer_is_refused(book: Book) -> None:
    ask = _published(book)
    request = _requested(book, ask)

    accepted = book.door.accept_quote(PROVIDER.sign(given.quote(request, ask)))

    assert accepted.entry.statement.id == given.terms(request, ask).job_id(DOMAIN)
    with pytest.raises(errors.Conflict):
        book.door.accept_quote(PROVIDER.sign(given.quote(request, ask, nonce=8)))
    with pytest.raises(errors.Conflict):
        book.door.accept_refusal(PROVIDER.sign(_refusal(request)))


def _refusal(request: QuoteRequest, by: Address = PROVIDER.address) -> Refusal:
    return Refusal(by, request.digest(DOMAIN), "no-capacity", "I am busy for an hour.", NOW)


def test_a_refusal__answers_its_request_for_good(book: Book) -> None:
    ask = _published(book)
    request = _requested(book, ask)

    book.door.accept_refusal(PROVIDER.sign(_refusal(request)))

    with pytest.raises(errors.Conflict):
        book.door.accept_quote(PROVIDER.sign(given.quote(request, ask)))


def test_a_refusal_by_a_stranger__is_refused(book: Book) -> None:
    request = _requested(book, _published(book))

    with pytest.raises(errors.SignerMismatch):
        book.door.accept_refusal(STRANGER.sign(_refusal(request, STRANGER.address)))


def test_a_quote_to_an_unknown_request__is_refused(book: Book) -> None:
    ask = _published(book)

    with pytest.raises(errors.UnknownQuoteRequest):
        book.door.accept_quote(PROVIDER.sign(given.quote(given.request(ask), ask)))


def test_a_quote_to_an_expired_request__is_refused(book: Book) -> None:
    ask = _published(book)
    request = _requested(book, ask, valid_until=NOW + 5)
    book.clock.now += 5

    with pytest.raises(errors.StatementExpired):
        book.door.accept_quote(PROVIDER.sign(given.quote(request, ask)))


def test_a_quote_that_can_no_longer_be_opened__is_refused(book: Book) -> None:
    ask = _published(book)
    request = _requested(book, ask)

    with pytest.raises(errors.StatementExpired):
        book.door.accept_quote(PROVIDER.sign(given.quote(request, ask, open_by=NOW)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("buyer", STRANGER.address),
        ("payer", STRANGER.address),
        ("verifier", STRANGER.address),
        ("arbiter", STRANGER.address),
        ("guard", STRANGER.address),
        ("resource", "0x" + "01" * 32),
        ("spec", "0x" + "01" * 32),
        ("sla", "0x" + "01" * 32),
        ("unit_price", 10**15 + 1),
        ("min_units", 2),
        ("max_units", 2_001),
        ("bond", 1),
        ("verifier_fee", 1),
        ("arbiter_fee", 1),
        ("dispute_window", 59),
    ],
)
def test_a_quote_that_differs_in_one_field__is_refused_by_that_name(book: Book, field: str, value: Any) -> None:
    ask = _published(book)
    request = _requested(book, ask)
    name = "".join(part.capitalize() if at else part for at, part in enumerate(field.split("_")))

    with pytest.raises(errors.TermsMismatch, match=name):
        book.door.accept_quote(PROVIDER.sign(given.quote(request, ask, **{field: value})))


def test_a_quote_by_another_provider__is_refused(book: Book) -> None:
    ask = _published(book)
    request = _requested(book, ask)

    with pytest.raises(errors.SignerMismatch):
        book.door.accept_quote(OTHER_PROVIDER.sign(given.quote(request, ask, provider=OTHER_PROVIDER.address)))


# ---------------------------------------------------------------- submissions and attestations


def _job(book: Book, *, closed: bool = False, verifier: Address = VERIFIER.address) -> Any:
    ask = given.ask()
    return book.open_job(given.terms(given.request(ask, verifier=verifier), ask), closed=closed)


def test_the_first_result_of_a_job__stands(book: Book) -> None:
    job = _job(book)
    envelope = PROVIDER.sign(given.submission(job))
    assert book.door.accept_submission(envelope).created
    assert not book.door.accept_submission(envelope).created

    with pytest.raises(errors.Conflict):
        book.door.accept_submission(PROVIDER.sign(given.submission(job, units=1_501)))
    # Another attempt would get another draw of what is checked, and could be what a verifier's evidence says should have come out.
    with pytest.raises(errors.Conflict):
        book.door.accept_submission(PROVIDER.sign(given.submission(job, attempt=2, units=1_501)))


@pytest.mark.parametrize(("block", "taken"), [(given.HEAD - 5, False), (given.HEAD, False), (given.HEAD + 1, True)])
def test_a_challenge_is_of_a_block_to_come__or_its_verifier_could_choose_the_draw(
    book: Book, block: int, taken: bool
) -> None:
    job = _job(book)
    book.door.accept_submission(PROVIDER.sign(given.submission(job)))
    promise = VERIFIER.sign(Challenge(job, 1, Bytes32("0x" + "07" * 32), block, ZERO_BYTES32))
    if taken:
        assert book.door.accept_challenge(promise).created
    else:
        with pytest.raises(errors.StatementRefused, match="a block to come"):
            book.door.accept_challenge(promise)


@pytest.mark.parametrize("signer", [STRANGER, BUYER, VERIFIER])
def test_a_submission_by_another__is_refused(book: Book, signer: given.Party) -> None:
    with pytest.raises(errors.SignerMismatch, match=PROVIDER.address):
        book.door.accept_submission(signer.sign(given.submission(_job(book))))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"units": 2_001}, errors.StatementRefused),
        ({"submitted_at": NOW + 86_400}, errors.StatementRefused),
        ({"job": "0x" + "00" * 32}, errors.UnknownJob),
    ],
)
def test_a_submission_that_does_not_fit_its_job__is_refused(
    book: Book, changes: dict[str, Any], error: type[errors.ComputilityError]
) -> None:
    job = _job(book)

    with pytest.raises(error):
        book.door.accept_submission(PROVIDER.sign(given.submission(**{"job": job, **changes})))


def test_of_a_closed_job__nothing_more_is_taken(book: Book) -> None:
    job = _job(book, closed=True)

    with pytest.raises(errors.StatementRefused, match="closed"):
        book.door.accept_submission(PROVIDER.sign(given.submission(job)))
    with pytest.raises(errors.StatementRefused, match="closed"):
        book.door.accept_attestation(VERIFIER.sign(given.attestation(job)))


def test_an_attestation__by_the_verifier_alone(book: Book) -> None:
    job = _job(book)
    with pytest.raises(errors.SignerMismatch, match=VERIFIER.address):
        book.door.accept_attestation(MEMBER.sign(given.attestation(job)))

    assert book.door.accept_attestation(VERIFIER.sign(given.attestation(job))).created


def test_an_attestation_to_a_committee__by_its_members_alone(book: Book) -> None:
    job = _job(book, verifier=COMMITTEE)
    with pytest.raises(errors.SignerMismatch, match="member of the committee"):
        book.door.accept_attestation(VERIFIER.sign(given.attestation(job)))

    first = book.door.accept_attestation(MEMBER.sign(given.attestation(job)))
    second = book.door.accept_attestation(MEMBER.sign(given.attestation(job)))

    assert first.created
    assert not second.created


def test_one_attestation_more_than_allowed__is_refused(tmp_path: Path) -> None:
    book = open_book(tmp_path, max_attestations_per_signer=1)
    job = _job(book)
    book.door.accept_attestation(VERIFIER.sign(given.attestation(job)))

    with pytest.raises(errors.LimitReached):
        book.door.accept_attestation(VERIFIER.sign(given.attestation(job, units=1)))


def test_an_attestation_of_more_units_than_the_job_has__is_refused(book: Book) -> None:
    with pytest.raises(errors.StatementRefused, match="2000"):
        book.door.accept_attestation(VERIFIER.sign(given.attestation(_job(book), units=2_001)))


def test_a_meter_is_read_on_from_a_reading_that_is_known(book: Book) -> None:
    job = _job(book)
    ids = [ZERO_BYTES32]
    for sequence in (1, 2, 3):
        reading = MeterReading(job, 1, sequence, ids[-1], sequence, (NOW + sequence) * 1000, ZERO_BYTES32, False)
        ids.append(book.door.accept_reading(PROVIDER.sign(reading)).entry.statement.id)

    page = book.journal.readings_after(job, 1, limit=1)
    rest = book.journal.page_about(StatementKind.METER_READING, job, limit=1, cursor=page.next)
    assert [entry.statement.id for entry in (*page.items, *rest.items)] == ids[2:]
    assert book.journal.readings_after(job, 3, limit=1).items == ()
    with pytest.raises(errors.InvalidMessage, match="no reading 4"):
        book.journal.readings_after(job, 4, limit=1)


def test_a_challenge_is_opened_in_time__or_not_at_all(book: Book) -> None:
    job = _job(book)
    book.door.accept_submission(PROVIDER.sign(given.submission(job)))
    secret = b"\x07" * 32
    promise = bytes32(hashlib.sha256(SECRET_PREFIX + secret).digest())
    promised = Challenge(job, 1, promise, given.HEAD + 1, ZERO_BYTES32)
    book.door.accept_challenge(VERIFIER.sign(promised))
    book.made[given.HEAD + 1] = book.clock.now
    book.clock.now += 60
    with pytest.raises(errors.StatementRefused, match="everything is looked at"):
        book.door.accept_challenge(VERIFIER.sign(dataclasses.replace(promised, secret=bytes32(secret))))
    book.clock.now -= 1
    assert book.door.accept_challenge(VERIFIER.sign(dataclasses.replace(promised, secret=bytes32(secret)))).created
