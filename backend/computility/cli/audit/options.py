"""Options that the auditor's verbs share, and the chain that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import Deployments

DeploymentsOption = Annotated[
    Path,
    typer.Option(
        "--deployments",
        help="Folder of the deployment records (`deployments/<chain>.json`), which name the contracts.",
        rich_help_panel="Connection",
    ),
]
DEFAULT_DEPLOYMENTS = Path("deployments")


@contextmanager
def open_chain(rpc_url: str, deployments: Path) -> Iterator[tuple[ChainConnection, Deployments]]:
    """A connection to the chain, and what is deployed there."""
    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import read_deployments
    from computility.chain.rpc import RpcClient

    rpc = RpcClient(rpc_url, timeout_s=60.0)
    try:
        yield ChainConnection(rpc), read_deployments(deployments, rpc.chain_number())
    finally:
        rpc.close()
