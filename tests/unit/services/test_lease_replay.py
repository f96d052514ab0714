"""An auditor holds what a buyer signed for a lease against the meter that its provider signed.

a co-signature that names a reading
├── to which a chain of the provider's readings leads, each with its sample → holds, whatever came after
├── whose chain
│   ├── has a reading that was changed, is of another lease, or of another signer → named, and accuses nobody
│   ├── lacks a reading, or the one that is named → named, and accuses nobody
│   ├── has a sample that is gone, or is another → named, and accuses nobody
│   └── has a fault, or a second reading beside it → accused by what the provider signed
├── of more than the reading says, or by another than the buyer → accused
└── that the buyer contested → accused; a contest of what came after is none, and one by a stranger is named
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import tests.unit.services.order_book_parties as given
from tests.unit.services.order_book_parties import BUYER, DOMAIN, PROVIDER, STRANGER, Party

from computility.domain.content_id import ContentId, content_id_of_digest
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.meter_sample import MeterSampleDocument
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.statements import SignedStatement, read_statement
from computility.execution.content_store import FileContentStore
from computility.services.lease_replay import Meter, MeterUnfit, require_meter
from computility.services.trade_proof import SignedAttestation
from computility.verification.lease_heartbeat import LeasePolicy

POLICY = LeasePolicy(16)
BEGAN_MS = 1_790_000_000_000
OTHER_JOB = Bytes32("0x" + "22" * 32)


class Lying(FileContentStore):
    """A store that hands out what it is asked for without a look."""

    def get(self, cid: ContentId) -> bytes:
        """The bytes as they lie there."""
        with self.open(cid) as file:
            return file.read()


@dataclass
class Lease:
    """A lease that was metered four times, of which the buyer signed for the third."""

    content: FileContentStore
    rows: list[dict[str, Any]] = field(default_factory=list)
    contests: list[dict[str, Any]] = field(default_factory=list)
    job: Bytes32 = ZERO_BYTES32

    def __post_init__(self) -> None:
        ask = given.ask()
        self.terms = replace(given.terms(given.request(ask), ask), verifier=BUYER.address)
        self.job = Bytes32(self.terms.job_id(DOMAIN))
        for _ in range(4):
            self.read()
        self.signed_units, self.signed_root = 12, str(self.rows[2]["id"])
        self.signers = (BUYER.address,)

    def read(self, by: Party = PROVIDER, **changes: Any) -> dict[str, Any]:
        """The next reading, four seconds after the last."""
        place = len(self.rows) + 1
        sample = MeterSampleDocument(cpu_ms=3_000 * place, memory_bytes=1 << 20, processes=("sleep",))
        self.content.put(sample.to_bytes())
        previous = self.rows[-1]["id"] if self.rows else ZERO_BYTES32
        reading = MeterReading(
            self.job, 1, place, previous, 4 * place, BEGAN_MS + 4_000 * place, sample.digest, is_last=False
        )
        self.rows.append(by.sign(replace(reading, **changes)))
        return self.rows[-1]

    def without(self, place: int) -> None:
        """The meter as a store tells it that lost a reading."""
        del self.rows[place]

    def again_from(self, place: int, by: Party = PROVIDER, **changes: Any) -> None:
        """Another meter from a reading on; the buyer signed for its third reading."""
        del self.rows[place:]
        self.read(by, **changes)
        while len(self.rows) < 4:
            self.read()
        self.signed_root = str(self.rows[2]["id"])

    def fault(self) -> tuple[str, bool] | None:
        """Why the co-signature does not rest on the meter, and whether that accuses; None where it does."""
        attestation = given.attestation(
            self.job, units=self.signed_units, meter_root=Bytes32(self.signed_root), is_final=False
        )
        meter = Meter(lambda _: read(self.rows), lambda _: read(self.contests))
        try:
            require_meter(
                self.job, self.terms, SignedAttestation(attestation, self.signers, True), POLICY, meter, self.content
            )
        except MeterUnfit as unfit:
            return unfit.reason, unfit.accuses
        return None


def read(rows: list[dict[str, Any]]) -> list[SignedStatement]:
    return [read_statement(row, DOMAIN) for row in rows]


def change_a_reading(lease: Lease) -> None:
    lease.rows[1]["message"]["units"] = "9"


def sign_by_a_stranger(lease: Lease) -> None:
    lease.again_from(1, by=STRANGER)


def read_another_lease(lease: Lease) -> None:
    lease.again_from(1, job=OTHER_JOB)


def lose_a_reading(lease: Lease) -> None:
    lease.without(1)


def lose_what_was_signed(lease: Lease) -> None:
    lease.without(2)


def lose_a_sample(lease: Lease) -> None:
    lease.content.remove(content_id_of_digest(Bytes32(lease.rows[1]["message"]["sample"])))


def change_a_sample(lease: Lease) -> None:
    cid = content_id_of_digest(Bytes32(lease.rows[1]["message"]["sample"]))
    with lease.content.open(cid) as file:
        path = Path(str(file.name))
    path.write_bytes(path.read_bytes().replace(b"sleep", b"slept"))


def contest_by_a_stranger(lease: Lease) -> None:
    lease.contests = [STRANGER.sign(MeterContest(lease.job, Bytes32(lease.rows[3]["id"]), "gap-in-readings", 1))]


@pytest.fixture(params=[FileContentStore, Lying])
def lease(request: pytest.FixtureRequest, tmp_path: Path) -> Lease:
    return Lease(request.param(str(tmp_path), 1 << 20))


def test_a_co_signature__rests_on_the_meter_up_to_the_reading_that_it_names(lease: Lease) -> None:
    assert lease.fault() is None
    # What the buyer did not sign for says nothing about what it did.
    lease.read(units=4_000)
    lease.contests = [BUYER.sign(MeterContest(lease.job, Bytes32(lease.rows[3]["id"]), "gap-in-readings", 1))]
    assert lease.fault() is None


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (change_a_reading, "statement-tampered"),
        (sign_by_a_stranger, "reading-of-another-signer"),
        (read_another_lease, "reading-of-another-lease"),
        (lose_a_reading, "reading-missing"),
        (lose_what_was_signed, "meter-root-unknown"),
        (lose_a_sample, "sample-missing"),
        (change_a_sample, "sample-tampered"),
        (contest_by_a_stranger, "contest-of-another-signer"),
    ],
)
def test_what_a_store_lost_or_changed__is_named__and_accuses_nobody(
    lease: Lease, harm: Callable[[Lease], None], reason: str
) -> None:
    harm(lease)
    assert lease.fault() == (reason, False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"units": 40}, "faster-than-time"),
        ({"at_ms": BEGAN_MS}, "clock-fell"),
        ({"at_ms": BEGAN_MS + 90_000}, "gap-in-readings"),
        ({"sequence": 5}, "chain-broken"),
        ({"is_last": True}, "chain-broken"),
    ],
)
def test_what_the_provider_signed__accuses_it(lease: Lease, changes: dict[str, Any], reason: str) -> None:
    lease.again_from(1, **changes)
    assert lease.fault() == (reason, True)


def test_two_meters_of_the_same_seconds__accuse_their_provider(lease: Lease) -> None:
    lease.rows.append(PROVIDER.sign(replace(read(lease.rows)[1].message, units=9)))  # type: ignore[type-var]  # a reading
    assert lease.fault() == ("chain-broken", True)


def test_more_than_the_meter_says__or_another_hand_than_the_buyers__is_accused(lease: Lease) -> None:
    lease.signed_units = 13
    assert lease.fault() == ("units-differ", True)
    lease.signed_units = 12
    lease.signers = (STRANGER.address,)
    assert lease.fault() == ("co-signed-by-another", True)


def test_what_the_buyer_contested__it_cannot_have_signed_for(lease: Lease) -> None:
    lease.contests = [BUYER.sign(MeterContest(lease.job, Bytes32(lease.rows[1]["id"]), "gap-in-readings", 1))]
    assert lease.fault() == ("co-signed-what-it-contested", True)


def test_units_without_a_reading__cannot_be_told(lease: Lease) -> None:
    lease.signed_root = ZERO_BYTES32
    assert lease.fault() == ("meter-root-unnamed", False)
    lease.signed_units = 0
    assert lease.fault() is None
