"""``computility provider reward``: earnings that stand behind other jobs until they have vested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import YesOption
from computility.cli.output import JsonOption, print_record
from computility.cli.session import confirm

if TYPE_CHECKING:
    from computility.services.trading_account import TradingAccount

group = typer.Typer(
    help="Earnings as stake that vests: put them behind bonds, take out what has vested.", no_args_is_help=True
)


@group.command()
@connected
def stake(
    connection: Connection,
    amount: Annotated[str, typer.Argument(help="Credits of the balance in the escrow.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put balance behind the bonds of your jobs. All that has not vested yet vests anew, over the registry's unbonding period."""
    from computility.domain.units import format_credits, parse_credits

    atoms = parse_credits(amount)
    with connection.session() as session:
        account = session.account
        confirm(f"Stake {format_credits(atoms)} credits of {account.address} until they vest?", yes=yes)
        receipt = account.stake_reward(atoms)
        _print(account, receipt.tx_hash, as_json=as_json)


@group.command()
@connected
def claim(connection: Connection, as_json: JsonOption = False) -> None:
    """Take what has vested to the wallet, as far as no open job needs it."""
    with connection.session() as session:
        receipt = session.account.claim_reward()
        _print(session.account, receipt.tx_hash, as_json=as_json)


@group.command()
@connected
def show(connection: Connection, as_json: JsonOption = False) -> None:
    """What has vested, what has not, and when all will have."""
    with connection.session() as session:
        _print(session.account, None, as_json=as_json)


def _print(account: TradingAccount, tx_hash: str | None, *, as_json: bool) -> None:
    from computility.domain.units import format_credits

    reward = account.reward()
    record = {
        "provider": account.address,
        "vested": format_credits(reward.vested),
        "unvested": format_credits(reward.unvested),
        "vests_by": reward.end,
        "free_stake": format_credits(account.free_stake()),
        "tx": tx_hash,
    }
    print_record(record, as_json=as_json)
