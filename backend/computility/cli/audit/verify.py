"""``computility audit verify BUNDLE``: does a trade's proof prove it?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computility.cli.audit.options import TrustedBlockOption, anchors_of
from computility.cli.output import JsonOption, console, print_json, print_record, print_rows
from computility.domain.units import format_credits

if TYPE_CHECKING:
    from computility.services.trade_logs import LeftOut
    from computility.services.trade_proof import VerifiedTrade


def command(
    bundle: Annotated[
        Path, typer.Argument(help="A file that `computility audit proof` wrote.", exists=True, dir_okay=False)
    ],
    rpc: Annotated[
        str | None,
        typer.Option(
            help="URL of any chain endpoint: ask it whether the blocks are on its chain, and whether it knows of an event that the proof leaves out. "
            "Without it nothing is asked of anybody.",
        ),
    ] = None,
    trusted_block: TrustedBlockOption = None,
    deployments: Annotated[
        Path | None,
        typer.Option(
            help="Folder of your deployment records: the escrow has to be one of theirs. Anybody can deploy another one.",
            envvar="COMPUTILITY_DEPLOYMENTS_DIR",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a trade's proof offline, with nothing but the file: headers, receipts, events, terms, signatures and documents.

    What it cannot know is whether the blocks are on the chain, whether an event was left out, and whether the escrow is the market's: compare the
    hashes that it prints with a block explorer, or name them with --trusted-block, or an endpoint with --rpc, which tells of missing events too;
    and name your records with --deployments. Ends with 1, and the reason, when anything does not hold.
    """
    from computility.chain.deployments import read_deployments
    from computility.domain.identifiers import chain_number
    from computility.services.proof_anchors import hold_blocks, hold_escrow
    from computility.services.trade_proof import verify_bundle

    trade = verify_bundle(bundle.read_bytes())
    held = hold_blocks(trade, anchors_of(trusted_block))
    generation = hold_escrow(trade, read_deployments(deployments, chain_number(trade.chain))) if deployments else None
    confirmed, later = _confirm(trade, rpc) if rpc else (None, None)
    went_on = None if later is None else [f"{event.name} in block {event.block}" for event in later]
    believed = {
        "blocks_confirmed_by": confirmed,
        "blocks_trusted": held,
        "generation": generation,
        "as_of_block": trade.blocks[-1][0],
        "went_on": went_on,
    }
    if as_json:
        print_json({**trade.to_document(), **believed})
        return
    record = trade.record
    print_record(
        {
            "verified": True,
            "job": trade.job,
            "chain": trade.chain,
            "escrow": trade.escrow,
            "buyer": trade.terms.buyer,
            "provider": trade.terms.provider,
            "verifier": trade.terms.verifier,
            "state": f"{record.state.name.lower()}, as of block {trade.blocks[-1][0]}",
            "units_settled": record.units,
            "provider_paid, credits": None if record.provider_paid is None else format_credits(record.provider_paid),
            "refund, credits": None if record.refund is None else format_credits(record.refund),
            "specification": "in the bundle" if trade.has_specification else f"by hash {trade.terms.spec}",
            "signed_by": [signer for signed in trade.attestations for signer in signed.signers],
            "blocks_trusted": f"{held} of {len(trade.blocks)}",
            "blocks_confirmed_by": confirmed,
            "generation": generation,
        },
        as_json=False,
    )
    rows = [
        {"event": proven.event.EVENT.name, "block": proven.block_number, "block_hash": proven.block_hash}
        for proven in trade.events
    ]
    print_rows(rows, ("event", "block", "block_hash"), as_json=False, empty="")
    if generation is None:
        console.print(
            f"That {trade.escrow} is the market's escrow is the bundle's word: name your records with --deployments."
        )
    if any(len(signed.signers) != 1 or signed.signers[0] != trade.terms.verifier for signed in trade.attestations):
        console.print(
            f"That these signers are members of {trade.terms.verifier}, the chain alone can say: what is proven shows the verdict, not who signed it."
        )
    if went_on is None:
        console.print(
            "That no event was left out, and none came later, is the bundle's word: name an endpoint with --rpc."
        )
    elif went_on:
        console.print(f"The trade went on after this proof: {', '.join(went_on)}. Get it anew for what became of it.")
    if confirmed is None and held < len(trade.blocks):
        console.print("Compare the block hashes with a source that you trust, or name one with --rpc.")


def _confirm(trade: VerifiedTrade, url: str) -> tuple[str, tuple[LeftOut, ...]]:
    """The endpoint's name, and what it knows of the trade after the proof's last block."""
    from computility.chain.rpc import RpcClient
    from computility.domain.errors import InvalidProof
    from computility.domain.identifiers import chain_number
    from computility.services.trade_logs import left_out

    rpc = RpcClient(url)
    try:
        rpc.require_chain(chain_number(trade.chain))
        for number, block_hash in trade.blocks:
            header = rpc.header(number)
            if header is None or header.hash != block_hash:
                raise InvalidProof(
                    f"block {number} of {rpc.name} is not {block_hash}: the bundle is of another chain or fork"
                )
        later = left_out(trade, rpc)
    finally:
        rpc.close()
    return rpc.name, later
