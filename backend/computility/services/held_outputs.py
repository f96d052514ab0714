"""What a provider does not upload until a verifier asks for it: checkpoints, of which a challenge looks at a few.

They stay in a content store of the provider's own, so that an agent that starts again can still answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from computility.domain.content_id import content_id_of_digest
from computility.domain.identifiers import Bytes32
from computility.domain.manifest import OutputManifest, parse_manifest
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import Challenge, SignedStatement, Submission
from computility.execution.content_store import ContentStore, FileContentStore
from computility.execution.executor import Execution
from computility.services.challenge_desk import challenges_of
from computility.services.content_sweep import sweep
from computility.services.job_watch import WatchedJob
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.challenge_seed import OPEN_WITHIN_S, OpenedChallenge
from computility.verification.composition import leaves, leaves_of_any_draw
from computility.verification.segment_replay import SegmentPolicy, withheld_paths

_log = logging.getLogger(__name__)

KEPT_S: Final = 14 * 86_400.0
_ANY_SEED: Final = bytes(32)


class HeldOutputs:
    """Outputs of one provider. ``held`` is where they wait; without it everything is uploaded at once."""

    def __init__(
        self, account: TradingAccount, node: NodeClient, content: ContentStore, held: FileContentStore | None
    ) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._held = held
        self._answered: set[tuple[Bytes32, Bytes32]] = set()

    def store(self, specification: Specification, execution: Execution) -> None:
        """Upload what a run produced, but for what its policy lets wait."""
        waiting = withheld_outputs(specification, execution.manifest) if self._held is not None else set()
        for path, data in execution.outputs.items():
            (self._held if self._held is not None and path in waiting else self._content).put(data)
        self._content.put(execution.manifest.to_bytes())

    def answer(self, job: WatchedJob, signed: SignedStatement, submission: Submission) -> None:
        """Upload what the opened challenges to a submission ask for. Once is enough for each."""
        if self._held is None:
            return
        for statement, opened in opened_challenges(self._account, self._node, job, submission):
            if (job.id, statement) not in self._answered:
                self._upload(job, submission, opened.seed(signed, submission))
                self._answered.add((job.id, statement))
        if (job.id, job.id) not in self._answered and is_withheld(self._account, self._node, job, submission):
            self._upload(job, submission, None)
            self._answered.add((job.id, job.id))

    def sweep(self) -> None:
        """Drop what waited so long that its job must be over."""
        if self._held is not None:
            sweep(self._held, [], [], now=time.time(), young_s=KEPT_S)

    def _upload(self, job: WatchedJob, submission: Submission, seed: bytes | None) -> None:
        assert self._held is not None
        specification = parse_specification(self._content.get(content_id_of_digest(job.terms.spec)))
        manifest = parse_manifest(self._content.get(content_id_of_digest(submission.result)))
        wanted = withheld_outputs(specification, manifest) if seed is None else _named_by(specification, seed)
        sent = [file for file in manifest.files if file.path in wanted and self._held.has(file.cid)]
        for file in sent:
            self._content.put(self._held.get(file.cid))
        _log.info("answered a challenge to job %s: %d files", job.id, len(sent))


def opened_challenges(
    account: TradingAccount, node: NodeClient, job: WatchedJob, submission: Submission
) -> Iterator[tuple[Bytes32, OpenedChallenge]]:
    """Challenges to a submission that were opened, and whose blocks are there, each with the id of its statement."""
    for statement in challenges_of(account, node, job.id):
        challenge = statement.message
        if not isinstance(challenge, Challenge) or not challenge.is_open or challenge.attempt != submission.attempt:
            continue
        block = account.rpc.header(challenge.block)
        if block is not None:
            yield (
                Bytes32(statement.id),
                OpenedChallenge(
                    statement.signer, challenge.promise, challenge.block, Bytes32(block.hash), challenge.secret
                ),
            )


def is_withheld(account: TradingAccount, node: NodeClient, job: WatchedJob, submission: Submission) -> bool:
    """Whether somebody promised a challenge and did not open it in time: verifiers may look at everything then."""
    made = [
        (statement.signer, statement.message)
        for statement in challenges_of(account, node, job.id)
        if isinstance(statement.message, Challenge) and statement.message.attempt == submission.attempt
    ]
    opened = {signer for signer, message in made if message.is_open}
    for signer, message in made:
        block = account.rpc.header(message.block) if signer not in opened else None
        if block is not None and job.now >= block.timestamp + OPEN_WITHIN_S:
            return True
    return False


def asked_for(
    account: TradingAccount,
    node: NodeClient,
    job: WatchedJob,
    specification: Specification,
    signed: SignedStatement,
    submission: Submission,
) -> set[str]:
    """Paths that the opened challenges to a submission name; every one, where a challenge was promised and is withheld."""
    if is_withheld(account, node, job, submission):
        return {path for policy in leaves_of_any_draw(specification.verification) for path in _checkpoints_of(policy)}
    seeds = [opened.seed(signed, submission) for _, opened in opened_challenges(account, node, job, submission)]
    return {path for seed in seeds for path in _named_by(specification, seed)}


def _checkpoints_of(policy: Mapping[str, Any]) -> set[str]:
    read = SegmentPolicy.read(policy) if policy.get("method") == "segment-replay" else None
    return set() if read is None else {read.path(place) for place in range(read.segments + 1)}


def _named_by(specification: Specification, seed: bytes) -> set[str]:
    wanted: set[str] = set()
    for policy, own_seed in leaves(specification.verification, seed):
        if policy.get("method") == "segment-replay" and (read := SegmentPolicy.read(policy)) is not None:
            wanted |= read.needed(own_seed)
    return wanted


def withheld_outputs(specification: Specification, manifest: OutputManifest) -> set[str]:
    """Paths of the outputs that a job's policy leaves with its provider until a challenge asks for them."""
    return withheld_paths([policy for policy, _ in leaves(specification.verification, _ANY_SEED)], manifest)
