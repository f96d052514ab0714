"""Content by its hash, through fsspec: a folder by default, S3 or anything else by URL."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any, BinaryIO, Final, Protocol, cast
from uuid import uuid4

import fsspec

from computility.domain.content_id import ContentId, content_id_of, content_id_of_digest, parse_content_id
from computility.domain.errors import ContentMismatch, ContentNotFound, ContentTooLarge, InvalidIdentifier

REFRESHED_AFTER_S: Final = 86_400.0
"""Half of the age from which a sweep drops what nobody needs."""


class ContentStore(Protocol):
    """Keeps bytes by their content id."""

    def put(self, data: bytes) -> ContentId:
        """Keep bytes; twice is once."""

    def get(self, cid: ContentId) -> bytes:
        """The bytes, checked against their id.

        Raises:
            ContentNotFound: not here.
            ContentMismatch: what is here is damaged.
        """

    def has(self, cid: ContentId) -> bool:
        """Whether it is here."""


def content_id_of_file(file: IO[bytes]) -> ContentId:
    """The id of all that an open file holds."""
    file.seek(0)
    return content_id_of_digest("0x" + hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]  # it asks for more than it uses


class FileContentStore:
    """A content store on any file system that fsspec knows. Content is written under another name first, then moved. What is kept again after a day
    is written anew: whoever brings it needs it, so its age begins again."""

    def __init__(self, url: str, max_bytes: int) -> None:
        self._files: Any
        self._files, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")
        self._max_bytes = max_bytes
        self._files.makedirs(self._root, exist_ok=True)

    def put(self, data: bytes) -> ContentId:
        """Keep bytes; twice is once.

        Raises:
            ContentTooLarge: above the limit.
        """
        if len(data) > self._max_bytes:
            raise ContentTooLarge(f"content may have at most {self._max_bytes} bytes, not {len(data)}")
        cid = content_id_of(data)
        if not self._came_lately(cid):
            with self._written(cid) as file:
                file.write(data)
        return cid

    def put_file(self, source: IO[bytes]) -> ContentId:
        """Keep an open file, from its beginning on, without reading it into memory.

        Raises:
            ContentTooLarge: above the limit.
        """
        size = source.seek(0, os.SEEK_END)
        if size > self._max_bytes:
            raise ContentTooLarge(f"content may have at most {self._max_bytes} bytes, not {size}")
        cid = content_id_of_file(source)
        if not self._came_lately(cid):
            source.seek(0)
            with self._written(cid) as file:
                shutil.copyfileobj(source, file)
        return cid

    def get(self, cid: ContentId) -> bytes:
        """The bytes, checked against their id.

        Raises:
            ContentNotFound: not here.
            ContentMismatch: what is here is damaged.
        """
        with self.open(cid) as file:
            data = file.read(self._max_bytes + 1)
        if content_id_of(data) != cid:
            raise ContentMismatch(f"what is stored as {cid} has another hash: delete it and fetch it again")
        return data

    def has(self, cid: ContentId) -> bool:
        """Whether it is here."""
        return bool(self._files.isfile(self._path(cid)))

    def size(self, cid: ContentId) -> int:
        """Bytes of it.

        Raises:
            ContentNotFound: not here.
        """
        try:
            return int(self._files.size(self._path(cid)))
        except FileNotFoundError:
            raise _not_found(cid) from None

    def open(self, cid: ContentId) -> BinaryIO:
        """A stream of it, not checked: the reader knows the hash.

        Raises:
            ContentNotFound: not here.
        """
        try:
            return cast("BinaryIO", self._files.open(self._path(cid), "rb"))
        except FileNotFoundError:
            raise _not_found(cid) from None

    def read_range(self, cid: ContentId, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``start`` on, not checked: a part has no hash of its own.

        Raises:
            ContentNotFound: not here.
        """
        with self.open(cid) as file:
            file.seek(start)
            return file.read(length)

    def stored(self) -> Iterator[tuple[ContentId, int, float]]:
        """Everything that is kept: content id, bytes, and when it was written, in UTC seconds; zero where the back end does not say."""
        for path, entry in self._files.find(self._root, detail=True).items():
            name = path.rpartition("/")[2]
            try:
                cid = parse_content_id(name)
            except InvalidIdentifier:
                continue
            yield cid, int(entry.get("size") or 0), _written_at(entry)

    def written_at(self, cid: ContentId) -> float:
        """When it was written last, in UTC seconds; zero where it is not here, or the back end does not say."""
        try:
            return _written_at(self._files.info(self._path(cid)))
        except FileNotFoundError:
            return 0.0

    def remove(self, cid: ContentId) -> None:
        """Drop it; nothing where it is not here."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm(self._path(cid))

    def remove_unfinished(self, older_than_s: float) -> int:
        """Drop what uploads that broke off left behind. How many files."""
        dropped = 0
        with contextlib.suppress(FileNotFoundError):
            for path, entry in self._files.find(f"{self._root}/incoming", detail=True).items():
                if _written_at(entry) < time.time() - older_than_s:
                    self._files.rm(path)
                    dropped += 1
        return dropped

    def total_bytes(self) -> int:
        """Bytes of everything that is kept."""
        return int(self._files.du(self._root, total=True))

    def _came_lately(self, cid: ContentId) -> bool:
        """Whether it is here, and so new that no sweep looks at it for long. Where a back end does not say when, being here is enough."""
        if not self.has(cid):
            return False
        written_at = self.written_at(cid)
        return written_at == 0 or written_at > time.time() - REFRESHED_AFTER_S

    def _path(self, cid: ContentId) -> str:
        # The last characters differ most, so they spread files over folders.
        return f"{self._root}/{parse_content_id(cid)[-2:]}/{cid}"

    @contextlib.contextmanager
    def _written(self, cid: ContentId) -> Iterator[BinaryIO]:
        temporary = f"{self._root}/incoming/{uuid4().hex}"
        path = self._path(cid)
        self._files.makedirs(f"{self._root}/incoming", exist_ok=True)
        try:
            with self._files.open(temporary, "wb") as file:
                yield file
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.mv(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                self._files.rm(temporary)


def _written_at(entry: Mapping[str, Any]) -> float:
    for name in ("mtime", "created", "LastModified", "last_modified"):
        value = entry.get(name)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, datetime):
            return value.timestamp()
    return 0.0


def _not_found(cid: str) -> ContentNotFound:
    return ContentNotFound(f"no content {cid} is here: upload it, or ask the node that has it")
