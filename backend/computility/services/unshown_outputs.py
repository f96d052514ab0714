"""Claims for work that nobody can see: what of a claimed result is not on the node though it should be.

A pass means that the buyer can have the outputs; a claim means nothing. An honest provider uploads before it submits, so a claim whose outputs are
not there is one to contest: without an arbiter it is refunded at once, with one the provider has to show its work to be paid.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from computility.chain.transaction_sender import Receipt
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentNotFound, InvalidManifest
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Bytes32, parse_bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.manifest import parse_manifest
from computility.domain.specification import parse_specification
from computility.services.held_outputs import asked_for, withheld_outputs
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

LOOKS_FOR_S: Final = 15.0
"""How long outputs have to stay away before a claim is contested; less where little of its window is left."""
_NAMED: Final = 3


class ClaimContester:
    """Contests, as their buyer or payer, claims whose outputs are not there."""

    def __init__(self, account: TradingAccount, node: NodeClient, watch: JobWatch) -> None:
        self._account = account
        self._node = node
        self._watch = watch
        self._missing_since: dict[Bytes32, float] = {}

    def contest(self, job: WatchedJob) -> Receipt | None:
        """Dispute a claim if its outputs stay away; None where there is nothing to contest (yet)."""
        claimed = job.chain.state is JobState.PENDING and job.chain.outcome == Outcome.CLAIM
        if not claimed or job.chain.pending <= job.chain.accepted or job.now > job.chain.deadline:
            return None
        if self._account.address not in (job.terms.buyer, job.terms.payer):
            return None
        missing = self.unshown(job)
        if not missing:
            self._missing_since.pop(job.id, None)
            return None
        since = self._missing_since.setdefault(job.id, time.monotonic())
        if time.monotonic() < since + min(LOOKS_FOR_S, (job.chain.deadline - job.now) / 2):
            return None
        receipt = self._account.dispute(job.terms)
        names = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        if job.terms.arbiter == ZERO_ADDRESS:
            then = "nobody arbitrates, so what was not accepted is refunded"
        else:
            then = (
                f"the arbiter {job.terms.arbiter} rules now: bring the case to it "
                f"(`computility arbiter bring {job.id}` where it is the panel)"
            )
        _log.warning(
            "contested job %s: its provider claims %d units and does not show %s; %s",
            job.id, job.chain.pending, names, then,
        )  # fmt: skip
        return receipt

    def unshown(self, job: WatchedJob) -> list[str]:
        """Paths of the claimed outputs that are not on the node, but for those that the policy lets wait until a challenge names them."""
        named = self._node.job(job.id)["result"]
        result = parse_bytes32(named) if named else ZERO_BYTES32
        try:
            manifest = parse_manifest(self._node.get_content(content_id_of_digest(result)))
        except (ContentNotFound, InvalidManifest):
            return ["an output manifest"]
        missing = [file.path for file in manifest.files if not self._node.has_content(file.cid)]
        if not missing:
            return []
        specification = parse_specification(self._node.get_content(content_id_of_digest(job.terms.spec)))
        waiting = withheld_outputs(specification, manifest)
        submitted = self._watch.submission(job)
        if waiting and submitted is not None:
            waiting -= asked_for(self._account, self._node, job, specification, *submitted)
        return [path for path in missing if path not in waiting]
