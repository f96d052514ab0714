"""Options that the auditor's verbs share, and the chain that they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computility.cli.output import progress_console

if TYPE_CHECKING:
    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import Deployments
    from computility.services.ledger_source import LedgerSource, SourcedBlock

DeploymentsOption = Annotated[
    Path,
    typer.Option(
        "--deployments",
        envvar="COMPUTILITY_DEPLOYMENTS_DIR",
        help="Folder of the deployment records (`deployments/<chain>.json`), which name the contracts.",
        rich_help_panel="Connection",
    ),
]
LedgerFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        help="Read the chain from a file that `computility audit save` wrote, offline, instead of an endpoint.",
        rich_help_panel="Connection",
        exists=True,
        dir_okay=False,
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


@contextmanager
def open_source(
    rpc_url: str, deployments: Path, file: Path | None
) -> Iterator[tuple[LedgerSource, ChainConnection | None]]:
    """The ledger's source, and the chain behind it where there is one."""
    from computility.services.ledger_source import FileSource, RpcSource

    if file is not None:
        yield FileSource(file), None
        return
    with open_chain(rpc_url, deployments) as (chain, deployed):
        yield RpcSource(chain.rpc, deployed), chain


def with_progress(blocks: Iterator[SourcedBlock], source: LedgerSource, what: str) -> Iterator[SourcedBlock]:
    """The blocks, with a bar, the rate and the time that is left on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress_console, transient=True) as progress:
        first = source.deployments.generations[0].block
        task = progress.add_task(what, total=source.last - first + 1)
        for block in blocks:
            yield block
            progress.advance(task)


@contextmanager
def need_analysis() -> Iterator[None]:
    """Around imports of libraries that only the extra ``analysis`` brings."""
    from computility.domain.errors import ComputilityError

    try:
        yield
    except ImportError as error:
        raise ComputilityError(
            f"this needs {error.name}, which the extra brings: pip install 'computility[analysis]'"
        ) from error
