"""``computility provider``: enter the registry, and run the agent that quotes, runs jobs and collects.

Long on purpose: the life of a provider is read from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli import reward
from computility.cli.connection import Connection, connected
from computility.cli.options import ConfirmationsOption, YesOption
from computility.cli.output import JsonOption, print_json, print_record, print_rows
from computility.cli.service import serve_until_signalled, set_up_log
from computility.cli.session import SERVICE_WAITS_S, Session, confirm

if TYPE_CHECKING:
    from computility.domain.identifiers import Address
    from computility.services.provider_config import ProviderConfig

DEFAULT_CONFIG = Path("provider.toml")
ConfigArgument = Annotated[
    Path, typer.Option("--config", help="Settings file of `provider init`.", exists=True, dir_okay=False)
]

group = typer.Typer(help="Offer computing power: register, then run the agent.", no_args_is_help=True)
group.add_typer(reward.group, name="reward")


@group.command()
@connected
def register(connection: Connection, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Enter the provider registry with the stake that it demands, from the wallet."""
    from computility.domain.units import format_credits

    with connection.session() as session:
        account = session.account
        if account.is_active_provider():
            print_record({"provider": account.address, "active": True, "tx": None}, as_json=as_json)
            return
        stake = int(account.registry.read("rules")[0])
        confirm(f"Stake {format_credits(stake)} credits as provider {account.address}?", yes=yes)
        receipts = account.register_provider()
    print_record({"provider": account.address, "active": True, "tx": receipts[-1].tx_hash}, as_json=as_json)


@group.command()
@connected
def init(
    connection: Connection,
    config: Annotated[Path, typer.Argument(help="The file to write.")] = DEFAULT_CONFIG,
    operator: Annotated[str, typer.Option(help="Your name in compute identifiers.")] = "me",
    region: Annotated[str, typer.Option(help="Where your machines stand.")] = "local",
    dispute_window: Annotated[int, typer.Option(min=1, help="Seconds in which a claim can be contested.")] = 3600,
) -> None:
    """Write a settings file to start from. It holds no secret: it names the file that does."""
    import os

    from computility.domain.errors import Conflict
    from computility.services.provider_config import TEMPLATE, read_provider_config

    if config.exists():
        raise Conflict(f"{config} is there already: edit it, or name another file")
    named = {"password_file": connection.password_file, "escrow": connection.escrow}
    text = TEMPLATE.format(
        node=connection.node,
        rpc=connection.rpc,
        keystore=connection.keystore,
        optional="".join(f'{name} = "{value}"\n' for name, value in named.items() if value),
        parallel=max(1, (os.cpu_count() or 2) // 2),
        operator=operator,
        region=region,
        dispute_window_s=dispute_window,
    )
    config.write_text(text, encoding="utf-8")
    read_provider_config(config)
    print_record({"config": str(config), "next": f"computility provider serve --config {config}"}, as_json=False)


@group.command()
def bench(
    config: ConfigArgument,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Starts to time for each executor.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Test what this machine offers: each executor proves itself, and is timed on the least job of its kind; GPUs are listed with their health."""
    from computility.services.card_report import CARD_COLUMNS, card_rows
    from computility.services.provider_config import read_provider_config
    from computility.services.provider_role import executors_of, least_job_ms

    executors = executors_of(read_provider_config(config))
    rows: list[dict[str, Any]] = []
    for executor in executors:
        has = executor.capabilities()
        rows.append(
            {
                "kind": has.kind,
                "environment": has.environment,
                "least_job_ms": least_job_ms(executor, runs),
                "safeguards": ", ".join(f"{name}: {how}" for name, how in has.safeguards.items()),
                "offered": "yes",
            }
        )
    rows += [{"kind": name, "offered": f"no: {reason}"} for name, reason in executors.left_out.items()]
    cards = card_rows()
    if as_json:
        print_json([*rows, *cards])
        return
    print_rows(rows, ["kind", "environment", "least_job_ms", "safeguards", "offered"], as_json=False, empty="Nothing.")
    print_rows(cards, CARD_COLUMNS, as_json=False, empty="No GPU.")


@group.command()
def tools(
    folder: Annotated[Path, typer.Argument(help="A new folder that every user can read, like /srv/python.")],
    package: Annotated[
        list[str] | None, typer.Argument(help="Installed packages that jobs may use, like numpy.")
    ] = None,
) -> None:
    """Gather this Python and some packages for sandboxed jobs, and print the lines of an offer that name them. Jobs call /opt/python/bin/python3."""
    from computility.execution.sandbox.python_tools import PLACE, gather_python

    toolset = gather_python(folder.absolute(), package or [])
    named = ", ".join(f'{name} = "{version}"' for name, version in toolset.items())
    # Printed as it is, so that it can go into a file.
    typer.echo(f'tools = {{ "{PLACE}" = "{folder.absolute()}" }}\ntoolset = {{ {named} }}')


@group.command()
def status(config: ConfigArgument, as_json: JsonOption = False) -> None:
    """What the market and the chain say of you: registration, money, asks, live jobs; and how this machine's GPUs are."""
    from computility.domain.units import format_credits
    from computility.services.card_report import card_rows
    from computility.services.job_watch import LIVE_STATES
    from computility.services.verdict_reason import verdict_on

    with _configured_session(config) as (_, session):
        account = session.account
        balance = account.balance()
        asks = session.node.asks(provider=account.address)
        jobs = session.node.jobs(provider=account.address, state=LIVE_STATES)
        ratings = session.node.provider(account.address)["ratings"] if account.is_active_provider() else []
        leases = session.node.lease_service(account.address)
        record = {
            "provider": account.address,
            "registered": account.is_active_provider(),
            "wallet": format_credits(account.wallet_credits()),
            "free": format_credits(balance.free),
            "locked": format_credits(balance.locked),
            "asks": [row["ask"]["id"] for row in asks],
            "live_jobs": [f"{row['id']} {row['state']}" for row in jobs],
            "verdicts": [said for row in jobs if (said := verdict_on(session.node, row["id"]))],
            "ratings": [
                f"{row['attribute']} {row['value']} of {row['devices']} until {row['valid_until']}" for row in ratings
            ],
            "leases": leases["leases"],
            "leases_never_begun": leases["never_began"],
            "leases_contested": leases["contested"],
            "uptime_bps": leases["uptime_bps"],
            "start_latency_ms": leases["start_latency_ms"],
            "gpus": [
                " ".join(str(row[name]) for name in ("uuid", "model", "health", "held_by") if row.get(name))
                for row in card_rows()
            ],
        }
    print_record(record, as_json=as_json)


@group.command(name="exit")
def leave(config: ConfigArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Leave: take every ask back and ask for the stake; after the unbonding period, once more to be paid. Jobs that run are finished by the agent."""
    from computility.domain.units import format_credits
    from computility.services.ask_keeper import AskKeeper

    with _configured_session(config) as (_, session):
        account = session.account
        withdrawn = AskKeeper(account, session.node, ()).withdraw_all()
        if account.is_active_provider():
            confirm(f"Leave the registry as provider {account.address}?", yes=yes)
            receipt, did = account.request_exit(), "asked to leave: call again after the unbonding period"
        else:
            confirm(f"Take the stake of {account.address} back?", yes=yes)
            receipt, did = account.exit_registry(), "left: the stake is in the wallet"
        free = account.balance().free
    record = {"provider": account.address, "did": did, "asks_withdrawn": withdrawn, "tx": receipt.tx_hash}
    print_record({**record, "free_in_escrow": format_credits(free)}, as_json=as_json)


@group.command()
@connected
def serve(
    connection: Connection,
    config: Annotated[
        Path | None, typer.Option(help="Settings file of `provider init`; the options below are ignored with it.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Jobs that run at one time.")] = 2,
    verifier: Annotated[
        list[str] | None,
        typer.Option(help="Verifier that you accept beside those in your asks; the node's committee unless given."),
    ] = None,
    arbiter: Annotated[
        list[str] | None,
        typer.Option(help="Arbiter that you accept beside those in your asks; the node's panel unless given."),
    ] = None,
    patience: Annotated[int, typer.Option(min=0, help="Seconds to wait for verifiers before claiming.")] = 60,
    patience_for: Annotated[
        list[str] | None, typer.Option(help="Other patience for one verifier: ADDRESS=SECONDS. Repeat for more.")
    ] = None,
    propose_before_end: Annotated[
        int, typer.Option(min=1, help="Seconds before a job's end at which to claim in any case.")
    ] = 30,
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    confirmations: ConfirmationsOption = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the agent until Ctrl-C: answer quote requests, run jobs, submit results, bring attestations to the chain, claim.

    It needs outbound connections only and keeps no state: stop and start it whenever you like.
    """
    if config is not None:
        set_up_log(verbose=verbose)
        _serve_configured(config)
        return
    from computility.domain.identifiers import parse_address
    from computility.domain.quoting import ProviderPolicy
    from computility.execution.sealed_executor import SealedExecutor
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.arbiter_seat import BRING_WITHIN_S, ArbiterSeat
    from computility.services.provider_agent import ProviderAgent, ProviderSettings
    from computility.services.reader_keys import telling_its_reader_key

    set_up_log(verbose=verbose)
    with connection.session(confirmations=confirmations, wait_s=SERVICE_WAITS_S) as session:
        committee = session.config["committee"]
        accepted = verifier or ([committee["address"]] if committee else [])
        panel = ArbiterSeat(session.account) if "Arbitration" in session.config["contracts"] else None
        arbiters = [parse_address(address) for address in arbiter or ([panel.address] if panel else [])]
        agent = ProviderAgent(
            session.account,
            session.node,
            SealedExecutor(WasmExecutor(timeout_s=job_timeout), session.account.reader_key()),
            ProviderPolicy(
                verifiers=[parse_address(address) for address in accepted],
                arbiters=arbiters,
                least_ruling_window_s=panel.time_needed() + BRING_WITHIN_S if panel else 0,
            ),
            ProviderSettings(
                confirmations=confirmations,
                parallel_jobs=parallel,
                patience_s=patience,
                patience_for_s=dict(_patience_for(entry) for entry in patience_for or []),
                propose_before_end_s=propose_before_end,
            ),
        )
        serve_until_signalled(telling_its_reader_key(agent.run, session.account, session.node))


@contextmanager
def _configured_session(path: Path, wait_s: float = 0.0) -> Iterator[tuple[ProviderConfig, Session]]:
    from computility.services.provider_config import read_provider_config

    config = read_provider_config(path)
    to = config.connection
    connection = Connection(to.node, to.rpc, to.keystore, to.password_file, to.escrow)
    with connection.session(confirmations=to.confirmations, wait_s=wait_s) as session:
        yield config, session


def _serve_configured(path: Path) -> None:
    from computility.services.provider_role import agent_of
    from computility.services.reader_keys import telling_its_reader_key

    with _configured_session(path, SERVICE_WAITS_S) as (config, session):
        committee = session.config["committee"]
        agent = agent_of(config, session.account, session.node, committee["address"] if committee else None)
        serve_until_signalled(telling_its_reader_key(agent.run, session.account, session.node))


def _patience_for(entry: str) -> tuple[Address, int]:
    from computility.domain.errors import InvalidIdentifier
    from computility.domain.identifiers import parse_address

    verifier, equals, seconds = entry.partition("=")
    try:
        address = parse_address(verifier)
    except InvalidIdentifier as error:
        raise typer.BadParameter(f"{entry!r}: {error}", param_hint="--patience-for") from None
    if not equals or not seconds.isdecimal():
        raise typer.BadParameter(f"{entry!r} is not ADDRESS=SECONDS", param_hint="--patience-for")
    return address, int(seconds)
