"""Quotes: whether signed terms are what was asked for."""

from __future__ import annotations

from computility.domain.errors import TermsMismatch
from computility.domain.identifiers import ZERO_ADDRESS
from computility.domain.resource import parse_resource
from computility.domain.statements import Ask, QuoteRequest
from computility.domain.terms import Terms
from computility.domain.units import share_up


def terms_match_request(terms: Terms, request: QuoteRequest, ask: Ask) -> None:
    """Make sure that terms say what the request asked for, at the price and on the conditions of the ask.

    Raises:
        TermsMismatch: they do not; the message names the first field that differs.
    """
    expected = {
        "buyer": request.buyer,
        "payer": request.payer,
        "provider": ask.provider,
        "verifier": request.verifier,
        "arbiter": request.arbiter,
        "guard": ZERO_ADDRESS,
        "resource": parse_resource(ask.resource).id,
        "spec": request.spec,
        "sla": ask.sla,
        "unit_price": ask.unit_price,
        "min_units": ask.min_units,
        "max_units": request.max_units,
        "verifier_fee": request.verifier_fee,
        "arbiter_fee": request.arbiter_fee,
        "dispute_window": ask.dispute_window,
    }
    for field in terms.STRUCT.fields:
        given = getattr(terms, field.python_name)
        wanted = expected.get(field.python_name, given)
        if given != wanted:
            raise TermsMismatch(f"{field.name} of the terms is {given}, and request and ask say {wanted}")
    bond = share_up(ask.unit_price * request.max_units, ask.bond_bps)
    if terms.bond < bond:
        raise TermsMismatch(f"bond of the terms is {terms.bond}, below the {bond} that the ask promises")
    if request.end and terms.end > request.end:
        raise TermsMismatch(f"end of the terms is {terms.end}, later than the request's {request.end}")
