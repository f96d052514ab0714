"""``computility audit verdict JOB``: were the verifiers right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from computility.cli.audit.options import DEFAULT_DEPLOYMENTS, DeploymentsOption, open_chain
from computility.cli.options import (
    DEFAULT_NODE,
    DEFAULT_RPC,
    CheckDeviceOption,
    CheckedByOption,
    NodeOption,
    RpcOption,
    TeeCollateralOption,
    TeeLevelOption,
    TeeListOption,
    TeeMinimumOption,
    TeeReferenceOption,
    TeeRootOption,
)
from computility.cli.output import JsonOption, print_json, print_rows, progress_console
from computility.cli.session import open_node

EXIT_CONTRADICTED = 3
EXIT_UNKNOWN = 4


def command(
    job: Annotated[str, typer.Argument(help="The job's id: 0x and 64 hex digits.")],
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    config: CheckedByOption = None,
    reader_key: Annotated[
        Path | None,
        typer.Option(
            "--reader-key",
            "--key-file",
            help="Copy of the reader key of one to whom the job is sealed, as `wallet reader-key --save` writes it; a file, or /dev/fd/N.",
        ),
    ] = None,
    tee_root: TeeRootOption = None,
    tee_crl: TeeListOption = None,
    tee_collateral: TeeCollateralOption = None,
    tee_level: TeeLevelOption = None,
    tee_minimum: TeeMinimumOption = None,
    tee_reference: TeeReferenceOption = None,
    device: CheckDeviceOption = None,
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Do the verifiers' work on a job again, and compare with the evidence of each verdict that reached the chain.

    Where the specification names methods that draw what they look at, the verifier's challenge is looked through again, and one of your own besides.
    Where a credible provider was believed, its checks, its bond and the draw are looked at again, and the job is run all the same.

    The trade is proven against the chain that you name; the node only stores the evidence, the specification and the inputs, each checked against
    its hash. Exits 3 when a verdict is contradicted, and 4 when this machine cannot tell (the reason says why); that accuses nobody.

    A sealed job is run again by a reader alone: bring the key with --reader-key. It stays in this process, and is written nowhere.
    """
    from computility.domain.eip712 import Eip712Domain
    from computility.domain.errors import EnvironmentMismatch, ExecutorUnfit
    from computility.domain.identifiers import Bytes32, parse_bytes32
    from computility.domain.statements import read_statement
    from computility.execution.executor_set import ExecutorSet
    from computility.execution.reader_key_file import load_reader_key
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.check_device import product_methods
    from computility.services.credit_audit import CreditAudit
    from computility.services.lease_replay import Meter
    from computility.services.node_client import NodeContentStore
    from computility.services.proof_builder import ProofBuilder
    from computility.services.provider_config import AUTO, read_provider_config
    from computility.services.provider_role import executors_of
    from computility.services.tee_roots import tee_methods
    from computility.services.verdict_replay import SEALED, Agreement, overall, replay_verdicts

    wanted = parse_bytes32(job)
    reader = load_reader_key(reader_key.expanduser()) if reader_key is not None else None
    executors = ExecutorSet([WasmExecutor(timeout_s=job_timeout)])
    if config is not None:
        settings = read_provider_config(config)
        device = device or settings.verifier.device
        executors = executors_of(settings)
        if not executors:
            raise ExecutorUnfit(f"nothing that {config} offers runs on this machine: {dict(executors.left_out)}")
    with open_chain(rpc, deployments) as (chain, deployed), open_node(node) as client:
        with progress_console.status("proving the trade"):
            _, trade = ProofBuilder(chain, deployed).build(wanted)
            domain = Eip712Domain(deployed.chain_number, trade.escrow)
        with progress_console.status("checking the job again") as status:
            replayed = replay_verdicts(
                trade,
                executors,
                NodeContentStore(client),
                lambda number: Bytes32(header.hash) if (header := chain.rpc.header(number)) else None,
                lambda attestation: status.update(f"checking the job again ({attestation.verdict.name.lower()})"),
                CreditAudit(chain, deployed, NodeContentStore(client)),
                Meter(
                    lambda leased: [read_statement(row, domain) for row in client.meter_readings(leased)],
                    lambda leased: [read_statement(row, domain) for row in client.meter_contests(leased)],
                ),
                {
                    **product_methods(device or AUTO, NodeContentStore(client), checks_once=True),
                    **tee_methods(
                        tee_root or [],
                        NodeContentStore(client),
                        tee_crl or [],
                        tee_collateral or [],
                        tee_level or [],
                        tee_minimum,
                        tee_reference or [],
                    ),
                },
                reader,
            )
    answer = overall(replayed)
    rows = [verdict.to_document() for verdict in replayed]
    if as_json:
        print_json({"job": wanted, "agreement": answer.value, "verdicts": rows})
    else:
        columns = ("verdict", "agreement", "reason", "claimed", "found", "soundness_bits", "differences")
        print_rows(rows, columns, as_json=False, empty="No verdict on this job reached the chain.")
    if any(verdict.reason == SEALED for verdict in replayed):
        progress_console.print(
            "The job is sealed: one of its readers can check it, with --reader-key FILE.", soft_wrap=True
        )
    if any(verdict.reason == EnvironmentMismatch.code for verdict in replayed):
        progress_console.print(
            "The job is of an environment class that is not offered here: name a settings file that offers it, with --config FILE.",
            soft_wrap=True,
        )
    if answer is not Agreement.CONFIRMED:
        raise typer.Exit(EXIT_CONTRADICTED if answer is Agreement.CONTRADICTED else EXIT_UNKNOWN)
