"""What a provider signs, and what it refuses and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from computility.domain.content_id import content_id_of
from computility.domain.errors import QuoteRefused, TermsMismatch
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32
from computility.domain.job_specification import InputFile, JobSpecification, Limits
from computility.domain.quote_policy import terms_match_request
from computility.domain.quoting import ProviderPolicy, Standing, quoted_terms
from computility.domain.statements import Ask, QuoteRequest
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.domain.terms import Terms

NOW = 1_790_000_000
ENVIRONMENT = "wasi-p1/wasmtime-50.0.1/0123456789abcdef"
BUYER, PROVIDER, VERIFIER, ARBITER, STRANGER = (Address("0x" + f"{n}{n}" * 20) for n in range(1, 6))
MIB = 1024 * 1024
SPECIFICATION = JobSpecification(
    environment=ENVIRONMENT,
    module=InputFile("p.wasm", content_id_of(b"module"), 6),
    arguments=(),
    inputs=(InputFile("in", content_id_of(b"input"), 5),),
    limits=Limits(fuel=500_000_000, memory_bytes=64 * MIB, output_bytes=MIB, output_files=4),
    clock_s=NOW,
    seed="0x" + "00" * 32,
)
ASK = Ask(
    provider=PROVIDER,
    resource="urn:computility:wasm:wasmtime:2x:1g:eu-west:aurora:0001:mfuel",
    environment=ENVIRONMENT,
    unit_price=10**15,
    min_units=1,
    max_units=10_000,
    bond_bps=2_000,
    max_concurrent=2,
    verifiers=(VERIFIER,),
    arbiters=(ARBITER,),
    dispute_window=60,
    sla=ZERO_BYTES32,
    valid_until=NOW + 10_000,
    nonce=1,
)
REQUEST = QuoteRequest(
    buyer=BUYER,
    payer=BUYER,
    ask=ZERO_BYTES32,
    spec=SPECIFICATION.digest,
    max_units=500,
    verifier=VERIFIER,
    arbiter=ZERO_ADDRESS,
    verifier_fee=7,
    arbiter_fee=0,
    end=0,
    valid_until=NOW + 300,
    nonce=1,
)
REQUEST_ID = Bytes32("0x" + "ab" * 32)
POLICY = ProviderPolicy()
STANDING = Standing(now=NOW, fee_bps=100, least_bond_bps=2_000, free=10**18, open_jobs=0, open_quotes=0)


def quote(**changes: Any) -> Terms:
    """The provider's answer, with some of what it goes by changed."""
    given: dict[str, Any] = {
        "request": REQUEST,
        "ask": ASK,
        "specification": SPECIFICATION,
        "policy": POLICY,
        "standing": STANDING,
        **changes,
    }
    return quoted_terms(
        REQUEST_ID,
        given["request"],
        given["ask"],
        given["specification"],
        ENVIRONMENT,
        given["policy"],
        given["standing"],
        nonce=9,
        credible_bond=given.get("credible_bond", 0),
    )


def test_terms__say_what_request_and_ask_say() -> None:
    terms = quote()
    terms_match_request(terms, REQUEST, ASK)
    assert terms.order == REQUEST_ID
    assert terms.bond == 10**15 * 500 * 2_000 // 10_000
    assert NOW < terms.open_by <= REQUEST.valid_until
    assert terms.end == terms.open_by + POLICY.run_within_s
    assert (terms.pass_window, terms.ruling_window, terms.max_fee_bps) == (0, 0, 100)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("expired", {"standing": replace(STANDING, now=ASK.valid_until)}),
        ("no-capacity", {"standing": replace(STANDING, open_jobs=2)}),
        ("no-capacity", {"standing": replace(STANDING, open_quotes=POLICY.max_open_quotes)}),
        ("verifier-not-accepted", {"request": replace(REQUEST, verifier=STRANGER)}),
        ("verifier-not-accepted", {"ask": replace(ASK, verifiers=())}),
        ("arbiter-not-accepted", {"request": replace(REQUEST, arbiter=STRANGER)}),
        ("wrong-environment-class", {"specification": replace(SPECIFICATION, environment=ENVIRONMENT[:-1] + "0")}),
        ("too-few-units", {"request": replace(REQUEST, max_units=499)}),
        ("memory-too-large", {"policy": replace(POLICY, max_memory_bytes=64 * MIB - 1)}),
        ("output-too-large", {"policy": replace(POLICY, max_output_bytes=MIB - 1)}),
        ("module-too-large", {"policy": replace(POLICY, max_module_bytes=5)}),
        ("input-too-large", {"policy": replace(POLICY, max_input_bytes=4)}),
        ("bond-too-large", {"standing": replace(STANDING, free=10**17 - 1)}),
        ("too-little-time", {"request": replace(REQUEST, end=NOW + POLICY.least_run_s)}),
    ],
)
def test_a_job_that_does_not_fit__is_refused_with_its_reason(reason: str, changes: dict[str, Any]) -> None:
    with pytest.raises(QuoteRefused) as refused:
        quote(**changes)
    assert refused.value.reason == reason
    assert len(str(refused.value)) > 20


def test_the_bond__is_the_largest_of_what_ask_tier_and_arbiter_demand() -> None:
    charge = 10**15 * 500
    assert quote(ask=replace(ASK, bond_bps=3_000)).bond == charge * 3 // 10
    assert quote(standing=replace(STANDING, least_bond_bps=4_000)).bond == charge * 4 // 10
    arbitrated = replace(REQUEST, arbiter=ARBITER, arbiter_fee=3 * 10**17)
    terms = quote(request=arbitrated)
    assert terms.bond == 3 * 10**17
    assert terms.ruling_window == ASK.dispute_window


def test_a_job_that_is_audited_by_a_draw__gets_the_bond_that_makes_its_provider_credible__if_there_is_one() -> None:
    charge = 10**15 * 500
    assert quote(credible_bond=19 * charge + 1, standing=replace(STANDING, free=20 * charge)).bond == 19 * charge + 1
    # Who has too little is not believed, and its job is checked in full.
    assert quote(credible_bond=19 * charge + 1, standing=replace(STANDING, free=19 * charge)).bond == charge // 5
    assert quote(credible_bond=charge // 10).bond == charge // 5


def test_an_end_that_the_buyer_wants__is_kept() -> None:
    wanted = NOW + 40
    terms = quote(request=replace(REQUEST, end=wanted))
    assert terms.end == wanted
    assert NOW < terms.open_by <= wanted - POLICY.least_run_s


FREE_FIELDS = {"order", "bond", "open_by", "end", "pass_window", "ruling_window", "max_fee_bps", "nonce"}
FIXED_FIELDS = [field.python_name for field in Terms.STRUCT.fields if field.python_name not in FREE_FIELDS]


@pytest.mark.parametrize("name", FIXED_FIELDS)
def test_terms_with_one_field_changed__are_not_what_was_asked_for(name: str) -> None:
    terms = quote()
    value = getattr(terms, name)
    other: Any = "0x" + "99" * ((len(value) - 2) // 2) if isinstance(value, str) else value + 1
    with pytest.raises(TermsMismatch, match=next(f.name for f in Terms.STRUCT.fields if f.python_name == name)):
        terms_match_request(replace(terms, **{name: other}), REQUEST, ASK)


def test_a_bond_below_the_promised__or_an_end_after_the_wanted__is_not_what_was_asked_for() -> None:
    terms = quote()
    with pytest.raises(TermsMismatch, match="bond"):
        terms_match_request(replace(terms, bond=terms.bond - 1), REQUEST, ASK)
    with pytest.raises(TermsMismatch, match="end"):
        terms_match_request(terms, replace(REQUEST, end=terms.end - 1), ASK)


LEASE = replace(REQUEST, verifier=REQUEST.buyer)


def lease_specification() -> TaskSpecification:
    return TaskSpecification(
        "process", ENVIRONMENT, (), ("sleep", "9"), (), CommandLimits(60, 60, 64 * MIB, MIB, 8, MIB, 4), 0, "0x" + "00" * 32,
        verification={"method": "lease-heartbeat", "interval_s": 2},
    )  # fmt: skip


def test_the_buyer_of_a_lease__co_signs_its_meter_itself() -> None:
    assert quote(request=LEASE, specification=lease_specification()).verifier == REQUEST.buyer


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"policy": replace(POLICY, leases_by_buyers=False)}, id="the provider wants no such lease"),
        pytest.param({"request": replace(LEASE, verifier=STRANGER)}, id="a stranger"),
        pytest.param({"specification": SPECIFICATION}, id="no lease"),
    ],
)
def test_nobody_else__verifies_what_the_provider_did_not_agree_to(changes: dict[str, Any]) -> None:
    given = {"request": LEASE, "specification": lease_specification(), **changes}
    with pytest.raises(QuoteRefused) as refused:
        quote(**given)
    assert refused.value.reason == "verifier-not-accepted"
