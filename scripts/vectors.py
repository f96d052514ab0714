"""Write the golden vectors of every signed type to tests/vectors/, from the package's own domain code.

Each file is a list of typed-data documents as a wallet signs them, with integers as decimal strings, plus the struct hash, the digest, and the
signature of a published test key. Python, Solidity and TypeScript are held to the same files. `--check` writes nothing and fails on drift.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain, Field, Message
from computility.domain.identifiers import Address, address_from_bytes, bytes32
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.rating import Rating
from computility.domain.reader_notice import ReaderNotice
from computility.domain.ruling import Ruling
from computility.domain.settlement import Settlement
from computility.domain.signature import sign_digest
from computility.domain.statements import Ask, AskWithdrawal, Challenge, QuoteRequest, Refusal, Submission
from computility.domain.terms import Terms

FOLDER: Final = Path(__file__).resolve().parent.parent / "tests" / "vectors"
# Worth nothing anywhere: it is derived from a published text.
KEY: Final = PrivateKey(keccak(b"Computility golden vectors"))
CHAINS: Final = (31337, 1, 1337, 11155111, 2**53 - 1)
TEXTS: Final = ("", "urn:computility:cpu:x86-64:wasm", "算力 ≥ 1 CU", 'quotes " and \\ and a\nnew line', "é" * 1_024)
FILES: Final[Mapping[str, Mapping[type[Message], int]]] = {
    "terms.json": {Terms: 20},
    "attestation.json": {Attestation: 20},
    "settlement.json": {Settlement: 20},
    "ruling.json": {Ruling: 20},
    "rating.json": {Rating: 10},
    "leases.json": {MeterReading: 6, MeterContest: 6},
    "readers.json": {ReaderNotice: 6},
    "statements.json": {Ask: 8, AskWithdrawal: 5, QuoteRequest: 6, Refusal: 6, Submission: 6, Challenge: 6},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    check = parser.parse_args().check

    contents = {name: vector_file(name) for name in FILES}
    drifted = [name for name, content in contents.items() if read(FOLDER / name) != content]
    if check:
        if drifted:
            print(f"vectors differ from the domain code: {', '.join(drifted)}; run scripts/vectors.py", file=sys.stderr)
        return 1 if drifted else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in drifted:
        (FOLDER / name).write_text(contents[name], encoding="utf-8")
    print(f"wrote {', '.join(drifted)}" if drifted else "vectors are up to date")
    return 0


def read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def vector_file(name: str) -> str:
    """The content of one file."""
    vectors = [vector(cls, index) for cls, count in FILES[name].items() for index in range(count)]
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


def vector(cls: type[Message], index: int) -> dict[str, Any]:
    """One document: what is signed, its hashes, and the signature of `KEY`."""
    domain = Eip712Domain(CHAINS[index % len(CHAINS)], escrow_of(index))
    message = cls(**{field.python_name: value_of(cls, field, index) for field in cls.STRUCT.fields})
    digest = message.digest(domain)
    typed_data = message.typed_data(domain)
    return {
        "domain": typed_data["domain"],
        "types": typed_data["types"],
        "primaryType": typed_data["primaryType"],
        "message": {name: plain(value) for name, value in typed_data["message"].items()},
        "structHash": bytes32(message.STRUCT.struct_hash(message.values())),
        "digest": digest,
        "signature": sign_digest(digest, KEY.to_bytes()),
        "signer": KEY.public_key.to_checksum_address(),
    }


def plain(value: Any) -> Any:
    """Integers as decimal strings, whatever their width; the rest as it travels."""
    return str(int(value)) if isinstance(value, int) and not isinstance(value, bool) else value


def escrow_of(index: int) -> Address:
    return address_from_bytes(keccak(f"escrow {index % 3}".encode())[12:])


def value_of(cls: type[Message], field: Field, index: int) -> Any:
    """The value of a field in the vector of this index: the first vector holds zeros, the second the highest values, each later one what its
    name hashes to, with an edge in about a quarter of the fields.
    """
    chance = keccak(f"{cls.STRUCT.name} {index} {field.name}".encode())
    edge = index if index < 2 else {0: 0, 1: 1}.get(chance[0] % 8)
    if field.bits:
        return integer(cls, field, chance, edge)
    match field.type:
        case "bool":
            return bool(chance[1] % 2 if edge is None else edge)
        case "address":
            return address_from_bytes(raw(chance, edge)[12:])
        case "bytes32":
            return bytes32(raw(chance, edge))
        case "string":
            return TEXTS[chance[1] % len(TEXTS) if edge is None else edge * (len(TEXTS) - 1)]
        case "address[]":
            length = chance[1] % 17 if edge is None else edge * 16
            return tuple(address_from_bytes(keccak(chance + bytes([item]))[12:]) for item in range(length))
    raise AssertionError(f"no vectors for {field.type}")


def integer(cls: type[Message], field: Field, chance: bytes, edge: int | None) -> int:
    highest = 2 if (cls, field.name) == (Attestation, "verdict") else (1 << field.bits) - 1
    if edge is not None:
        return edge * highest
    # A width first, so that small numbers are as frequent as large ones.
    width = 1 + chance[1] % highest.bit_length()
    return min(int.from_bytes(chance, "big") % (1 << width), highest)


def raw(chance: bytes, edge: int | None) -> bytes:
    return chance if edge is None else bytes([0xFF * edge]) * 32


if __name__ == "__main__":
    sys.exit(main())
