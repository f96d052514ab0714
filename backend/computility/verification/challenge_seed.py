"""Seeds that nobody can know before a result is committed, or choose afterwards.

The provider commits to its result root, bound to job, attempt, provider and salt. The verifier has published the hash of a secret before. The
seed is then the hash of both with that of a block after the commitment: the provider did not know the secret or the block; the verifier could not
choose the secret by the block or the result.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.errors import InvalidEvidence, InvalidMessage
from computility.domain.identifiers import Address, Bytes32, bytes32, keccak_bytes32, parse_address, parse_bytes32
from computility.domain.signature import full_length
from computility.domain.statements import Challenge, SignedStatement, Submission

SECRET_BYTES: Final = 32
TURN_S: Final = 15
OPEN_WITHIN_S: Final = 60
"""How long after the promised block a challenge may be opened, in seconds of the chain's time."""
_GRACE_S: Final = 10
SECRET_PREFIX: Final = b"computility/secret/1"


@dataclass(frozen=True)
class ResultCommitment:
    """What a provider binds itself to. ``salt`` makes the digest one that nobody could prepare; a submission names its result openly."""

    job: Bytes32
    attempt: int
    provider: Address
    salt: Bytes32
    result: Bytes32

    @property
    def digest(self) -> Bytes32:
        """SHA-256 over the fields, each of fixed width."""
        fields = [self.job, "0x" + self.attempt.to_bytes(4, "big").hex(), self.provider, self.salt, self.result]
        data = b"".join(bytes.fromhex(field[2:]) for field in fields)
        return bytes32(hashlib.sha256(b"computility/commitment/1" + data).digest())

    def opens_to(self, submission: Submission) -> bool:
        """Whether the submission is what was committed."""
        return (self.job, self.attempt, self.result) == (submission.job, submission.attempt, submission.result)


def commitment_of(signed: SignedStatement, submission: Submission) -> ResultCommitment:
    """A submission as a commitment. The provider's signature is the salt: nobody can know it before it is published, it stands in the journal and in
    the evidence, and it is one salt, in whichever of its two spellings it travels."""
    salt = bytes32(hashlib.sha256(b"computility/salt/1" + full_length(signed.signature)).digest())
    return ResultCommitment(submission.job, submission.attempt, signed.signer, salt, submission.result)


@dataclass(frozen=True)
class Beacon:
    """The hash of a block after the commitment, and the verifier's secret of 32 bytes, which never leaves it before the check."""

    block_hash: Bytes32
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a verifier's secret has {SECRET_BYTES} bytes, not {len(self.secret)}")

    def __repr__(self) -> str:
        return f"Beacon({self.block_hash}, secret of {self.promise})"

    @property
    def promise(self) -> Bytes32:
        """What the verifier publishes before the commitment, so that it cannot pick a secret later."""
        return bytes32(hashlib.sha256(SECRET_PREFIX + self.secret).digest())

    def seed(self, commitment: Bytes32) -> bytes:
        """The challenge seed, 32 bytes."""
        data = self.secret + bytes.fromhex(self.block_hash[2:]) + bytes.fromhex(commitment[2:])
        return hashlib.sha256(b"computility/seed/1" + data).digest()


@dataclass(frozen=True)
class OpenedChallenge:
    """How it was drawn what was checked: who promised which secret for which block, and what both turned out to be."""

    signer: Address
    promise: Bytes32
    block: int
    block_hash: Bytes32
    secret: Bytes32

    @property
    def beacon(self) -> Beacon:
        """Block and secret."""
        return Beacon(self.block_hash, bytes.fromhex(self.secret[2:]))

    def seed(self, signed: SignedStatement, submission: Submission) -> bytes:
        """The challenge seed for a submission."""
        return self.beacon.seed(commitment_of(signed, submission).digest)

    def to_document(self) -> dict[str, Any]:
        """As it stands in the evidence."""
        return {
            "signer": self.signer,
            "promise": self.promise,
            "block": self.block,
            "block_hash": self.block_hash,
            "secret": self.secret,
        }


def own_challenge(signer: Address) -> OpenedChallenge:
    """A challenge of one's own making, for a look that nobody else goes by: of no block, and a secret that nobody knew."""
    secret = secrets.token_bytes(SECRET_BYTES)
    nowhere = bytes32(bytes(32))
    return OpenedChallenge(signer, Beacon(nowhere, secret).promise, 0, nowhere, bytes32(secret))


def opened_challenge_of(document: Mapping[str, Any]) -> OpenedChallenge:
    """Read a challenge from evidence.

    Raises:
        InvalidEvidence: a field does not fit, or the secret is not what was promised.
    """
    try:
        if (
            document.keys() != {"signer", "promise", "block", "block_hash", "secret"}
            or type(document["block"]) is not int
        ):
            raise InvalidEvidence("a challenge has exactly the fields signer, promise, block, block_hash and secret")
        opened = OpenedChallenge(
            parse_address(document["signer"]),
            parse_bytes32(document["promise"]),
            document["block"],
            parse_bytes32(document["block_hash"]),
            parse_bytes32(document["secret"]),
        )
    except InvalidEvidence:
        raise
    except InvalidMessage as error:
        raise InvalidEvidence(str(error)) from error
    if opened.to_document() != dict(document) or opened.beacon.promise != opened.promise:
        raise InvalidEvidence("the challenge's secret is not what was promised, or it is spelled otherwise")
    return opened


def ranked(job: Bytes32, panel: Iterable[Address]) -> list[Address]:
    """A job's panel in the order in which its members act: by a hash that nobody chooses."""
    return sorted(panel, key=lambda member: keccak_bytes32(bytes.fromhex(job[2:] + member[2:])))


def drawn_order(seed: bytes, panel: Iterable[Address]) -> list[Address]:
    """The order in which a panel's members run a job that a seed has run again. Nobody knows it when the result is committed: a provider that has a
    member on its side does not know whether that one looks."""
    return ranked(bytes32(hashlib.sha256(b"computility/runners/1" + seed).digest()), panel)


class Withheld:
    """A draw that nobody sees: who promised it did not open it in time. Then nothing is drawn anew, and everything is looked at."""


WITHHELD: Final = Withheld()


def counting_promise(
    challenges: Iterable[SignedStatement], attempt: int, challengers: Sequence[Address]
) -> tuple[Address, Challenge] | None:
    """The promise by which an attempt is drawn: of the lowest block, and of those the one of who comes first among ``challengers``.

    A node takes no promise of a block that is there. So the choice is made once the block of the first promise is, before anybody knows what it
    draws; whatever is promised later names a later block, and does not count.
    """
    made = [
        (statement.message.block, challengers.index(statement.signer), statement.message)
        for statement in challenges
        if isinstance(statement.message, Challenge)
        and statement.message.attempt == attempt
        and not statement.message.is_open
        and statement.signer in challengers
    ]
    if not made:
        return None
    _, place, promised = min(made, key=lambda promise: promise[:2])
    return challengers[place], promised


def counting_challenge(
    challenges: Iterable[SignedStatement],
    attempt: int,
    challengers: Sequence[Address],
    time_of: Callable[[int], int | None],
    now: int,
) -> tuple[Address, Challenge] | Withheld | None:
    """The challenge to an attempt that all verifiers of a job use; None while one is waited for, or there is none; `WITHHELD` if it will not come.

    ``challenges`` are in the journal's order, ``time_of`` is the time of a promised block once it counts, None before, ``now`` the chain's. A node
    takes no opening later than `OPEN_WITHIN_S` after the block, so that nobody can wait to see what others make of its silence.
    """
    known = list(challenges)
    counting = counting_promise(known, attempt, challengers)
    if counting is None:
        return None
    member, promised = counting
    at = time_of(promised.block)
    if at is None:
        return None
    since = [statement.message for statement in known if statement.signer == member]
    for message in since[since.index(promised) :]:
        if isinstance(message, Challenge) and _opens(message, promised):
            return member, message
    return WITHHELD if now >= at + OPEN_WITHIN_S + _GRACE_S else None


def is_turn_of(
    member: Address,
    challenges: Iterable[SignedStatement],
    submission: Submission,
    challengers: Sequence[Address],
    now: int,
) -> bool:
    """Whether a member has to promise a challenge, or to open it: its own counts, or there is none yet, and those before it let their turns pass,
    `TURN_S` seconds of the chain's time each."""
    if member not in challengers:
        return False
    counting = counting_promise(challenges, submission.attempt, challengers)
    if counting is not None:
        return counting[0] == member
    return now >= submission.submitted_at + challengers.index(member) * TURN_S


def _opens(message: Challenge, promised: Challenge) -> bool:
    same = message.is_open and (message.promise, message.block) == (promised.promise, promised.block)
    return same and Beacon(message.job, bytes.fromhex(message.secret[2:])).promise == message.promise
