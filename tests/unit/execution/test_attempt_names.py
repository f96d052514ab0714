"""What an attempt is called."""

from __future__ import annotations

import re

from computility.domain.identifiers import Bytes32
from computility.execution.executor import AttemptId


def test_jobs_alike_in_128_bits_of_their_ids__have_attempts_of_different_names() -> None:
    names = {
        str(AttemptId(Bytes32("0x" + "ab" * 16 + other + "00" * 12), attempt))
        for other in ("00000000", "00000001")
        for attempt in (1, 2)
    }
    assert len(names) == 4
    # A name of an object in Kubernetes, with the prefix that it gets there, has at most 63 characters.
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", f"computility-{name}") for name in names)
    assert all(len(f"computility-{name}") <= 63 for name in names)
