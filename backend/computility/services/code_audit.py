"""Is what is deployed what the repository's sources compile to?

The code on the chain is held against the packaged artifacts, byte by byte: outside the places of immutable variables, which the compiler names,
every byte has to agree. At those places one variable has one value, what should name a contract of the deployment does, and what signatures are bound
to is this chain and this contract; an address of the deployment is shown by its contract's name. A contract that one of these made for itself is
looked at as they are. The last bytes are the compiler's metadata, a hash of the sources: where only they differ, the sources differ in what compiles
to nothing (comments, names).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from computility.chain.artifacts import artifact
from computility.chain.deployments import Deployments
from computility.chain.rpc import RpcClient
from computility.domain.eip712 import DOMAIN_NAME, DOMAIN_VERSION, domain_separator
from computility.domain.identifiers import Address, address_from_bytes
from computility.domain.keccak import keccak256

Places = Mapping[str, Sequence[Sequence[int]]]

_WIRED: Final = {
    "credit": "ComputeCredit",
    "CREDIT": "ComputeCredit",
    "reserve": "DevReserve",
    "escrow": "JobEscrow",
    "ESCROW": "JobEscrow",
    "registry": "ProviderRegistry",
    "REGISTRY": "ProviderRegistry",
    "owner": "Timelock",
    "adapter": "ERC8183Adapter",
    "SEAT": "ERC8183Seat",
    "_arbiter": "Arbitration",
}
"""Immutables that name another contract of their deployment, where it has one: money that goes elsewhere is other code."""

_SIGNS_AS: Final = {"JobEscrow": DOMAIN_NAME, "ComputeCredit": "Compute Credit", "DevReserve": "Development Dollar"}
"""Under which name (EIP-712) a contract takes signatures."""
_ADAPTER: Final = "ERC8183Adapter"
_SEAT: Final = "ERC8183Seat"
"""What the adapter deployed itself: every seat is a clone of it, and holds a provider's money."""


@dataclass(frozen=True)
class CodeOfContract:
    """One contract's verdict. ``difference`` names the first byte that differs, outside immutables and metadata, or an immutable that is wrong."""

    generation: int
    contract: str
    address: Address
    same_code: bool
    same_metadata: bool
    bytes: int
    immutables: dict[str, str]
    difference: str | None


def audit_code(rpc: RpcClient, deployments: Deployments, block: int) -> list[CodeOfContract]:
    """Every contract of every generation, and what it made for itself, at ``block``.

    Raises:
        DeploymentMissing: no artifact of that name is packaged.
        ChainError: the endpoint fails.
    """
    found = []
    for generation in deployments.generations:
        codes = _codes(rpc, generation.contracts, block)
        contracts = dict(generation.contracts)
        if (seat := _seat_of(codes.get(_ADAPTER, b""))) is not None:
            contracts[_SEAT] = seat
            codes |= _codes(rpc, {_SEAT: seat}, block)
        found += [
            _compare(generation.number, contracts, deployments.chain_number, name, codes[name])
            for name in sorted(contracts)
        ]
    return found


def _codes(rpc: RpcClient, contracts: Mapping[str, Address], block: int) -> dict[str, bytes]:
    codes = rpc.batch([("eth_getCode", (address, hex(block))) for address in contracts.values()])
    return {name: bytes.fromhex(str(code).removeprefix("0x")) for name, code in zip(contracts, codes, strict=True)}


def _seat_of(adapter: bytes) -> Address | None:
    spots = artifact(_ADAPTER).immutables["SEAT"]
    word = adapter[spots[0][0] :][: spots[0][1]]
    return address_from_bytes(word[-20:]) if len(word) == spots[0][1] else None


def _compare(
    number: int, contracts: Mapping[str, Address], chain_number: int, name: str, deployed: bytes
) -> CodeOfContract:
    address = contracts[name]
    wanted = artifact(name)
    values, clash = _immutables(deployed, wanted.immutables)
    compiled = bytes.fromhex(wanted.deployed_bytecode.removeprefix("0x"))
    difference = clash or _first_difference(
        _blanked(deployed, wanted.immutables), _blanked(compiled, wanted.immutables)
    )
    difference = difference or _miswired(contracts, address, values)
    difference = difference or _bound_elsewhere(contracts, chain_number, name, values)
    known = {f"{int(at, 16):064x}": contract for contract, at in contracts.items()}
    return CodeOfContract(
        generation=number,
        contract=name,
        address=address,
        same_code=difference is None,
        same_metadata=difference is None
        and deployed[-_metadata_bytes(deployed) :] == compiled[-_metadata_bytes(compiled) :],
        bytes=len(deployed),
        immutables={variable: known.get(value, "0x" + value) for variable, value in values.items()},
        difference=difference,
    )


def _immutables(code: bytes, places: Places) -> tuple[dict[str, str], str | None]:
    values: dict[str, str] = {}
    clash = None
    for variable, spots in sorted(places.items()):
        found = {code[start : start + length].hex() for start, length in spots}
        values[variable] = min(found)
        if len(found) > 1:
            clash = f"immutable {variable} has several values"
    return values, clash


def _miswired(contracts: Mapping[str, Address], address: Address, values: Mapping[str, str]) -> str | None:
    """The first immutable that should name a contract of the deployment, and names another."""
    wanted = {variable: contracts[contract] for variable, contract in _WIRED.items() if contract in contracts} | {
        "_cachedThis": address
    }
    for variable, contract in wanted.items():
        value = values.get(variable)
        if value is not None and int(value, 16) != int(contract, 16):
            return f"immutable {variable} is 0x{value[-40:]}, not {contract}, as the deployment has it"
    return None


def _bound_elsewhere(
    contracts: Mapping[str, Address], chain_number: int, name: str, values: Mapping[str, str]
) -> str | None:
    """The first immutable that binds signatures to another chain, name or contract: those of one would be good for the other."""
    wanted: dict[str, bytes] = {}
    if name in _SIGNS_AS:
        text = _SIGNS_AS[name]
        wanted = {
            "_cachedChainId": chain_number.to_bytes(32, "big"),
            "_hashedName": keccak256(text.encode()),
            "_hashedVersion": keccak256(DOMAIN_VERSION.encode()),
            "_cachedDomainSeparator": domain_separator(text, chain_number, contracts[name]),
            "_name": _short_string(text),
            "_version": _short_string(DOMAIN_VERSION),
        }
    elif "JobEscrow" in contracts:
        wanted = {"_domainSeparator": domain_separator(DOMAIN_NAME, chain_number, contracts["JobEscrow"])}
    for variable, word in wanted.items():
        value = values.get(variable)
        if value is not None and value != word.hex():
            return f"immutable {variable} is 0x{value}, not 0x{word.hex()}, to which signatures are bound"
    return None


def _short_string(text: str) -> bytes:
    """OpenZeppelin's ``ShortString``: the bytes from the left, and their number in the last."""
    raw = text.encode()
    return raw.ljust(31, b"\0") + bytes([len(raw)])


def _blanked(code: bytes, places: Places) -> bytes:
    blank = bytearray(code)
    for spots in places.values():
        for start, length in spots:
            blank[start : start + length] = bytes(len(blank[start : start + length]))
    return bytes(blank)


def _first_difference(deployed: bytes, compiled: bytes) -> str | None:
    if not deployed:
        return "there is no code at the address"
    ours, theirs = compiled[: -_metadata_bytes(compiled)], deployed[: -_metadata_bytes(deployed)]
    for at, (wanted, found) in enumerate(zip(ours, theirs, strict=False)):
        if wanted != found:
            return f"byte {at} is 0x{found:02x}, not 0x{wanted:02x}"
    return None if len(ours) == len(theirs) else f"{len(theirs)} bytes of code, not {len(ours)}"


def _metadata_bytes(code: bytes) -> int:
    """Length of the CBOR metadata, its own two bytes of length included (Solidity documentation, "Encoding of the Metadata Hash")."""
    length = int.from_bytes(code[-2:], "big") + 2
    return length if length < len(code) else 2
