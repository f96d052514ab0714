"""A provider's side of ratings: claims what it has, does the work of a round while no job has the devices, and shows the rows that are drawn."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from typing import Final

from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, ExecutorBusy, InvalidMessage
from computility.domain.hardware_claim import DeviceList, HardwareClaim, parse_device_list
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, bytes32
from computility.domain.rating_round import RatingAnswer, RatingChallenge
from computility.domain.statements import StatementKind, read_statement
from computility.execution.content_store import ContentStore
from computility.execution.gpu.card_leases import CardLeases
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.hardware_answer import HardwareAnswer, answer_challenge
from computility.verification.hardware_challenge import HardwareChallenge
from computility.verification.integer_gemm import IntegerGemm
from computility.verification.rating_check import shown, work_of

_log = logging.getLogger(__name__)

BUSY: Final = "devices-busy"
WORK_UNFIT: Final = "work-unfit"
_MOST_OPERATIONS: Final = 2**48
"""Multiplications and additions that a device does for one round: a minute of a card of 5 CU."""
_LOOK_S: Final = 1.0


class RatedProvider:
    """One provider's devices. ``trusts`` says of an account whether its rounds are answered; ``is_busy`` whether jobs run on what no lease guards."""

    def __init__(
        self,
        account: TradingAccount,
        node: NodeClient,
        content: ContentStore,
        devices: DeviceList,
        leases: CardLeases,
        gemm_of: Callable[[str], IntegerGemm],
        trusts: Callable[[Address], bool],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._devices = devices
        self._leases = leases
        self._gemm_of = gemm_of
        self._trusts = trusts
        self._is_busy = is_busy
        self._looked_at = float("-inf")
        self._claimed = False
        self._answers: dict[Bytes32, tuple[HardwareChallenge, HardwareAnswer]] = {}

    def tick(self) -> None:
        """Claim what there is, and do what rounds ask for; at most once a second.

        Raises:
            NodeError, ChainError: one of them does not answer; the next round sees it again.
        """
        if time.monotonic() < self._looked_at + _LOOK_S:
            return
        self._looked_at = time.monotonic()
        if not self._claimed:
            self._claim()
        rounds: dict[Bytes32, RatingChallenge] = {}
        for row in self._node.of_provider(StatementKind.RATING_CHALLENGE, self._account.address):
            message = read_statement(row, self._account.ledger.domain).message
            if isinstance(message, RatingChallenge) and message.provider == self._account.address:
                known = rounds.get(message.promise)
                if known is None or message.step > known.step:
                    rounds[message.promise] = message
        answered = self._answered()
        for challenge in rounds.values():
            self._advance(challenge, answered)

    def _claim(self) -> None:
        """Once, and again only where the devices are others than those that were claimed last."""
        rows = self._node.of_provider(StatementKind.HARDWARE_CLAIM, self._account.address, limit=1)
        if not rows or rows[0]["message"]["devices"] != self._devices.digest:
            self._content.put(self._devices.to_bytes())
            self._node.publish(
                self._account.sign(
                    HardwareClaim(self._account.address, self._devices.digest, self._account.chain_time())
                )
            )
        self._claimed = True

    def _answered(self) -> dict[Bytes32, set[bool]]:
        """By round, which steps were answered: the root (False), the rows (True)."""
        found: dict[Bytes32, set[bool]] = {}
        for row in self._node.of_provider(StatementKind.RATING_ANSWER, self._account.address):
            message = read_statement(row, self._account.ledger.domain).message
            if isinstance(message, RatingAnswer):
                found.setdefault(message.promise, set()).add(message.opened != ZERO_BYTES32)
        return found

    def _advance(self, challenge: RatingChallenge, answered: dict[Bytes32, set[bool]]) -> None:
        done = answered.get(challenge.promise, set())
        if challenge.step == 1 and not done and self._trusts(challenge.verifier):
            self._commit(challenge)
        elif challenge.step == 2 and True not in done and challenge.promise in self._answers:
            work, answer = self._answers.pop(challenge.promise)
            data = shown(work, answer.answers, answer.root, challenge.secret)
            self._content.put(data)
            opened = bytes32(hashlib.sha256(data).digest())
            self._publish(challenge, root=answer.root, opened=opened)
            _log.info("showed the rows of round %s", challenge.promise)

    def _commit(self, challenge: RatingChallenge) -> None:
        try:
            work = self._work(challenge)
            if work is None:
                return
            if self._is_busy():
                raise ExecutorBusy("jobs run on these devices")
            answer = answer_challenge(work, self._leases, self._gemm_of)
        except ExecutorBusy:
            self._publish(challenge, reason=BUSY)
            return
        except (ContentError, InvalidMessage, ValueError):
            self._publish(challenge, reason=WORK_UNFIT)
            return
        self._answers.clear()
        self._answers[challenge.promise] = work, answer
        self._publish(challenge, root=answer.root)
        _log.info("answered round %s in %d ms", challenge.promise, answer.elapsed_ms)

    def _work(self, challenge: RatingChallenge) -> HardwareChallenge | None:
        """The work of a round that has begun; None where this side does not see its block yet.

        Raises:
            ContentError, InvalidMessage, ValueError: it is no round of what this provider has, or too much.
        """
        row = self._node.of_provider(StatementKind.HARDWARE_CLAIM, self._account.address, limit=1)[0]
        claim = read_statement(row, self._account.ledger.domain)
        if claim.id != challenge.claim or not isinstance(claim.message, HardwareClaim):
            raise InvalidMessage("the round is about another claim than the newest")
        devices = parse_device_list(self._content.get(content_id_of_digest(claim.message.devices)))
        header = self._account.rpc.header(challenge.block)
        if header is None:
            return None
        work = work_of(challenge, challenge.secret, Bytes32(header.hash), devices)
        if work.operations > _MOST_OPERATIONS:
            raise ValueError("more work than a round may ask for")
        return work

    def _publish(
        self,
        challenge: RatingChallenge,
        *,
        root: Bytes32 = ZERO_BYTES32,
        opened: Bytes32 = ZERO_BYTES32,
        reason: str = "",
    ) -> None:
        answer = RatingAnswer(
            self._account.address, challenge.promise, root, opened, reason, self._account.chain_time()
        )
        self._node.publish(self._account.sign(answer))
