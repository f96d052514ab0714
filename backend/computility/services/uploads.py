"""Uploads that come in pieces, over connections that may break: each waits in a file of its own until it is whole.

They live as long as the node's process and an hour after their last piece; a client whose upload is gone begins anew. Their files have no name, so
nothing is left of them however the process ends. Their number and what they may grow to are bounded, of each client and together, so strangers cannot
fill the disk with beginnings, nor one of them keep the others out.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Final

from computility.domain.content_id import ContentId
from computility.domain.errors import Conflict, ContentMismatch, ContentNotFound, ContentTooLarge
from computility.execution.content_store import content_id_of_file
from computility.services.content import ContentService
from computility.services.upload_shares import Share

IDLE_S: Final = 3600.0


@dataclass
class PendingUpload:
    """``size`` bytes of which ``offset`` have arrived."""

    id: str
    size: int
    expected: str | None
    file: IO[bytes]
    share: Share
    offset: int = 0
    touched: float = 0.0
    writing: threading.Lock = field(default_factory=threading.Lock)

    def write(self, piece: bytes) -> None:
        """Add bytes at the end.

        Raises:
            ContentTooLarge: more than was announced.
        """
        if not piece:
            # The end of a request. Whoever was quicker may have finished it: nothing is to be made anew at its place.
            return
        if self.offset + len(piece) > self.size:
            raise ContentTooLarge(f"the upload was announced with {self.size} bytes, and more arrive")
        self.file.seek(self.offset)
        rest = memoryview(piece)
        while rest:
            rest = rest[self.file.write(rest) :]
        self.offset += len(piece)


class Uploads:
    """The uploads of one node."""

    def __init__(self, content: ContentService, clock: Callable[[], float] = time.monotonic) -> None:
        self._content = content
        self._clock = clock
        self._pending: dict[str, PendingUpload] = {}
        self._lock = threading.Lock()

    def begin(self, size: int, expected: str | None, client: str) -> PendingUpload:
        """Announce an upload of a client.

        Raises:
            ContentTooLarge: more than the node takes.
            LimitReached: too many wait already, of this client or of all.
        """
        most = self._content.max_bytes
        if size > most:
            raise ContentTooLarge(f"content of {size} bytes is over the limit of this node: send at most {most}")
        with self._lock:
            self._sweep()
            share = self._content.shares.take(client, size)
            upload_id = secrets.token_urlsafe(18)
            try:
                # Without a buffer: what does not fit on the disk is told of now, not when it is closed.
                file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it is closed with the upload
            except OSError:
                self._content.shares.give_back(share)
                raise
            upload = self._pending[upload_id] = PendingUpload(
                upload_id, size, expected, file, share, touched=self._clock()
            )
        return upload

    def find(self, upload_id: str) -> PendingUpload:
        """An upload that waits.

        Raises:
            ContentNotFound: there is none: never begun, finished, or left alone too long.
        """
        with self._lock:
            self._sweep()
            upload = self._pending.get(upload_id)
        if upload is None:
            raise ContentNotFound(
                "no such upload waits here: it is finished, or was left alone too long; begin another"
            )
        return upload

    @contextmanager
    def writing(self, upload_id: str, offset: int) -> Iterator[PendingUpload]:
        """While this lasts, nobody else writes to it.

        Raises:
            ContentNotFound: there is none.
            Conflict: it is at another place, or somebody writes to it.
        """
        upload = self.find(upload_id)
        if not upload.writing.acquire(blocking=False):
            raise Conflict("another request writes to this upload: ask for its offset, then go on")
        try:
            if upload.offset != offset:
                raise Conflict(f"the upload is at {upload.offset}, not {offset}: go on from there")
            yield upload
        finally:
            upload.touched = self._clock()
            upload.writing.release()

    def finish(self, upload_id: str) -> ContentId | None:
        """Keep what is whole; None while it is not.

        Raises:
            ContentMismatch: it is not what the sender takes it for.
            QuotaExceeded: the node is full.
        """
        upload = self.find(upload_id)
        if upload.offset < upload.size:
            return None
        with upload.writing:
            # Another request may have been quicker.
            self.find(upload_id)
            try:
                cid = content_id_of_file(upload.file)
                if upload.expected is not None and upload.expected != cid:
                    raise ContentMismatch(
                        f"what arrived is {cid}, not {upload.expected}: it was changed on the way, send it again"
                    )
                return self._content.keep_file(upload.file, cid, upload.size).cid
            finally:
                with self._lock:
                    self._forget(upload)

    def drop(self, upload_id: str) -> None:
        """Forget an upload.

        Raises:
            ContentNotFound: there is none.
            Conflict: somebody writes to it.
        """
        upload = self.find(upload_id)
        if not upload.writing.acquire(blocking=False):
            # What is still written would stay behind, counted by nobody.
            raise Conflict("another request writes to this upload: end it first")
        try:
            with self._lock:
                self._forget(upload)
        finally:
            upload.writing.release()

    def close(self) -> None:
        """Forget all of them."""
        with self._lock:
            for upload in [*self._pending.values()]:
                self._forget(upload)

    def _sweep(self) -> None:
        for upload in [*self._pending.values()]:
            if self._clock() - upload.touched > IDLE_S and not upload.writing.locked():
                self._forget(upload)

    def _forget(self, upload: PendingUpload) -> None:
        self._pending.pop(upload.id, None)
        upload.file.close()
        self._content.shares.give_back(upload.share)
