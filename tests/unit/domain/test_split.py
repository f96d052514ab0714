"""The twin of the contract's split of money: it adds up, rounds as the contract does, and never pays beyond what was escrowed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address
from computility.domain.job import Split, split
from computility.domain.terms import Terms
from computility.domain.units import MAX_CREDITS, MAX_UNITS

PRICE = 3 * 10**15 + 1
BOND = 10**18 + 3
TERMS = Terms(
    buyer=Address("0x" + "11" * 20),
    payer=Address("0x" + "11" * 20),
    provider=Address("0x" + "22" * 20),
    verifier=Address("0x" + "33" * 20),
    arbiter=Address("0x" + "44" * 20),
    guard=ZERO_ADDRESS,
    order=ZERO_BYTES32,
    resource=ZERO_BYTES32,
    spec=ZERO_BYTES32,
    sla=ZERO_BYTES32,
    unit_price=PRICE,
    min_units=10,
    max_units=1_000,
    bond=BOND,
    verifier_fee=5 * 10**16,
    arbiter_fee=2 * 10**17 + 1,
    open_by=1_800_000_000,
    end=1_800_086_400,
    pass_window=0,
    dispute_window=7_200,
    ruling_window=7_200,
    max_fee_bps=100,
    nonce=1,
)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Terms that can open: the escrow fits, and the bond covers the arbiter's fee."""
    max_units = draw(st.integers(1, MAX_UNITS))
    unit_price = draw(st.integers(0, MAX_CREDITS // max_units))
    left = MAX_CREDITS - unit_price * max_units
    verifier_fee = draw(st.integers(0, left))
    arbiter_fee = draw(st.integers(0, left - verifier_fee))
    bond = draw(st.integers(arbiter_fee, MAX_CREDITS))
    return replace(
        TERMS,
        unit_price=unit_price,
        min_units=0,
        max_units=max_units,
        bond=bond,
        verifier_fee=verifier_fee,
        arbiter_fee=arbiter_fee,
    )


@st.composite
def endings(draw: st.DrawFn) -> tuple[Terms, int, Split]:
    """Terms, the units paid, and the split of an ending that a transition can ask for."""
    agreed = draw(terms())
    units = draw(st.integers(0, agreed.max_units))
    ending = split(
        agreed,
        draw(st.integers(0, 500)),
        units,
        verifier_earned=draw(st.booleans()),
        arbiter_earned=draw(st.booleans()),
        cost_bps=draw(st.integers(0, 10_000)),
        slash_wanted=draw(st.integers(0, agreed.bond)),
    )
    return agreed, units, ending


@given(endings())
def test_split__any_ending__adds_up_to_escrow_and_bond(ending: tuple[Terms, int, Split]) -> None:
    agreed, _, legs = ending

    assert legs.provider_paid + legs.fee + legs.refund + legs.verifier_paid + legs.arbiter_from_escrow == agreed.escrow
    assert legs.arbiter_from_bond + legs.bond_returned + legs.bond_to_buyer + legs.bond_to_treasury == agreed.bond


@given(endings())
def test_split__any_ending__has_no_negative_leg(ending: tuple[Terms, int, Split]) -> None:
    _, _, legs = ending

    assert min(vars(legs).values()) >= 0


@given(endings())
def test_split__any_ending__pays_the_provider_what_was_delivered(ending: tuple[Terms, int, Split]) -> None:
    agreed, units, legs = ending

    assert legs.provider_paid + legs.fee == agreed.unit_price * units


@given(endings())
def test_split__any_ending__compensates_the_buyer_before_the_treasury(ending: tuple[Terms, int, Split]) -> None:
    agreed, units, legs = ending
    undelivered = agreed.unit_price * (agreed.max_units - units)

    assert legs.bond_to_buyer <= undelivered
    assert legs.bond_to_treasury == 0 or legs.bond_to_buyer == undelivered


def test_split__a_pass_of_600_units__in_figures() -> None:
    assert split(TERMS, 100, 600, verifier_earned=True) == Split(
        provider_paid=1_782_000_000_000_000_594,
        fee=18_000_000_000_000_006,
        refund=1_400_000_000_000_000_401,
        verifier_paid=50_000_000_000_000_000,
        arbiter_from_escrow=0,
        arbiter_from_bond=0,
        bond_returned=BOND,
        bond_to_buyer=0,
        bond_to_treasury=0,
    )


def test_split__a_ruling__takes_the_arbiters_share_of_the_bond_rounded_down() -> None:
    legs = split(TERMS, 100, 300, verifier_earned=False, arbiter_earned=True, cost_bps=3_333)

    assert legs.arbiter_from_bond == 66_660_000_000_000_000
    assert legs.arbiter_from_escrow == 133_340_000_000_000_001


def test_split__a_slash_of_everything__reaches_no_further_than_the_arbiter_left() -> None:
    legs = split(TERMS, 100, 0, verifier_earned=False, arbiter_earned=True, cost_bps=10_000, slash_wanted=TERMS.bond)

    assert legs.bond_to_buyer == TERMS.bond - TERMS.arbiter_fee
    assert legs.bond_returned == 0


def test_split__a_slash_above_the_loss__goes_to_the_treasury() -> None:
    legs = split(TERMS, 100, 999, verifier_earned=False, slash_wanted=TERMS.bond)

    assert legs.bond_to_buyer == PRICE
    assert legs.bond_to_treasury == BOND - PRICE
