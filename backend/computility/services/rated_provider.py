"""A provider's side of ratings: claims what it has, does the work of a round while no job has the devices, and shows the rows that are drawn."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ComputilityError, ContentError, ExecutorBusy, InvalidMessage
from computility.domain.hardware_claim import DeviceList, HardwareClaim, parse_device_list
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, bytes32
from computility.domain.rating_round import RatingAnswer, RatingChallenge
from computility.domain.statements import StatementKind, read_statement
from computility.execution.content_store import ContentStore
from computility.execution.gpu.card_leases import CardLeases
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.hardware_answer import HardwareAnswer, Worker, answer_challenge, warm_up
from computility.verification.hardware_challenge import HardwareChallenge
from computility.verification.rating_check import shown, work_of

_log = logging.getLogger(__name__)

BUSY: Final = "devices-busy"
WORK_UNFIT: Final = "work-unfit"
_MOST_OPERATIONS: Final = 2**48
"""Multiplications and additions that a device does for one round: a minute of a card of 5 CU."""
_NEWEST: Final = 10
_LOOK_S: Final = 1.0
_SMALL: Final = (64, 512)
"""Rows and size of work that loads what devices need, before any round."""
_ATTENTIVE_S: Final = 0.03
"""Between looks from a promise until the rows are shown: what passes in between counts as time of the devices."""
_ATTEND_S: Final = 60.0
"""For so long a round is attended to that does not go on, and its products are kept."""


class RatedProvider:
    """One provider's devices. ``trusts`` says of an account whether its rounds are answered; ``is_busy`` whether jobs run on what no lease guards."""

    def __init__(
        self,
        account: TradingAccount,
        node: NodeClient,
        content: ContentStore,
        devices: DeviceList,
        leases: CardLeases,
        worker_of: Callable[[str], Worker],
        trusts: Callable[[Address], bool],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._devices = devices
        self._leases = leases
        self._worker_of = worker_of
        self._trusts = trusts
        self._is_busy = is_busy
        self._looked_at = float("-inf")
        self._claimed = False
        self._stopped = threading.Event()
        self._attended: dict[Bytes32, float] = {}
        self._prepared: tuple[Bytes32, DeviceList] | None = None
        self._answers: dict[Bytes32, tuple[HardwareChallenge, HardwareAnswer]] = {}

    def tick(self) -> None:
        """Claim what there is, and do what rounds ask for; at most once a second, but without a pause while a round is under way.

        Raises:
            NodeError, ChainError: one of them does not answer; the next round sees it again.
        """
        if time.monotonic() < self._looked_at + _LOOK_S:
            return
        if not self._claimed:
            self._claim()
            self._warm_up(HardwareChallenge(bytes(32), self._account.address, self._devices.ids, *_SMALL))
        answered = self._answered()
        while self._look(answered) and not self._stopped.wait(_ATTENTIVE_S):
            pass
        self._looked_at = time.monotonic()

    def close(self) -> None:
        """Attend to no round any longer."""
        self._stopped.set()

    def _look(self, answered: dict[Bytes32, set[bool]]) -> bool:
        """Do what rounds ask for; whether one of them is under way. What is answered now comes to ``answered``."""
        rounds: dict[Bytes32, RatingChallenge] = {}
        for row in self._node.of_provider(StatementKind.RATING_CHALLENGE, self._account.address, limit=_NEWEST):
            message = read_statement(row, self._account.ledger.domain).message
            if isinstance(message, RatingChallenge) and message.provider == self._account.address:
                known = rounds.get(message.promise)
                if known is None or message.step > known.step:
                    rounds[message.promise] = message
        under_way = [self._advance(challenge, answered) for challenge in rounds.values()]
        for promise in [promise for promise in self._answers if promise not in rounds or not self._attends(promise)]:
            self._answers.pop(promise)[1].close()
        self._attended = {promise: since for promise, since in self._attended.items() if promise in rounds}
        return any(under_way)

    def _attends(self, promise: Bytes32) -> bool:
        """Whether a round was first seen not long ago."""
        return time.monotonic() < self._attended.setdefault(promise, time.monotonic()) + _ATTEND_S

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
        for row in self._node.of_provider(StatementKind.RATING_ANSWER, self._account.address, limit=2 * _NEWEST):
            message = read_statement(row, self._account.ledger.domain).message
            if isinstance(message, RatingAnswer):
                found.setdefault(message.promise, set()).add(message.opened != ZERO_BYTES32)
        return found

    def _advance(self, challenge: RatingChallenge, answered: dict[Bytes32, set[bool]]) -> bool:
        """Whether the round is under way: promised, or waiting for the sample."""
        done = answered.setdefault(challenge.promise, set())
        if not self._trusts(challenge.verifier) or True in done:
            return False
        if challenge.step == 0:
            if challenge.promise not in self._attended:
                self._prepare(challenge)
            return self._attends(challenge.promise)
        if challenge.step == 1 and not done:
            if self._commit(challenge):
                done.add(False)
        elif challenge.step == 2 and challenge.promise in self._answers:
            work, answer = self._answers.pop(challenge.promise)
            data = shown(work, answer.answers, answer.root, challenge.secret)
            answer.close()
            self._content.put(data)
            opened = bytes32(hashlib.sha256(data).digest())
            self._publish(challenge, root=answer.root, opened=opened)
            done.add(True)
            _log.info("showed the rows of round %s", challenge.promise)
        return challenge.promise in self._answers and self._attends(challenge.promise)

    def _prepare(self, challenge: RatingChallenge) -> None:
        """Before the work is known: read what was claimed, and warm the devices up, so that only work counts."""
        try:
            devices = self._claimed_devices(challenge)
            work = work_of(challenge, challenge.promise, challenge.promise, devices)
        except (ComputilityError, ValueError) as error:
            _log.info("not prepared for round %s: %s", challenge.promise, error)
        else:
            self._warm_up(work)

    def _warm_up(self, work: HardwareChallenge) -> None:
        if work.operations > _MOST_OPERATIONS or self._is_busy():
            return
        try:
            warm_up(work, self._leases, self._worker_of)
        except ExecutorBusy as busy:
            _log.info("devices were not warmed up: %s", busy)

    def _commit(self, challenge: RatingChallenge) -> bool:
        """Whether the work was answered, by a root or a reason."""
        try:
            work = self._work(challenge)
            if work is None:
                return False
            if self._is_busy():
                raise ExecutorBusy("jobs run on these devices")
            answer = answer_challenge(work, self._leases, self._worker_of)
        except ExecutorBusy:
            self._publish(challenge, reason=BUSY)
            return True
        except (ContentError, InvalidMessage, ValueError):
            self._publish(challenge, reason=WORK_UNFIT)
            return True
        for _, older in self._answers.values():
            older.close()
        self._answers = {challenge.promise: (work, answer)}
        self._publish(challenge, root=answer.root)
        _log.info("answered round %s in %d ms", challenge.promise, answer.elapsed_ms)
        return True

    def _work(self, challenge: RatingChallenge) -> HardwareChallenge | None:
        """The work of a round that has begun; None where this side does not see its block yet.

        Raises:
            ContentError, InvalidMessage, ValueError: it is no round of what this provider has, or too much.
        """
        devices = self._claimed_devices(challenge)
        header = self._account.rpc.header(challenge.block)
        if header is None:
            return None
        work = work_of(challenge, challenge.secret, Bytes32(header.hash), devices)
        if work.operations > _MOST_OPERATIONS:
            raise ValueError("more work than a round may ask for")
        return work

    def _claimed_devices(self, challenge: RatingChallenge) -> DeviceList:
        """What the round is about, kept from its promise on.

        Raises:
            ContentError, InvalidMessage: the newest claim is another, or its list is not to be had.
        """
        if self._prepared is None or self._prepared[0] != challenge.claim:
            row = self._node.of_provider(StatementKind.HARDWARE_CLAIM, self._account.address, limit=1)[0]
            claim = read_statement(row, self._account.ledger.domain)
            if claim.id != challenge.claim or not isinstance(claim.message, HardwareClaim):
                raise InvalidMessage("the round is about another claim than the newest")
            devices = parse_device_list(self._content.get(content_id_of_digest(claim.message.devices)))
            self._prepared = claim.id, devices
        return self._prepared[1]

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
