"""What a contract reverted with, as an error that says what to do."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from computility.chain.artifacts import all_artifacts
from computility.chain.revert_advice import ADVICE
from computility.domain.errors import ChainError, ContractReverted, InsufficientFunds, RpcRefused

_ERROR_STRING: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")

_MONEY_ERRORS: Final = {
    "InsufficientFree",
    "FreeStakeTooSmall",
    "ERC20InsufficientBalance",
    "ERC20InsufficientAllowance",
}


def reverted(refused: RpcRefused) -> ChainError:
    """The error of a call that was refused: a contract's revert with its reason, a lack of money, or the refusal as it is."""
    data = _revert_data(refused.data)
    if data is None and "insufficient funds" in str(refused).lower():
        return InsufficientFunds("the account has too little of the chain's coin to pay for gas; send it some")
    if data is None and "revert" not in str(refused).lower():
        return refused
    return revert_error(data or b"")


def revert_error(data: bytes) -> ContractReverted | InsufficientFunds:
    """The error that a contract reverted with, from its selector and arguments, with what to do. Arguments that are cut off are left out."""
    name, arguments = _decode(data)
    listed = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    reason = f"{name}({listed})" if name else "no reason given"
    advice = ADVICE.get(name)
    message = f"{advice} [{reason}]" if advice else f"the contract refuses: {reason}"
    if name in _MONEY_ERRORS:
        return InsufficientFunds(message)
    return ContractReverted(message, name, arguments)


def _revert_data(raw: Any) -> bytes | None:
    """Revert data where endpoints put it: a hex string, or an object that holds one."""
    if isinstance(raw, dict):
        raw = next((raw[key] for key in ("data", "result", "return") if isinstance(raw.get(key), str)), None)
    if isinstance(raw, str):
        found = re.search(r"0x((?:[0-9a-fA-F]{2})*)", raw)
        return bytes.fromhex(found[1]) if found else None
    return None


def _decode(data: bytes) -> tuple[str, dict[str, object]]:
    selector, body = data[:4], data[4:]
    try:
        if selector == _ERROR_STRING:
            return "Error", {"reason": decode(["string"], body)[0]}
        if selector == _PANIC:
            return "Panic", {"code": decode(["uint256"], body)[0]}
    except DecodingError:
        return f"0x{selector.hex()}", {}
    known = _errors().get(selector)
    if known is None:
        return (f"0x{selector.hex()}" if selector else ""), {}
    name, names, types = known
    try:
        values = decode(types, body)
    except DecodingError:
        return name, {}
    shown = (f"0x{value.hex()}" if isinstance(value, bytes) else value for value in values)
    return name, dict(zip(names, shown, strict=True))


@cache
def _errors() -> dict[bytes, tuple[str, list[str], list[str]]]:
    found: dict[bytes, tuple[str, list[str], list[str]]] = {}
    for contract in all_artifacts():
        for entry in contract.abi:
            if entry["type"] == "error":
                types = [str(field["type"]) for field in entry["inputs"]]
                names = [str(field["name"]) or f"argument{at}" for at, field in enumerate(entry["inputs"])]
                found[keccak(f"{entry['name']}({','.join(types)})".encode())[:4]] = (entry["name"], names, types)
    return found
