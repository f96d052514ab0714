"""Clears a node's content store of what nobody needs any more, and never of what a live or disputed job does.

What is needed is found by following names from the documents that ledger and journal name (`content_needs`): each of them names files or further
documents, by content id or by SHA-256. A job needs all of it while it is not closed, and for a while after: a buyer has to fetch its results, an
auditor its evidence. What came in lately, or again lately, is left alone whatever it is for: its job may not be open yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from computility.domain.content_id import ContentId, content_id_of_digest, parse_content_id
from computility.domain.errors import ContentError, InvalidIdentifier
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.execution.content_store import FileContentStore

DAY_S: Final = 86_400
MAX_DOCUMENT_BYTES: Final = 32 * 1024 * 1024
_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_CONTENT_ID: Final = re.compile(rb"(?<![a-z2-7])b[a-z2-7]{58}(?![a-z2-7])")


@dataclass(frozen=True)
class Swept:
    """What a sweep did, in files and bytes."""

    kept: int
    kept_bytes: int
    dropped: int
    dropped_bytes: int


def sweep(
    store: FileContentStore,
    digests: Iterable[Bytes32],
    pinned: Iterable[ContentId],
    *,
    now: float,
    alone: Iterable[Bytes32] = (),
    young_s: float = 2 * DAY_S,
    dry: bool = False,
) -> Swept:
    """Drop what is reached neither from the documents of ``digests`` nor from what is ``pinned``, and is older than ``young_s`` seconds. Documents of
    ``alone`` stay without what they name. With ``dry`` only says what it would drop.

    Names are followed before anything is dropped, so a job that opens meanwhile loses nothing that is not old.
    """
    roots = [content_id_of_digest(digest) for digest in set(digests) - {ZERO_BYTES32}]
    needed = _reachable(store, [*pinned, *roots]) | {content_id_of_digest(digest) for digest in alone}
    kept = kept_bytes = dropped = dropped_bytes = 0
    for cid, size, written_at in list(store.stored()):
        # Where a back end does not say when, nothing is old enough. Who brought it again since it was listed has a use for it.
        if cid in needed or not 0 < written_at <= now - young_s or store.written_at(cid) > now - young_s:
            kept += 1
            kept_bytes += size
            continue
        dropped += 1
        dropped_bytes += size
        if not dry:
            store.remove(cid)
    if not dry:
        store.remove_unfinished(young_s)
    return Swept(kept, kept_bytes, dropped, dropped_bytes)


def _reachable(store: FileContentStore, roots: Iterable[ContentId]) -> set[ContentId]:
    reached: set[ContentId] = set()
    waiting = list(roots)
    while waiting:
        cid = waiting.pop()
        if cid in reached:
            continue
        reached.add(cid)
        try:
            is_document = store.size(cid) <= MAX_DOCUMENT_BYTES and store.read_range(cid, 0, 1) == b"{"
            waiting += names_in(store.get(cid)) if is_document else ()
        except ContentError:
            # It is not here, or damaged: its name is all there is to keep.
            continue
    return reached


def names_in(document: bytes) -> list[ContentId]:
    """Everything in a document that may be the name of content. Too many do no harm: a name that is none names nothing here."""
    named = [content_id_of_digest("0x" + digest.decode()) for digest in _DIGEST.findall(document)]
    for text in _CONTENT_ID.findall(document):
        try:
            named.append(parse_content_id(text.decode()))
        except InvalidIdentifier:
            continue
    return named
