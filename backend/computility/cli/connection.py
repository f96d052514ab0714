"""The options by which a command reaches a node, a chain and an account, said once for all commands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any, Concatenate, ParamSpec, get_type_hints

from computility.cli.options import (
    DEFAULT_KEYSTORE,
    DEFAULT_NODE,
    DEFAULT_RPC,
    EscrowOption,
    KeystoreOption,
    NodeOption,
    PasswordFileOption,
    RpcOption,
)
from computility.cli.session import Session, open_session

Own = ParamSpec("Own")


@dataclass(frozen=True)
class Connection:
    """Where the node and the chain are, whose account acts, and which escrow is trusted."""

    node: NodeOption = DEFAULT_NODE
    rpc: RpcOption = DEFAULT_RPC
    keystore: KeystoreOption = DEFAULT_KEYSTORE
    password_file: PasswordFileOption = None
    escrow: EscrowOption = None

    def session(self, *, confirmations: int = 0, wait_s: float = 0.0) -> AbstractContextManager[Session]:
        """What ``open_session`` opens there."""
        return open_session(
            self.node,
            self.rpc,
            self.keystore,
            self.password_file,
            escrow=self.escrow,
            confirmations=confirmations,
            wait_s=wait_s,
        )


def connected(command: Callable[Concatenate[Connection, Own], None]) -> Callable[..., None]:
    """A command with the options of a ``Connection`` beside its own; it gets the connection as its first argument."""
    signature = inspect.signature(command, eval_str=True)
    _, *own = signature.parameters.values()
    hints = get_type_hints(Connection, include_extras=True)
    options = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(Connection)
    ]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        connection = Connection(**{option.name: given.pop(option.name) for option in options})
        command(connection, **given)  # type: ignore[call-arg]  # Typer gives every argument by its name

    # Typer reads both: what a command takes, and what the annotations of it mean.
    shown = signature.replace(parameters=[*own, *options])
    with_options.__signature__ = shown  # type: ignore[attr-defined]  # functions accept it: see inspect.signature
    with_options.__annotations__ = {name: parameter.annotation for name, parameter in shown.parameters.items()}
    return with_options
