"""Claims of hardware, rounds of the challenge, and signed ratings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from computility.api.schemas.statements import Signed, Statement
from computility.api.schemas.wire import Address, Answer, Bytes32, Message, Page, Time, Units

HardwareClaimKind = Literal["hardware-claim"]
RatingChallengeKind = Literal["rating-challenge"]
RatingAnswerKind = Literal["rating-answer"]
RatingKind = Literal["rating"]
Attribute = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9:._-]{0,63}$"), Field(examples=["int8-gemm"])]
Count = Annotated[int, Field(ge=0, le=2**32 - 1, examples=[1])]


class HardwareClaimMessage(Message):
    """What a provider says that it has."""

    provider: Address
    devices: Annotated[Bytes32, Field(description="SHA-256 of the list of devices, in the content store.")]
    at: Time


class RatingChallengeMessage(Message):
    """A verifier's step in a round: the promise, the work's secret, the sample's secret."""

    verifier: Address
    provider: Address
    claim: Bytes32
    rows: Count
    size: Count
    promise: Bytes32
    block: Units
    secret: Annotated[Bytes32, Field(description="Zero in the promise; then its preimage, then that one's.")]


class RatingAnswerMessage(Message):
    """A provider's step in a round: the root of its products, then the rows that were drawn; or why it passes on the round."""

    provider: Address
    promise: Bytes32
    root: Bytes32
    opened: Bytes32
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,64}$"), Field(examples=["devices-busy"])]
    at: Time


class RatingMessage(Message):
    """What a verifier measured of a provider's resource, one attribute, for a while."""

    verifier: Address
    provider: Address
    resource: Annotated[Bytes32, Field(description="keccak-256 of the resource's URN.")]
    attribute: Attribute
    value: Annotated[Units, Field(description="Of `int8-gemm`: millionths of a compute unit a device.")]
    devices: Count
    evidence: Annotated[Bytes32, Field(description="The root that was checked.")]
    measured_at: Time
    valid_until: Time


class SignedHardwareClaim(Signed[HardwareClaimKind, HardwareClaimMessage]):
    """A claim on its way in."""


class SignedRatingChallenge(Signed[RatingChallengeKind, RatingChallengeMessage]):
    """A verifier's step on its way in."""


class SignedRatingAnswer(Signed[RatingAnswerKind, RatingAnswerMessage]):
    """A provider's step on its way in."""


class SignedRating(Signed[RatingKind, RatingMessage]):
    """A rating on its way in."""


class HardwareClaimStatement(Statement[HardwareClaimKind, HardwareClaimMessage]):
    """A claim in the journal."""


class RatingChallengeStatement(Statement[RatingChallengeKind, RatingChallengeMessage]):
    """A verifier's step in the journal."""


class RatingAnswerStatement(Statement[RatingAnswerKind, RatingAnswerMessage]):
    """A provider's step in the journal."""


class RatingStatement(Statement[RatingKind, RatingMessage]):
    """A rating in the journal."""


class HardwareClaimPage(Page[HardwareClaimStatement]):
    """Claims of a provider, the newest first."""


class RatingChallengePage(Page[RatingChallengeStatement]):
    """Verifiers' steps with a provider, the newest first."""


class RatingAnswerPage(Page[RatingAnswerStatement]):
    """A provider's steps, the newest first."""


class RatingPage(Page[RatingStatement]):
    """Ratings of a provider, the newest first, expired ones too."""


class RatingRow(Answer):
    """A rating that holds now, in short."""

    attribute: Attribute
    value: Units
    devices: Count
    resource: Bytes32
    verifier: Address
    measured_at: Time
    valid_until: Time
