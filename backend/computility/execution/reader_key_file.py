"""Copies of reader keys: a JSON file with both halves, as the web app saves and imports it. Whoever has one can read what is sealed to the key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from computility.domain.errors import KeystoreError
from computility.domain.sealing import KEY_BYTES
from computility.execution.reader_key import ReaderKey

_KIND: Final = "computility-reader-key"
_VERSION: Final = 1
_MAX_BYTES: Final = 4096


def save_reader_key(key: ReaderKey, path: Path) -> None:
    """Write a copy that its owner alone can read.

    Raises:
        KeystoreError: there is a file already, or it cannot be written.
    """
    copy = {"kind": _KIND, "version": _VERSION, "public": key.public, "secret": "0x" + key.secret.hex()}
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(json.dumps(copy, indent=2) + "\n")
    except FileExistsError:
        raise KeystoreError(f"{path} is there already: name another file, or move it away") from None
    except OSError as error:
        raise KeystoreError(f"{path} cannot be written: {error.strerror}") from error


def load_reader_key(path: Path) -> ReaderKey:
    """Read a copy.

    Raises:
        KeystoreError: it cannot be read, is no copy of a reader key, or is damaged.
    """
    none = KeystoreError(
        f"{path} is no copy of a reader key: save one with `computility wallet reader-key --save FILE`, or on the page of reader keys of the web app"
    )
    try:
        with path.open(encoding="utf-8") as file:
            copy = json.loads(file.read(_MAX_BYTES))
        if copy["kind"] != _KIND or copy["version"] != _VERSION:
            raise none
        secret = bytes.fromhex(copy["secret"].removeprefix("0x"))
        public = copy["public"]
    except OSError as error:
        raise KeystoreError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise none from None
    if len(secret) != KEY_BYTES:
        raise none
    key = ReaderKey(secret)
    if key.public != public:
        raise KeystoreError(f"{path} is damaged: its secret belongs to another key")
    return key
