"""Whose asks a node does not take.

a fail of the committee's
├── that stood, was ruled on with a slash, or was disputed where nobody rules: excluded, for 90 days
└── that a ruling took back, or of another verifier: not
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tests.unit.services.order_book_parties as given
from tests.unit.services.order_book_parties import COMMITTEE, NOW, OTHER_PROVIDER, PROVIDER, VERIFIER, open_book

from computility.domain.errors import ProviderExcluded
from computility.domain.job import ClosedBy, Outcome

DAYS_90 = 90 * 86_400
FAIL = {"outcome": Outcome.FAIL, "closed_at": NOW - 10}


def failed(folder: Path, verifier: str = COMMITTEE, **record: Any) -> Any:
    """A book of a provider with a failed job."""
    book = open_book(folder)
    ask = given.ask()
    terms = replace(given.terms(given.request(ask), ask), verifier=verifier)
    book.open_job(terms, closed=True, **{**FAIL, **record})
    return book


@pytest.mark.parametrize(
    "record",
    [
        {"closed_by": ClosedBy.FINALIZED},
        {"closed_by": ClosedBy.DISPUTED_BY_DEFAULT},
        {"closed_by": ClosedBy.RULED, "slash_bps": 1},
    ],
)
def test_a_fail_that_stood__shuts_its_provider_out_for_ninety_days__and_nobody_else(
    tmp_path: Path, record: dict[str, Any]
) -> None:
    book = failed(tmp_path, **record)
    with pytest.raises(ProviderExcluded, match=str(NOW - 10 + DAYS_90)):
        book.door.accept_ask(PROVIDER.sign(given.ask()))
    book.door.accept_ask(OTHER_PROVIDER.sign(replace(given.ask(), provider=OTHER_PROVIDER.address)))


@pytest.mark.parametrize(
    ("verifier", "record"),
    [
        (COMMITTEE, {"closed_by": ClosedBy.RULED, "slash_bps": 0}),
        (COMMITTEE, {"closed_by": ClosedBy.AGREED}),
        (COMMITTEE, {"closed_by": ClosedBy.FINALIZED, "closed_at": NOW - DAYS_90}),
        (COMMITTEE, {"closed_by": ClosedBy.FINALIZED, "outcome": Outcome.PASS}),
        (VERIFIER.address, {"closed_by": ClosedBy.FINALIZED}),
    ],
)
def test_what_is_no_fail_of_the_committees_that_stood_not_long_ago__shuts_nobody_out(
    tmp_path: Path, verifier: str, record: dict[str, Any]
) -> None:
    failed(tmp_path, verifier, **record).door.accept_ask(PROVIDER.sign(given.ask()))
