"""Who plays in the demo: well-known accounts of the development mnemonic, each in a role."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account.signers.local import LocalAccount

from computility.chain.keystore import create_keystore, development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC
from computility.domain.identifiers import Address

KEYS_ARE_PUBLIC: Final = "development keys are public"

ROLES: Final = {
    "deployer": 0,
    "buyer": 1,
    "provider-aurora": 2,
    "provider-borealis": 3,
    "verifier-1": 4,
    "verifier-2": 5,
    "verifier-3": 6,
    "verifier-asleep": 7,
    "arbiter-1": 8,
    "arbiter-2": 9,
    "arbiter-3": 10,
    "provider-cirrus": 11,
    "verifier-cirrus": 12,
}
VERIFIERS: Final = ("verifier-1", "verifier-2", "verifier-3")
ARBITERS: Final = ("arbiter-1", "arbiter-2", "arbiter-3")
PROVIDERS: Final = ("provider-aurora", "provider-borealis")
COMMAND_PROVIDER: Final = "provider-cirrus"
"""Runs commands, where this machine has a sandbox."""
COMMAND_VERIFIER: Final = "verifier-cirrus"
"""Has the same sandbox, and runs them again."""


@dataclass(frozen=True)
class Player:
    """An account of the demo and where its key file is."""

    name: str
    account: LocalAccount
    keystore: Path

    @property
    def address(self) -> Address:
        """The account."""
        return Address(self.account.address)


def gather_cast(folder: Path) -> dict[str, Player]:
    """Write every player's key file, and the one password file, below ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    password_file(folder).write_text(KEYS_ARE_PUBLIC + "\n", encoding="utf-8")
    return {name: _player(folder, name, index) for name, index in ROLES.items()}


def password_file(folder: Path) -> Path:
    """The file with the password of all key files."""
    return folder / "password"


def _player(folder: Path, name: str, index: int) -> Player:
    account = development_account(DEVELOPMENT_MNEMONIC, index)
    path = folder / f"{name}.json"
    create_keystore(path, KEYS_ARE_PUBLIC, bytes(account.key), fast=True)
    return Player(name, account, path)
