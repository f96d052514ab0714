"""A verifier's side of a challenge: promises a secret once a result is submitted, and opens it when the chain has gone on.

It keeps nothing: the secret follows from the account's key and the attempt, and what was promised stands in the node's journal. Members of a
committee use the challenge that was promised first (`counting_challenge`), so that they all look at the same and sign the same.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from computility.domain.errors import NodeRefused
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.statements import Challenge, SignedStatement, Submission, read_statement
from computility.services.job_watch import WatchedJob
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.challenge_seed import Beacon, OpenedChallenge, Withheld, counting_challenge, is_turn_of


def challenges_of(account: TradingAccount, node: NodeClient, job: Bytes32) -> list[SignedStatement]:
    """Every challenge to a job, each signature proved, in the journal's order."""
    return [read_statement(row, account.ledger.domain) for row in node.challenges(job)]


_MOST_AHEAD: Final = 64


class ChallengeDesk:
    """One verifier's challenges. ``confirmations``: blocks that have to follow a block before its hash is used."""

    def __init__(self, account: TradingAccount, node: NodeClient, confirmations: int) -> None:
        self._account = account
        self._node = node
        self._confirmations = confirmations
        self._ahead: dict[Bytes32, int] = {}
        self._silent_since: dict[Bytes32, float] = {}

    def opened(
        self, job: WatchedJob, submission: Submission, challengers: Sequence[Address]
    ) -> OpenedChallenge | Withheld | None:
        """The challenge to look through, or None while it is promised and not due: then whatever is to be done for it was done. `WITHHELD` where who
        promised it did not open it: then everything is to be looked at.

        ``challengers``: who may challenge this job, in their order.
        """
        known = [made for made in challenges_of(self._account, self._node, job.id) if made.signer in challengers]
        header = self._account.rpc.header("latest")
        head, now = (header.number, header.timestamp) if header else (0, 0)
        found = counting_challenge(known, submission.attempt, challengers, self._time_of, now)
        if isinstance(found, Withheld):
            return found
        block = self._account.rpc.header(found[1].block) if found is not None else None
        if found is None or block is None:
            if is_turn_of(self._account.address, known, submission, challengers, now):
                self._promise_or_open(job, submission, known, head)
            self._listen(job, submission, known, challengers[0])
            return None
        self._silent_since.pop(job.id, None)
        signer, challenge = found
        return OpenedChallenge(signer, challenge.promise, challenge.block, Bytes32(block.hash), challenge.secret)

    def silent_s(self, job: Bytes32) -> float:
        """For how long, in seconds, the first of the challengers has done nothing though it could."""
        return time.monotonic() - self._silent_since.get(job, time.monotonic())

    def keep(self, live: Collection[Bytes32]) -> None:
        """Forget other jobs."""
        for gone in self._silent_since.keys() - live:
            del self._silent_since[gone]

    def _listen(
        self, job: WatchedJob, submission: Submission, known: Sequence[SignedStatement], first: Address
    ) -> None:
        promised = next(
            (
                made.message.block
                for made in known
                if made.signer == first
                and isinstance(made.message, Challenge)
                and made.message.attempt == submission.attempt
            ),
            None,
        )
        if promised is not None and self._time_of(promised) is None:
            self._silent_since.pop(job.id, None)
        else:
            self._silent_since.setdefault(job.id, time.monotonic())

    def _time_of(self, block: int) -> int | None:
        """The time at which a promised block counted, by the chain; None before."""
        header = self._account.rpc.header(block + self._confirmations)
        return header.timestamp if header is not None else None

    def _promise_or_open(
        self, job: WatchedJob, submission: Submission, known: list[SignedStatement], head: int
    ) -> None:
        secret = self._account.secret(f"challenge {job.id} {submission.attempt}")
        promise = Beacon(ZERO_BYTES32, bytes.fromhex(secret[2:])).promise
        mine = [
            made.message
            for made in known
            if made.signer == self._account.address
            and isinstance(made.message, Challenge)
            and made.message.attempt == submission.attempt
        ]
        if not mine:
            # A block after the one that is known now: neither this verifier nor the provider, whose result is in the journal, knows its hash.
            # The node takes no promise of a block that is there, and a fast chain may have made it on the way.
            ahead = self._ahead.pop(job.id, 1)
            try:
                self._publish(Challenge(job.id, submission.attempt, promise, head + ahead, ZERO_BYTES32))
            except NodeRefused:
                self._ahead[job.id] = min(2 * ahead, _MOST_AHEAD)
                raise
        elif head >= mine[0].block + self._confirmations:
            self._publish(replace(mine[0], secret=secret))

    def _publish(self, challenge: Challenge) -> None:
        self._node.publish(self._account.sign(challenge))
