"""Keys in encrypted files (Web3 Secret Storage, version 3). A password comes from a file or a prompt, never from the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH
from eth_account.signers.local import LocalAccount

from computility.domain.errors import KeystoreError

_OWNER_ONLY: Final = 0o600
_SCRYPT_N_FAST: Final = 2**12
"""Work factor for development keys, which are public anyway."""


def create_keystore(path: Path, password: str, private_key: bytes | None = None, *, fast: bool = False) -> LocalAccount:
    """Write a new keystore file that only its owner can read, with a new random key or the given one.

    Raises:
        KeystoreError: the file exists, or the password is empty.
    """
    if not password:
        raise KeystoreError("the password is empty; choose one")
    account: LocalAccount = Account.from_key(private_key) if private_key is not None else Account.create()
    document = Account.encrypt(account.key, password, kdf="scrypt", iterations=_SCRYPT_N_FAST if fast else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise KeystoreError(f"{path} exists; a keystore is never overwritten, choose another name") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
    return account


def load_keystore(path: Path, password: str) -> LocalAccount:
    """Decrypt a keystore file.

    Raises:
        KeystoreError: no such file, not a keystore, or a wrong password.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KeystoreError(f"the keystore {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise KeystoreError(f"{path} is not a keystore file") from error
    try:
        key = Account.decrypt(document, password)
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        wrong = "MAC mismatch" in str(error)
        raise KeystoreError(f"wrong password for {path}" if wrong else f"{path} is not a keystore file") from error
    account: LocalAccount = Account.from_key(key)
    return account


def read_password(path: Path) -> str:
    """The first line of a password file.

    Raises:
        KeystoreError: no such file, or it is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise KeystoreError(f"the password file {path} cannot be read: {error.strerror}") from error
    if not lines or not lines[0]:
        raise KeystoreError(f"the password file {path} is empty")
    return lines[0]


def development_account(mnemonic: str, index: int) -> LocalAccount:
    """An account of a well-known mnemonic, for development chains alone."""
    Account.enable_unaudited_hdwallet_features()
    path = ETHEREUM_DEFAULT_PATH[: ETHEREUM_DEFAULT_PATH.rindex("/") + 1] + str(index)
    account: LocalAccount = Account.from_mnemonic(mnemonic, account_path=path)
    return account
