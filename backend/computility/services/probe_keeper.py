"""Orders known-answer probes by itself: at moments that nobody can foretell, within a budget, no two of one provider alike.

It keeps nothing: what was asked and spent stands on the chain, as jobs of the accounts that order. An account whose probe was told of in a rating is
known from then on, and orders no more.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.errors import ComputilityError, UnknownAsk
from computility.domain.identifiers import Address
from computility.domain.rating import KNOWN_ANSWERS, Rating
from computility.domain.statements import StatementKind, read_statement
from computility.domain.terms import Terms
from computility.services.node_client import NodeClient
from computility.services.prober import ProbeOutcome, Prober
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

DAY_S: Final = 86_400
_LOOKED_AT: Final = 200


@dataclass(frozen=True)
class ProbeSettings:
    """One probe every ``every_s`` seconds on average, as long as the jobs of a day escrow at most ``day_budget`` atoms of credits together.
    ``timeout_s`` for provider and verifiers."""

    every_s: float
    day_budget: int
    timeout_s: float = 600.0


class ProbeKeeper:
    """One verifier's probes. ``probers`` are of one account each; which orders is drawn, as is whom it asks."""

    def __init__(
        self, verifier: TradingAccount, node: NodeClient, probers: Sequence[Prober], settings: ProbeSettings
    ) -> None:
        self._verifier = verifier
        self._node = node
        self._probers = tuple(probers)
        self._settings = settings

    def beside(self, run: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
        """``run`` with probes beside it, which end with the process: a job that was ordered is settled without whoever ordered it."""

        def both(stop: threading.Event) -> None:
            threading.Thread(target=self.run, args=(stop,), name="probes", daemon=True).start()
            run(stop)

        return both

    def run(self, stop: threading.Event) -> None:
        """Probe until ``stop`` is set."""
        while not stop.wait(self._settings.every_s * (0.5 + secrets.randbelow(1_000) / 1_000)):
            try:
                found = self.probe_once()
            except ComputilityError as error:
                _log.warning("no probe: %s: %s", error.code, error)
                continue
            if found is not None and found.mistaken:
                _log.warning("verifiers signed what is wrong of job %s: %s", found.job, ", ".join(found.mistaken))

    def probe_once(self) -> ProbeOutcome | None:
        """Order one, and see what comes of it; None where the budget of the day is spent, every account known, or nobody left to ask something new.

        Raises:
            ComputilityError: as `Prober.probe`.
        """
        known = self._known()
        probers = [prober for prober in self._probers if prober.buyer not in known]
        if not probers:
            _log.info("no probe: every account that could order one is known")
            return None
        rows = [row for prober in self._probers for row in self._jobs_of(prober.buyer)]
        left = self._settings.day_budget - self._spent(rows)
        prober = secrets.choice(probers)
        providers = prober.providers()
        secrets.SystemRandom().shuffle(providers)
        for provider in providers:
            asked = [Terms.from_json(row["terms"]) for row in rows if row["terms"] is not None]
            unlike = prober.likenesses([terms.spec for terms in asked if terms.provider == provider])
            try:
                return prober.probe(provider, self._settings.timeout_s, unlike, left)
            except UnknownAsk as error:
                _log.debug("%s is not probed: %s", provider, error)
        return None

    def _jobs_of(self, buyer: Address) -> Iterator[dict[str, Any]]:
        return self._node.jobs_newest_first(_LOOKED_AT, buyer=buyer)

    def _spent(self, rows: Sequence[dict[str, Any]]) -> int:
        """What the jobs of the last day escrowed."""
        since = self._verifier.chain_time() - DAY_S
        return sum(int(row["escrow"] or 0) for row in rows if (row["opened_at"] or 0) > since)

    def _known(self) -> set[Address]:
        """Accounts whose probes were told of."""
        found: set[Address] = set()
        for row in self._node.providers():
            for statement in self._node.of_provider(StatementKind.RATING, row["address"]):
                rating = read_statement(statement, self._verifier.ledger.domain).message
                if isinstance(rating, Rating) and rating.attribute == KNOWN_ANSWERS:
                    terms = self._node.job(rating.evidence)["terms"]
                    found |= set() if terms is None else {Terms.from_json(terms).buyer}
        return found
