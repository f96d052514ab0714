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
    from computility.services.ledger_anchors import Anchor
    from computility.services.ledger_source import FileSource, LedgerSource, SourcedBlock

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
TrustedBlockOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trusted-block",
        metavar="NUMBER:HASH",
        help="A block whose hash you know from a source that you trust, such as 123:0x…: the ledger has to hold it, which proves all before it. "
        "May be given several times; the blocks of your deployment records are trusted already.",
        rich_help_panel="Connection",
    ),
]
DEFAULT_DEPLOYMENTS = Path("deployments")


@contextmanager
def open_chain(
    rpc_url: str, deployments: Path, trusted: list[str] | None = None
) -> Iterator[tuple[ChainConnection, Deployments]]:
    """A connection to the chain, and what is deployed there. Its endpoint has to have the blocks that the auditor brings."""
    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import read_deployments
    from computility.chain.rpc import RpcClient
    from computility.domain.errors import InvalidProof
    from computility.services.ledger_anchors import Anchors

    rpc = RpcClient(rpc_url, timeout_s=60.0)
    try:
        deployed = read_deployments(deployments, rpc.chain_number())
        anchors = Anchors(deployed, anchors_of(trusted))
        for anchor in anchors:
            header = rpc.header(anchor.number)
            if header is None:
                raise InvalidProof(
                    f"{rpc.name} has no block {anchor.number}, which {anchor.brought_by} names: it lags, or serves another chain"
                )
            anchors.hold(anchor.number, header.hash)
        yield ChainConnection(rpc), deployed
    finally:
        rpc.close()


@contextmanager
def open_source(
    rpc_url: str, deployments: Path, file: Path | None, trusted: list[str] | None = None
) -> Iterator[tuple[LedgerSource, ChainConnection | None]]:
    """The ledger's source, and the chain behind it where there is one."""
    from computility.services.ledger_source import RpcSource

    if file is not None:
        source = open_ledger_file(file, deployments, trusted)
        source.anchors.require_within(source.deployments.generations[0].block, source.last)
        yield source, None
        return
    with open_chain(rpc_url, deployments, trusted) as (chain, deployed):
        yield RpcSource(chain.rpc, deployed, trusted=anchors_of(trusted)), chain


def open_ledger_file(file: Path, deployments: Path, trusted: list[str] | None) -> FileSource:
    """A saved ledger, which has to be of the auditor's own deployments."""
    from computility.chain.deployments import read_deployments
    from computility.services.ledger_source import FileSource

    return FileSource(file, lambda chain_number: read_deployments(deployments, chain_number), anchors_of(trusted))


def anchors_of(trusted: list[str] | None) -> list[Anchor]:
    """The blocks that an auditor named."""
    from computility.services.ledger_anchors import parse_anchor

    return [parse_anchor(text) for text in trusted or ()]


def tell_believed(source: LedgerSource) -> None:
    """Say on standard error what is believed of a ledger that was read to its end."""
    from computility.services.ledger_anchors import believed_in_words

    progress_console.print(believed_in_words(source.anchors.believed(source.last)))


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
