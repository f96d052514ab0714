"""A client of a node that is not there."""

from __future__ import annotations

import pytest

from computility.domain.errors import NodeUnavailable
from computility.services.node_client import NodeClient


def test_a_client_that_was_closed__says_so__for_a_thread_that_still_asks() -> None:
    client = NodeClient("http://127.0.0.1:9")
    client.close()

    with pytest.raises(NodeUnavailable, match="closed"):
        client.health()
