"""What most commands need: a node, a chain endpoint, and an account that trades.

What signs and calls contracts takes a second to import, so it is imported when a session opens: help and misuse are answered at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from computility.domain.errors import KeystoreError, NodeRefused, NodeUnavailable

if TYPE_CHECKING:
    from computility.services.node_client import NodeClient
    from computility.services.trading_account import TradingAccount

SERVICE_WAITS_S: Final = 60.0
"""How long a service waits at its start for its node: after a power cut they come back in any order."""
_ASK_AGAIN_S: Final = 0.3


@dataclass(frozen=True)
class Session:
    """A node, its configuration, and the account."""

    node: NodeClient
    config: dict[str, Any]
    account: TradingAccount


@contextmanager
def open_node(url: str) -> Iterator[NodeClient]:
    """A client of the node at ``url``, closed at the end."""
    from computility.services.node_client import NodeClient

    node = NodeClient(url)
    try:
        yield node
    finally:
        node.close()


@contextmanager
def open_session(
    node_url: str,
    rpc_url: str,
    keystore: Path,
    password_file: Path | None,
    *,
    escrow: str | None = None,
    confirmations: int = 0,
    wait_s: float = 0.0,
) -> Iterator[Session]:
    """Everything that a command needs to trade. ``wait_s``: how long to wait for a node that is starting.

    Raises:
        KeystoreError: no such key file, or a wrong password.
        NodeError: the node does not answer.
        ChainError: the chain does not answer, or is not the node's.
    """
    from computility.chain.keystore import load_keystore
    from computility.chain.rpc import RpcClient
    from computility.domain.identifiers import parse_address
    from computility.services.trading_account import Ledger, TradingAccount

    with ExitStack() as stack:
        node = stack.enter_context(open_node(node_url))
        config = _config(node, wait_s)
        rpc = RpcClient(rpc_url)
        stack.callback(rpc.close)
        ledger = Ledger.from_config(config, parse_address(escrow) if escrow else None)
        path = keystore.expanduser()
        account = load_keystore(path, password(password_file, path))
        yield Session(node, config, TradingAccount(rpc, account, ledger, confirmations))


def _config(node: NodeClient, wait_s: float) -> dict[str, Any]:
    give_up = time.monotonic() + wait_s
    while True:
        try:
            return node.config()
        except (NodeUnavailable, NodeRefused):
            if time.monotonic() >= give_up:
                raise
        time.sleep(_ASK_AGAIN_S)


def password(file: Path | None, keystore: Path, *, new: bool = False) -> str:
    """A password, from a file or a prompt.

    Raises:
        KeystoreError: no file is named, and there is nobody to ask.
    """
    if file is not None:
        from computility.chain.keystore import read_password

        return read_password(file.expanduser())
    if not sys.stdin.isatty():
        raise KeystoreError(
            f"the password of {keystore} is needed: name a file with --password-file or COMPUTILITY_PASSWORD_FILE"
        )
    answer: str = typer.prompt(f"Password of {keystore}", hide_input=True, confirmation_prompt=new, err=True)
    return answer


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is signed; end the command on a no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask: say --yes to sign without being asked")
    typer.confirm(question, abort=True, err=True)
