"""``computility wallet``: keys, credits, and the balance inside the escrow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import DEFAULT_KEYSTORE, KeystoreOption, PasswordFileOption
from computility.cli.output import JsonOption, print_record
from computility.cli.session import password

group = typer.Typer(help="Keys, credits, and your balance inside the escrow.", no_args_is_help=True)

AmountArgument = Annotated[str, typer.Argument(help="Credits, like 12 or 0.05.")]


@group.command()
def new(
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with a private key to import, 64 hex digits. Delete it afterwards.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an encrypted key file (Web3 Secret Storage), with a new key or an imported one."""
    from computility.chain.keystore import create_keystore
    from computility.domain.errors import KeystoreError

    path = keystore.expanduser()
    key = None
    if key_file is not None:
        try:
            key = bytes.fromhex(key_file.expanduser().read_text(encoding="utf-8").strip().removeprefix("0x"))
        except (OSError, ValueError) as error:
            raise KeystoreError(f"{key_file} is not a file with a private key in hex") from error
    account = create_keystore(path, password(password_file, path, new=True), key)
    print_record({"address": account.address, "keystore": str(path)}, as_json=as_json)


@group.command(name="reader-key")
def reader_key(
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write a copy with its secret half to this file, for the web app. Whoever has it reads what is sealed to you; it moves no money."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show your reader key: give it to buyers that seal jobs for you (`computility buy --seal --reader KEY`). It is no secret."""
    from computility.chain.keystore import load_keystore
    from computility.execution.reader_key import ReaderKey
    from computility.execution.reader_key_file import save_reader_key

    path = keystore.expanduser()
    account = load_keystore(path, password(password_file, path))
    key = ReaderKey.of_account(bytes(account.key))
    record = {"account": account.address, "reader_key": key.public}
    if save is not None:
        save_reader_key(key, save.expanduser())
        record["copy"] = str(save)
    print_record(record, as_json=as_json)


@group.command()
@connected
def show(connection: Connection, as_json: JsonOption = False) -> None:
    """Show what the account holds: in its wallet, free inside the escrow, and locked in jobs."""
    from computility.domain.units import format_credits

    with connection.session() as session:
        account = session.account
        balance = account.balance()
        record = {
            "address": account.address,
            "chain_id": session.config["chain_id"],
            "wallet_credits": format_credits(account.wallet_credits()),
            "escrow_free": format_credits(balance.free),
            "escrow_locked": format_credits(balance.locked),
        }
    print_record(record, as_json=as_json)


@group.command()
@connected
def mint(connection: Connection, amount: AmountArgument, as_json: JsonOption = False) -> None:
    """On a development chain: make play money, reserve tokens for so many credits."""
    from computility.domain.units import format_credits, parse_credits
    from computility.services.play_money import mint_play_money

    wanted = parse_credits(amount)
    with connection.session() as session:
        receipt = mint_play_money(session.account, wanted)
    print_record({"reserve_for_credits": format_credits(wanted), "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def swap(connection: Connection, amount: AmountArgument, as_json: JsonOption = False) -> None:
    """Swap reserve tokens of the wallet for credits, one to one."""
    from computility.domain.units import format_credits, parse_credits

    wanted = parse_credits(amount)
    with connection.session() as session:
        receipts = session.account.swap_reserve(wanted)
        held = session.account.wallet_credits()
    print_record({"wallet_credits": format_credits(held), "tx": receipts[-1].tx_hash}, as_json=as_json)


@group.command()
@connected
def redeem(connection: Connection, amount: AmountArgument, as_json: JsonOption = False) -> None:
    """Turn credits of the wallet back into reserve tokens."""
    from computility.domain.units import format_credits, parse_credits

    wanted = parse_credits(amount)
    with connection.session() as session:
        receipt = session.account.redeem(wanted)
        held = session.account.wallet_credits()
    print_record({"wallet_credits": format_credits(held), "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def deposit(connection: Connection, amount: AmountArgument, as_json: JsonOption = False) -> None:
    """Move credits from the wallet into the escrow, where bonds are locked from."""
    from computility.domain.units import format_credits, parse_credits

    wanted = parse_credits(amount)
    with connection.session() as session:
        receipts = session.account.deposit(wanted)
        balance = session.account.balance()
    print_record({"escrow_free": format_credits(balance.free), "tx": receipts[-1].tx_hash}, as_json=as_json)


@group.command()
@connected
def withdraw(
    connection: Connection,
    amount: Annotated[str, typer.Argument(help="Credits, like 12 or 0.05, or `all`.")] = "all",
    as_json: JsonOption = False,
) -> None:
    """Claim what is free inside the escrow (rewards, refunds, deposits) into the wallet."""
    from computility.domain.errors import InsufficientFunds
    from computility.domain.units import format_credits, parse_credits

    with connection.session() as session:
        free = session.account.balance().free
        wanted = free if amount == "all" else parse_credits(amount)
        if not 0 < wanted <= free:
            raise InsufficientFunds(f"{format_credits(free)} credits are free inside the escrow: withdraw up to that")
        receipt = session.account.withdraw(wanted)
        held = session.account.wallet_credits()
    print_record(
        {"withdrawn": format_credits(wanted), "wallet_credits": format_credits(held), "tx": receipt.tx_hash},
        as_json=as_json,
    )
