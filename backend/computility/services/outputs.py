"""What a job produced: its output manifest, by the result that the chain or the provider names, and where its files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from computility.domain.content_id import ContentId, content_id_of_digest
from computility.domain.errors import ContentMismatch, ContentNotFound, InvalidExcuse, InvalidIdentifier, JobExcused
from computility.domain.excuse import Excuse, parse_excuse
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.statements import StatementKind, Submission
from computility.services.content import ContentService
from computility.services.journal import Journal
from computility.services.ledger import Confirmation
from computility.services.trades import Trades


@dataclass(frozen=True)
class OutputFile:
    """One file of the manifest, and whether this node holds it."""

    path: str
    size: int
    sha256: str
    cid: ContentId
    available: bool


@dataclass(frozen=True)
class OutputsView:
    """``source`` says who named the result: the chain, or so far the provider alone."""

    job: Bytes32
    result: Bytes32
    source: Literal["chain", "submission"]
    manifest_cid: ContentId
    manifest: Mapping[str, Any]
    files: tuple[OutputFile, ...]
    confirmation: Confirmation
    """Of the job."""


class Outputs:
    """Reads what jobs produced."""

    def __init__(self, trades: Trades, journal: Journal, content: ContentService) -> None:
        self._trades = trades
        self._journal = journal
        self._content = content

    def of_job(self, job_id: str) -> OutputsView:
        """The outputs of a job.

        Raises:
            UnknownJob: no such job.
            ContentNotFound: nothing is named yet, or the manifest was not uploaded here.
            JobExcused: the provider handed the job back; the message has its reason.
            ContentMismatch: what was uploaded under the result is no manifest, and no excuse for this job.
        """
        known = self._trades.job(job_id).job
        job = known.record
        result, source = self._result(job.id, job.result)
        cid = content_id_of_digest(result)
        raw = self._content.get(cid)
        manifest = _manifest(raw, cid)
        if "files" not in manifest:
            excuse = _excuse(raw, cid, job.id)
            raise JobExcused(f"the provider handed the job back ({excuse.reason}): {excuse.detail}")
        try:
            files = tuple(self._file(entry) for entry in manifest["files"])
        except (KeyError, TypeError, ValueError, InvalidIdentifier) as error:
            raise ContentMismatch(f"{cid} is the job's result, and no output manifest: look at it by hand") from error
        return OutputsView(job.id, result, source, cid, manifest, files, known.confirmation)

    def _result(self, job: Bytes32, on_chain: Bytes32 | None) -> tuple[Bytes32, Literal["chain", "submission"]]:
        if on_chain is not None and on_chain != ZERO_BYTES32:
            return on_chain, "chain"
        submitted = self._journal.about(StatementKind.SUBMISSION, job)
        if not submitted:
            raise ContentNotFound("the job has no result yet: wait until its provider submits one")
        message = submitted[-1].statement.message
        assert isinstance(message, Submission)
        return message.result, "submission"

    def _file(self, entry: Mapping[str, Any]) -> OutputFile:
        digest = str(entry["sha256"]).removeprefix("0x")
        cid = content_id_of_digest("0x" + digest)
        return OutputFile(str(entry["path"]), int(entry["size"]), digest, cid, self._content.has(cid))


def _manifest(raw: bytes, cid: ContentId) -> Mapping[str, Any]:
    try:
        manifest = orjson.loads(raw)
    except orjson.JSONDecodeError:
        manifest = None
    if not isinstance(manifest, dict):
        raise ContentMismatch(f"{cid} is the job's result, and no output manifest: look at it by hand")
    return manifest


def _excuse(raw: bytes, cid: ContentId, job: Bytes32) -> Excuse:
    try:
        excuse = parse_excuse(raw)
    except InvalidExcuse as error:
        raise ContentMismatch(
            f"{cid} is the job's result, and neither an output manifest nor an excuse: look at it by hand"
        ) from error
    if excuse.job != job:
        raise ContentMismatch(f"{cid} is the job's result, and an excuse for another job, {excuse.job}")
    return excuse
