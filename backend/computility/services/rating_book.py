"""The journal's door for hardware: claims of providers, rounds of the challenge, and ratings. Raises as `OrderBook` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import (
    Conflict,
    LimitReached,
    SignerMismatch,
    StatementRefused,
)
from computility.domain.hardware_claim import HardwareClaim
from computility.domain.identifiers import ZERO_BYTES32, Address, parse_address
from computility.domain.rating import Rating
from computility.domain.rating_round import RatingAnswer, RatingChallenge
from computility.domain.statements import Ask, SignedStatement, StatementKind
from computility.services.change_feed import ChangeFeed
from computility.services.journal import Accepted, Journal, JournalEntry
from computility.services.ledger import Ledger
from computility.services.pages import PageOf
from computility.services.statement_checks import check_near, check_time
from computility.services.statement_door import StatementDoor

LONGEST_RATING_S: Final = 90 * 86_400
LEAST_BETWEEN_S: Final = 60
"""Seconds between two rounds of one verifier with one provider: each costs the provider work."""
_NEWEST: Final = 200


class RatingBook(StatementDoor):
    """Takes hardware statements in, and hands them out. ``committee`` is the node's own."""

    def __init__(
        self,
        domain: Eip712Domain,
        journal: Journal,
        ledger: Ledger,
        members_of: Callable[[Address], tuple[Address, ...]],
        committee: Callable[[], Address | None],
        feed: ChangeFeed,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(domain, journal, ledger, members_of, feed, clock)
        self._committee = committee

    def accept_claim(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in what an active provider claims to have."""
        signed, claim = self._read(StatementKind.HARDWARE_CLAIM, HardwareClaim, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            check_near("at", claim.at, self._clock())
            self._demand_active(claim.provider)
            last = self._newest(StatementKind.HARDWARE_CLAIM, claim.provider)
            if last is not None and last.received_at > self._clock() - LEAST_BETWEEN_S and not self._is_first(last):
                raise LimitReached(f"a provider claims its hardware at most every {LEAST_BETWEEN_S} s")
            return self._add(signed, claim.provider)

    def accept_challenge(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in a step of a round, of a verifier that the provider's asks or the node's committee name."""
        signed, challenge = self._read(StatementKind.RATING_CHALLENGE, RatingChallenge, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            self._demand_trusted(challenge.verifier, challenge.provider)
            claim = self._journal.find(challenge.claim)
            message = claim.entry.statement.message if claim else None
            if not isinstance(message, HardwareClaim) or message.provider != challenge.provider:
                raise StatementRefused(f"{challenge.claim} is no claim of {challenge.provider}")
            before = [
                made
                for entry in self._journal.about(StatementKind.RATING_CHALLENGE, challenge.promise)
                if isinstance(made := entry.statement.message, RatingChallenge)
            ]
            self._check_step(challenge, before)
            return self._add(signed, challenge.provider)

    def accept_answer(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in a provider's step in a round."""
        signed, answer = self._read(StatementKind.RATING_ANSWER, RatingAnswer, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            check_near("at", answer.at, self._clock())
            step = self._step_of(answer)
            before = [
                made
                for entry in self._journal.about(StatementKind.RATING_ANSWER, answer.promise)
                if isinstance(made := entry.statement.message, RatingAnswer)
            ]
            opens = answer.opened != ZERO_BYTES32
            if opens and (step < 2 or not any(made.root == answer.root for made in before)):
                raise StatementRefused("rows are shown once the root is committed and the verifier has told the sample")
            if any((made.opened != ZERO_BYTES32) == opens for made in before):
                raise Conflict("this step of the round was answered before, and the first answer stands")
            return self._add(signed, answer.provider)

    def accept_rating(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in what a verifier measured, for a while."""
        signed, rating = self._read(StatementKind.RATING, Rating, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            check_near("measuredAt", rating.measured_at, now)
            check_time("validUntil", rating.valid_until, now, LONGEST_RATING_S)
            self._demand_trusted(rating.verifier, rating.provider)
            return self._add(signed, rating.provider)

    def of_provider(
        self, kind: StatementKind, provider: str, *, limit: int, cursor: str | None
    ) -> PageOf[JournalEntry]:
        """Statements of a kind that concern one provider, the newest first."""
        return self._journal.page_of_provider(kind, parse_address(provider), limit=limit, cursor=cursor)

    # ---------------------------------------------------------------- rules

    def _check_step(self, challenge: RatingChallenge, before: list[RatingChallenge]) -> None:
        if challenge.step < 0:
            raise StatementRefused("the secret is not what was promised")
        if any(made.step == challenge.step for made in before):
            raise Conflict("this step of the round was made before; the first stands")
        if challenge.step > 0:
            if not any(replace(made, secret=challenge.secret) == challenge for made in before if made.step == 0):
                raise StatementRefused("a round is promised before it begins, with the same work and block")
            return
        page = self._journal.page_of_provider(
            StatementKind.RATING_CHALLENGE, challenge.provider, limit=_NEWEST, cursor=None
        )
        for entry in page.items:
            recent = entry.received_at > self._clock() - LEAST_BETWEEN_S
            if recent and entry.statement.signer == challenge.verifier:
                raise LimitReached(f"a verifier challenges a provider at most every {LEAST_BETWEEN_S} s")

    def _step_of(self, answer: RatingAnswer) -> int:
        steps = [
            made.step
            for entry in self._journal.about(StatementKind.RATING_CHALLENGE, answer.promise)
            if isinstance(made := entry.statement.message, RatingChallenge) and made.provider == answer.provider
        ]
        if not steps or max(steps) < 1:
            raise StatementRefused(f"no round {answer.promise} with {answer.provider} has begun")
        return max(steps)

    def _demand_trusted(self, verifier: Address, provider: Address) -> None:
        committee = self._committee()
        if committee is not None and (verifier == committee or verifier in self._members_of(committee)):
            return
        asks = self._journal.open_asks(
            self._clock(), resource_kind=None, environment=None, provider=provider, limit=_NEWEST, cursor=None
        )
        for entry in asks.items:
            ask = entry.statement.message
            if isinstance(ask, Ask) and verifier in ask.verifiers:
                return
        raise SignerMismatch(
            f"{verifier} may not rate {provider}: neither the node's committee nor an open ask of the provider's names it"
        )

    def _newest(self, kind: StatementKind, provider: Address) -> JournalEntry | None:
        items = self._journal.page_of_provider(kind, provider, limit=1, cursor=None).items
        return items[0] if items else None

    def _is_first(self, entry: JournalEntry) -> bool:
        """Whether a provider's newest claim is its only one: the first may be corrected at once."""
        page = self._journal.page_of_provider(entry.statement.kind, entry.statement.signer, limit=2, cursor=None)
        return len(page.items) < 2

    def _add(self, signed: SignedStatement, provider: Address) -> Accepted:
        accepted = self._journal.add(signed, self._clock(), provider=provider)
        self._feed.publish([f"provider:{provider.lower()}"])
        return accepted
