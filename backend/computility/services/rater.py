"""A verifier's side of ratings: challenges all that a provider claims, measures the time, checks the rows, and signs each attribute for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidMessage
from computility.domain.hardware_claim import DeviceList, HardwareClaim, parse_device_list
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.rating import Rating
from computility.domain.rating_round import RatingAnswer, RatingChallenge, promise_of, work_secret
from computility.domain.resource import parse_resource
from computility.domain.statements import SignedStatement, StatementKind, read_statement
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.trading_account import TradingAccount
from computility.verification.rating_check import attributes, check_shown, work_of

_log = logging.getLogger(__name__)

NO_CLAIM: Final = "no-claim"
NO_ANSWER: Final = "no-answer"
_NEWEST: Final = 20
_LOOK_S: Final = 0.1
_ATTENTIVE_S: Final = 0.02
"""Between looks while the provider's time runs."""


@dataclass(frozen=True)
class RaterSettings:
    """``rows`` and ``size`` of a device's work: the more, the less the way to and from the node counts. ``answer_within_s`` for each step of the
    provider; ratings hold for ``valid_s`` seconds; ``confirmations`` have to follow a block before its hash is used."""

    rows: int = 4_096
    size: int = 4_096
    answer_within_s: float = 180.0
    valid_s: int = 7 * 86_400
    confirmations: int = 0


@dataclass(frozen=True)
class RoundOutcome:
    """How a round ended: ``rows-hold``, or why there is no rating. ``elapsed_ms`` is from telling the work to seeing the root."""

    reason: str
    elapsed_ms: int
    ratings: tuple[SignedStatement, ...] = ()


class Rater:
    """One verifier that rates. A provider that is busy passes on a round, and keeps what it was rated before."""

    def __init__(self, account: TradingAccount, node: NodeClient, settings: RaterSettings | None = None) -> None:
        self._account = account
        self._node = node
        self._content = NodeContentStore(node)
        self._settings = settings or RaterSettings()

    @property
    def valid_s(self) -> int:
        """Seconds for which its ratings hold."""
        return self._settings.valid_s

    def rate(self, provider: Address) -> RoundOutcome:
        """One round, from the promise to the ratings. Blocks.

        Raises:
            NodeError, ChainError: one of them does not answer, or the node does not take a step: the message says why.
            ValueError: rows or size out of range.
        """
        found = self._claim(provider)
        if found is None:
            return RoundOutcome(NO_CLAIM, 0)
        claim, devices = found
        secret = self._account.secret(f"rating {provider} {claim} {time.time_ns()}")
        first = work_secret(secret)
        head = self._account.rpc.block_number()
        promise = RatingChallenge(
            verifier=self._account.address,
            provider=provider,
            claim=claim,
            rows=self._settings.rows,
            size=self._settings.size,
            promise=promise_of(first),
            block=head + 1,
            secret=ZERO_BYTES32,
        )
        self._publish(promise)
        seen = self._wait(lambda: self._account.rpc.block_number() >= promise.block + self._settings.confirmations)
        block = self._account.rpc.header(promise.block) if seen is not None else None
        if block is None:
            return RoundOutcome(NO_ANSWER, 0)
        work = work_of(promise, first, Bytes32(block.hash), devices)
        self._publish(replace(promise, secret=first))
        committed, elapsed_ms = self._answer(promise, lambda answer: answer.opened == ZERO_BYTES32)
        if committed is None or committed.reason:
            return RoundOutcome(committed.reason if committed else NO_ANSWER, elapsed_ms)
        self._publish(replace(promise, secret=secret))
        showed, _ = self._answer(promise, lambda answer: answer.opened != ZERO_BYTES32)
        if showed is None:
            return RoundOutcome(NO_ANSWER, elapsed_ms)
        try:
            data = self._content.get(content_id_of_digest(showed.opened))
        except ContentError as error:
            return RoundOutcome(error.code, elapsed_ms)
        checked = check_shown(work, committed.root, data, secret)
        if checked.verdict is not Verdict.PASS:
            return RoundOutcome(checked.reason, elapsed_ms)
        rated = {
            resource: attributes(work, elapsed_ms, sum(device.resource == resource for device in devices.devices))
            for resource in devices.resources
        }
        signed = self._sign(provider, committed.root, devices, rated)
        _log.info("rated %s: %d attributes, %d ms", provider, len(signed), elapsed_ms)
        return RoundOutcome(checked.reason, elapsed_ms, signed)

    def _claim(self, provider: Address) -> tuple[Bytes32, DeviceList] | None:
        rows = self._node.of_provider(StatementKind.HARDWARE_CLAIM, provider, limit=1)
        if not rows:
            return None
        signed = read_statement(rows[0], self._account.ledger.domain)
        if not isinstance(signed.message, HardwareClaim) or signed.signer != provider:
            return None
        try:
            return signed.id, parse_device_list(self._content.get(content_id_of_digest(signed.message.devices)))
        except (ContentError, InvalidMessage):
            return None

    def _answer(
        self, promise: RatingChallenge, wanted: Callable[[RatingAnswer], bool]
    ) -> tuple[RatingAnswer | None, int]:
        """A step of the provider and the milliseconds until it was seen; None where none came in time."""
        started = time.monotonic()
        found: list[RatingAnswer] = []

        def seen() -> bool:
            for row in self._node.of_provider(StatementKind.RATING_ANSWER, promise.provider, limit=_NEWEST):
                signed = read_statement(row, self._account.ledger.domain)
                message = signed.message
                ours = isinstance(message, RatingAnswer) and message.promise == promise.promise
                if ours and signed.signer == promise.provider and isinstance(message, RatingAnswer) and wanted(message):
                    found.append(message)
                    return True
            return False

        self._wait(seen, _ATTENTIVE_S)
        return (found[0] if found else None), max(1, round((time.monotonic() - started) * 1000))

    def _wait(self, reached: Callable[[], bool], look_s: float = _LOOK_S) -> bool | None:
        give_up = time.monotonic() + self._settings.answer_within_s
        while time.monotonic() < give_up:
            if reached():
                return True
            time.sleep(look_s)
        return None

    def _sign(
        self, provider: Address, root: Bytes32, devices: DeviceList, rated: dict[str, dict[str, int]]
    ) -> tuple[SignedStatement, ...]:
        now = self._account.chain_time()
        signed = []
        for resource, measured in rated.items():
            count = sum(device.resource == resource for device in devices.devices)
            for attribute, value in measured.items():
                rating = Rating(
                    verifier=self._account.address,
                    provider=provider,
                    resource=parse_resource(resource).id,
                    attribute=attribute,
                    value=value,
                    devices=count,
                    evidence=root,
                    measured_at=now,
                    valid_until=now + self._settings.valid_s,
                )
                statement = self._account.sign(rating)
                self._node.publish(statement)
                signed.append(statement)
        return tuple(signed)

    def _publish(self, challenge: RatingChallenge) -> None:
        self._node.publish(self._account.sign(challenge))
