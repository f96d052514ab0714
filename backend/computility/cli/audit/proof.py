"""``computility audit proof JOB``: a trade, proven against block hashes, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computility.cli.audit.options import DEFAULT_DEPLOYMENTS, DeploymentsOption, open_chain
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, print_record, progress_console
from computility.cli.written_files import writing

if TYPE_CHECKING:
    from computility.domain.identifiers import Bytes32
    from computility.services.proof_builder import FetchContent


def command(
    job: Annotated[str, typer.Argument(help="The job's id: 0x and 64 hex digits.")],
    file: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write the bundle; JOB.proof.json by default.")
    ] = None,
    documents: Annotated[
        str | None,
        typer.Option(
            help="URL of a node that has the specification and the evidence, to put into the bundle. Without it they are named by their hashes.",
            envvar="COMPUTILITY_NODE",
        ),
    ] = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Prove every event of a trade against the hashes of its blocks, in one file that anyone verifies offline with `computility audit verify`."""
    from computility.domain.identifiers import parse_bytes32
    from computility.services.proof_builder import ProofBuilder, by_hash_only

    wanted = parse_bytes32(job)
    with open_chain(rpc, deployments) as (chain, deployed), progress_console.status("proving the trade"):
        fetch = _content_of(documents) if documents else by_hash_only
        bundle, trade = ProofBuilder(chain, deployed).build(wanted, fetch)
    path = file or Path(f"{wanted}.proof.json")
    with writing(path):
        path.write_bytes(bundle)
    print_record(
        {
            "file": str(path),
            "bytes": len(bundle),
            "job": trade.job,
            "state": trade.record.state.name.lower(),
            "events": len(trade.events),
            "blocks": len(trade.blocks),
            "attestations": len(trade.attestations),
            "specification": trade.has_specification,
            "evidence": trade.evidence,
        },
        as_json=as_json,
    )


def _content_of(url: str) -> FetchContent:
    from computility.domain.content_id import content_id_of_digest
    from computility.domain.errors import ContentNotFound, NodeRefused
    from computility.services.node_client import NodeClient

    node = NodeClient(url)

    def fetch(digest: Bytes32) -> bytes | None:
        try:
            return node.get_content(content_id_of_digest(digest))
        except (ContentNotFound, NodeRefused):
            return None

    return fetch
