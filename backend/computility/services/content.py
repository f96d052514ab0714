"""Content that clients upload to the node and download from it, within a quota."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

from computility.domain.content_id import ContentId, content_id_of_digest, parse_content_id
from computility.domain.errors import ContentMismatch, ContentTooLarge, QuotaExceeded
from computility.execution.content_store import FileContentStore
from computility.services.upload_shares import UploadShares

_COUNTED_EVERY_S: Final = 60.0


@dataclass(frozen=True)
class KeptContent:
    """What an upload became. ``created`` is false where it was here already."""

    cid: ContentId
    size: int
    created: bool


class Upload:
    """Bytes that come in pieces; they wait in a file of their own, without a name, until they are kept."""

    def __init__(self, service: ContentService, file: IO[bytes]) -> None:
        self._service = service
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            ContentTooLarge: that makes it more than the node takes.
        """
        self._size += len(piece)
        if self._size > self._service.max_bytes:
            raise ContentTooLarge(f"content may have at most {self._service.max_bytes} bytes")
        self._digest.update(piece)
        self._file.write(piece)

    def keep(self, expected: str | None) -> KeptContent:
        """Put it into the store.

        Raises:
            ContentMismatch: it is not what the sender takes it for.
            QuotaExceeded: the node is full.
        """
        cid = content_id_of_digest("0x" + self._digest.hexdigest())
        if expected is not None and parse_content_id(expected) != cid:
            raise ContentMismatch(f"what arrived is {cid}, not {expected}: it was changed on the way, send it again")
        return self._service.keep_file(self._file, cid, self._size)


class ContentService:
    """The node's content store and its limits, in bytes."""

    def __init__(
        self,
        store: FileContentStore,
        max_bytes: int,
        quota_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.max_bytes = max_bytes
        self.shares = UploadShares(max_bytes)
        self._quota_bytes = quota_bytes
        self._clock = clock
        self._used = store.total_bytes()
        self._counted_at = clock()
        self._lock = threading.Lock()

    @contextmanager
    def receive(self, client: str, announced: int | None = None) -> Iterator[Upload]:
        """Take in an upload of a client. What is not kept by the end of the block leaves nothing behind.

        Raises:
            LimitReached: too many are under way, of this client or of all.
        """
        # One that does not say how large it is may become as large as any.
        size = self.max_bytes if announced is None else min(announced, self.max_bytes)
        with self.shares.held(client, size), tempfile.TemporaryFile() as file:
            yield Upload(self, file)

    def keep_file(self, file: IO[bytes], cid: ContentId, size: int) -> KeptContent:
        """Copy an upload into the store.

        Raises:
            QuotaExceeded: the node is full.
        """
        with self._lock:
            if self.store.has(cid):
                # Kept again, its age begins again.
                self.store.put_file(file)
                return KeptContent(cid, size, created=False)
            if self._used + size > self._quota_bytes and not self._has_room_after_all(size):
                raise QuotaExceeded(f"this node keeps at most {self._quota_bytes} bytes and is full: use another node")
            self.store.put_file(file)
            self._used += size
        return KeptContent(cid, size, created=True)

    def _has_room_after_all(self, size: int) -> bool:
        """Count again, as a sweep in another process may have made room; at most once in a while, since it looks at every file."""
        if self._clock() < self._counted_at + _COUNTED_EVERY_S:
            return False
        self._used, self._counted_at = self.store.total_bytes(), self._clock()
        return self._used + size <= self._quota_bytes

    def put(self, data: bytes) -> ContentId:
        """Keep the node's own content, such as examples; the quota is for strangers."""
        return self.store.put(data)

    def get(self, cid: str) -> bytes:
        """Content in memory, checked against its id.

        Raises:
            ContentNotFound: not here.
            ContentMismatch: damaged.
        """
        return self.store.get(parse_content_id(cid))

    def has(self, cid: str) -> bool:
        """Whether it is here."""
        return self.store.has(parse_content_id(cid))

    def size(self, cid: str) -> int:
        """Bytes of it.

        Raises:
            ContentNotFound: not here.
        """
        return self.store.size(parse_content_id(cid))

    def open(self, cid: str) -> BinaryIO:
        """A stream of it.

        Raises:
            ContentNotFound: not here.
        """
        return self.store.open(parse_content_id(cid))
