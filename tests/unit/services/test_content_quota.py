"""A node that was full takes content again when room was made, in whichever process."""

from __future__ import annotations

from pathlib import Path

import pytest

from computility.domain.errors import QuotaExceeded
from computility.execution.content_store import FileContentStore
from computility.services.content import ContentService


def test_full_node__after_a_sweep_of_another_process__takes_content_again(tmp_path: Path) -> None:
    now = 0.0
    place = str(tmp_path / "content")
    service = ContentService(FileContentStore(place, 10_000), 10_000, 30_000, lambda: now)

    def keep(data: bytes) -> None:
        with service.receive("a") as upload:
            upload.write(data)
            upload.keep(None)

    keep(b"a" * 10_000)
    for data in (b"b" * 9_000, b"c" * 9_000):
        with service.receive("a") as upload:
            upload.write(data)
            if service._used + len(data) <= 30_000:
                kept = upload.keep(None)
    with pytest.raises(QuotaExceeded):
        keep(b"d" * 9_000)
    FileContentStore(place, 10_000).remove(kept.cid)
    with pytest.raises(QuotaExceeded):
        # Counting looks at every file, so a stranger cannot have it done at each upload.
        keep(b"d" * 9_000)
    now = 61.0
    keep(b"d" * 9_000)
