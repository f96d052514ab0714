"""Where the contracts are: ``deployments/<chain-id>.json``, a list of generations. Only the newest opens jobs; all are followed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import DeploymentMissing, InvalidMessage
from computility.domain.identifiers import Address, Bytes32, ChainId, chain_id_of, parse_address, parse_bytes32


@dataclass(frozen=True)
class Generation:
    """One set of contracts that belong together, and the block after which their events begin."""

    number: int
    block: int
    block_hash: Bytes32
    deployed_at: int
    contracts: Mapping[str, Address]

    def address_of(self, name: str) -> Address:
        """Address of a contract by its name.

        Raises:
            DeploymentMissing: this generation has none.
        """
        try:
            return self.contracts[name]
        except KeyError:
            raise DeploymentMissing(f"generation {self.number} has no {name}; deploy again") from None


@dataclass(frozen=True)
class Deployments:
    """All generations on one chain, oldest first; never empty."""

    chain_number: int
    generations: tuple[Generation, ...]

    @property
    def chain_id(self) -> ChainId:
        """CAIP-2."""
        return chain_id_of(self.chain_number)

    @property
    def newest(self) -> Generation:
        """The generation that opens jobs."""
        return self.generations[-1]

    @property
    def domain(self) -> Eip712Domain:
        """The EIP-712 domain of the newest generation."""
        return Eip712Domain(self.chain_number, self.newest.address_of("JobEscrow"))

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {
            "chainId": self.chain_number,
            "generations": [
                {
                    "generation": generation.number,
                    "block": generation.block,
                    "blockHash": generation.block_hash,
                    "deployedAt": generation.deployed_at,
                    "contracts": dict(sorted(generation.contracts.items())),
                }
                for generation in self.generations
            ],
        }


def deployments_file(folder: Path, chain_number: int) -> Path:
    """The file for a chain."""
    return folder / f"{chain_number}.json"


def read_deployments(folder: Path, chain_number: int) -> Deployments:
    """Read what is deployed on a chain.

    Raises:
        DeploymentMissing: nothing is recorded.
        InvalidMessage: the file does not fit its form.
    """
    path = deployments_file(folder, chain_number)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeploymentMissing(
            f"no deployment is recorded for chain {chain_number} in {path}: run `computility deploy`, or name the right folder"
        ) from None
    except ValueError as error:
        raise InvalidMessage(f"{path} is not JSON: {error}") from error
    deployments = parse_deployments(document, str(path))
    if deployments.chain_number != chain_number:
        raise InvalidMessage(f"{path} has to list at least one generation of chain {chain_number}")
    return deployments


def parse_deployments(document: Any, name: str) -> Deployments:
    """Deployments from their document; ``name`` is where it comes from.

    Raises:
        InvalidMessage: it does not fit its form, or lists no generation.
    """
    try:
        generations = tuple(_generation(entry) for entry in document["generations"])
        found = int(document["chainId"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InvalidMessage(f"{name} is not a deployments file: {error!r} is wrong") from error
    if not generations:
        raise InvalidMessage(f"{name} has to list at least one generation of contracts")
    return Deployments(found, generations)


def write_deployments(folder: Path, deployments: Deployments) -> Path:
    """Write the file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = deployments_file(folder, deployments.chain_number)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(deployments.to_json(), file, indent=2)
        file.write("\n")
    Path(temporary).replace(path)
    return path


def _generation(entry: Mapping[str, Any]) -> Generation:
    return Generation(
        number=int(entry["generation"]),
        block=int(entry["block"]),
        block_hash=parse_bytes32(entry["blockHash"]),
        deployed_at=int(entry["deployedAt"]),
        contracts={name: parse_address(address) for name, address in entry["contracts"].items()},
    )
