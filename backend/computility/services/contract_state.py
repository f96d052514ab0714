"""Around questions to contracts at a block of the past: most endpoints soon forget what was then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from computility.domain.errors import RpcRefused


@contextmanager
def state_of(block: int) -> Iterator[None]:
    """Say what an auditor can do where an endpoint does not answer for a block.

    Raises:
        RpcRefused: with that.
    """
    try:
        yield
    except RpcRefused as error:
        raise RpcRefused(
            f"{error}. What the contracts held at block {block} has to be asked of an endpoint that keeps it, say an archive node; "
            "or bring a ledger that `audit save` wrote (--ledger), with which no contract is asked",
            error.rpc_code,
            error.data,
        ) from error
