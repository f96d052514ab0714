"""Is what is deployed what the repository's sources compile to?

The code on the chain is held against the packaged artifacts, byte by byte: outside the places of immutable variables, which the compiler names,
every byte has to agree. At those places one variable has one value, and what should name a contract of the deployment does; an address of the
deployment is shown by its contract's name. The last bytes are
the compiler's metadata, a hash of the sources: where only they differ, the sources differ in what compiles to nothing (comments, names).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from computility.chain.artifacts import artifact
from computility.chain.deployments import Deployments, Generation
from computility.chain.rpc import RpcClient
from computility.domain.identifiers import Address

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
}
"""Immutables that name another contract of their deployment, where it has one: money that goes elsewhere is other code."""


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
    """Every contract of every generation, at ``block``.

    Raises:
        DeploymentMissing: no artifact of that name is packaged.
        ChainError: the endpoint fails.
    """
    found = []
    for generation in deployments.generations:
        named = sorted(generation.contracts.items())
        codes = rpc.batch([("eth_getCode", (address, hex(block))) for _, address in named])
        for (name, address), code in zip(named, codes, strict=True):
            found.append(_compare(generation, name, address, bytes.fromhex(str(code).removeprefix("0x"))))
    return found


def _compare(generation: Generation, name: str, address: Address, deployed: bytes) -> CodeOfContract:
    wanted = artifact(name)
    values, clash = _immutables(deployed, wanted.immutables)
    compiled = bytes.fromhex(wanted.deployed_bytecode.removeprefix("0x"))
    difference = clash or _first_difference(
        _blanked(deployed, wanted.immutables), _blanked(compiled, wanted.immutables)
    )
    difference = difference or _miswired(generation, address, values)
    known = {f"{int(at, 16):064x}": contract for contract, at in generation.contracts.items()}
    return CodeOfContract(
        generation=generation.number,
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


def _miswired(generation: Generation, address: Address, values: Mapping[str, str]) -> str | None:
    """The first immutable that should name a contract of the deployment, and names another."""
    wanted = {
        variable: generation.contracts[contract]
        for variable, contract in _WIRED.items()
        if contract in generation.contracts
    } | {"_cachedThis": address}
    for variable, contract in wanted.items():
        value = values.get(variable)
        if value is not None and int(value, 16) != int(contract, 16):
            return f"immutable {variable} is 0x{value[-40:]}, not {contract}, as the deployment has it"
    return None


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
