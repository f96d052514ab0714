"""What a statement has to be before the order book takes it in, beside what the journal and the chain know. Each raises as `OrderBook` says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from computility.domain.canonical_json import sha256_bytes32
from computility.domain.errors import (
    Conflict,
    InvalidMessage,
    SignerMismatch,
    StatementExpired,
    StatementRefused,
    TermsMismatch,
)
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address
from computility.domain.metered_lease import MeterReading
from computility.domain.resource import parse_resource
from computility.domain.statements import Ask, Challenge, QuoteRequest, SignedStatement
from computility.domain.terms import Terms
from computility.domain.units import MAX_NONCE, checked_credits
from computility.verification.challenge_seed import SECRET_PREFIX

_ENVIRONMENT: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,254}")
_LONGEST_REQUEST_S: Final = 86_400
_CLOCK_TOLERANCE_S: Final = 3_600


def check_ask(ask: Ask) -> None:
    parse_resource(ask.resource)
    if not _ENVIRONMENT.fullmatch(ask.environment):
        raise InvalidMessage(
            f"environment is a class like wasi-p1/wasmtime-50.0.1/0123456789abcdef, not {ask.environment!r}"
        )
    if not ask.max_units > 0 or ask.min_units > ask.max_units:
        raise InvalidMessage(
            f"an ask has 0 < maxUnits and minUnits <= maxUnits, not {ask.min_units} and {ask.max_units}"
        )
    checked_credits(ask.unit_price * ask.max_units)
    if ask.max_concurrent == 0:
        raise InvalidMessage("maxConcurrent is at least 1")


def check_request(request: QuoteRequest, ask: Ask, now: int) -> None:
    check_time("validUntil", request.valid_until, now, _LONGEST_REQUEST_S)
    if request.end and request.end <= now:
        raise StatementExpired(f"the wanted end {request.end} is over; it is {now} on the chain")
    if request.nonce > MAX_NONCE:
        raise InvalidMessage(f"nonce is at most {MAX_NONCE}, not {request.nonce}")
    if not ask.min_units <= request.max_units <= ask.max_units or request.max_units == 0:
        raise TermsMismatch(
            f"maxUnits has to lie within what the ask offers, {ask.min_units} to {ask.max_units}, not {request.max_units}"
        )
    checked_credits(ask.unit_price * request.max_units + request.verifier_fee + request.arbiter_fee)
    for role, account, allowed in (
        ("verifier", request.verifier, ask.verifiers),
        ("arbiter", request.arbiter, ask.arbiters),
    ):
        # A buyer may ask to verify its own lease; whether it is one, the provider sees in the specification.
        own = role == "verifier" and account in (request.buyer, request.payer)
        if allowed and account not in allowed and not own:
            raise TermsMismatch(f"the ask does not accept {account} as {role}, only {', '.join(allowed)}")
    check_roles(request.buyer, request.payer, ask.provider, request.verifier, request.arbiter)


def check_roles(buyer: Address, payer: Address, provider: Address, verifier: Address, arbiter: Address) -> None:
    if ZERO_ADDRESS in (payer, verifier):
        raise InvalidMessage("payer and verifier have to be accounts, not the zero address")
    if provider in (buyer, payer, verifier):
        raise StatementRefused(f"the provider {provider} can be neither buyer, nor payer, nor verifier of its own job")
    if arbiter != ZERO_ADDRESS and arbiter in (buyer, payer, provider, verifier):
        raise StatementRefused(f"the arbiter {arbiter} can have no other role in the job")


def check_quoted_terms(terms: Terms, now: int) -> None:
    if terms.open_by <= now:
        raise StatementExpired(f"the quote can be opened until {terms.open_by}, and it is {now} on the chain")
    if terms.open_by >= terms.end:
        raise StatementRefused(f"openBy {terms.open_by} has to lie before end {terms.end}")
    checked_credits(terms.unit_price * terms.max_units + terms.verifier_fee + terms.arbiter_fee)
    check_roles(terms.buyer, terms.payer, terms.provider, terms.verifier, terms.arbiter)


def check_challenge(challenge: Challenge, before: list[Challenge]) -> None:
    promised = [made for made in before if made.attempt == challenge.attempt]
    if not challenge.is_open:
        if promised:
            raise Conflict("the verifier has promised another secret for this attempt; the first stands")
        return
    if not any(made == replace(challenge, secret=ZERO_BYTES32) for made in promised):
        raise StatementRefused("a challenge is promised before it is opened, with the same block")
    if any(made.is_open for made in promised):
        raise Conflict("the challenge was opened before with another secret; the first stands")
    if sha256_bytes32(SECRET_PREFIX + bytes.fromhex(challenge.secret[2:])) != challenge.promise:
        raise StatementRefused("the secret is not what was promised")


def check_reading(reading: MeterReading, before: SignedStatement | None) -> None:
    last = before.message if before is not None else None
    if not isinstance(last, MeterReading):
        if (reading.sequence, reading.previous) != (1, ZERO_BYTES32):
            raise StatementRefused("the first reading has the sequence 1, and none before it")
        return
    assert before is not None
    if last.is_last:
        raise StatementRefused("the meter has given its last reading")
    if (reading.sequence, reading.previous) != (last.sequence + 1, before.id):
        raise Conflict(f"reading {last.sequence} came last, with the digest {before.id}: go on from there")
    if reading.units < last.units + (not reading.is_last) or reading.at_ms <= last.at_ms:
        raise StatementRefused(f"a meter rises: it stood at {last.units} units at {last.at_ms} ms")


def check_units(units: int, terms: Terms) -> None:
    if units > terms.max_units:
        raise StatementRefused(f"the job pays for at most {terms.max_units} units, not {units}")


def check_time(name: str, value: int, now: int, longest_s: int) -> None:
    if value <= now:
        raise StatementExpired(f"{name} {value} is over; it is {now} on the chain")
    if value > now + longest_s:
        raise StatementRefused(f"{name} may lie at most {longest_s} s ahead, not {value - now}")


def check_near(name: str, value: int, now: int) -> None:
    if abs(value - now) > _CLOCK_TOLERANCE_S:
        raise StatementRefused(f"{name} is {value}, and it is {now} on the chain: take the time from the chain")


def demand_signer(signed: SignedStatement, wanted: Address, role: str) -> None:
    if signed.signer != wanted:
        raise SignerMismatch(f"signed by {signed.signer}, and only {role}, {wanted}, may say this")
