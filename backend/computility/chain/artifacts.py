"""The compiled contracts that the package carries, made by ``scripts/compile.py``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from computility.domain.errors import DeploymentMissing


@dataclass(frozen=True)
class Artifact:
    """One contract: its ABI, the code that creates it and the code that it then has (0x hex).

    ``immutables`` says where in the deployed code the value of each immutable variable stands: lists of start and length, in bytes.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    deployed_bytecode: str
    immutables: dict[str, list[list[int]]]


@cache
def artifact(name: str) -> Artifact:
    """The artifact of a contract.

    Raises:
        DeploymentMissing: no contract of that name was compiled.
    """
    resource = files("computility.chain").joinpath("artifacts", f"{name}.json")
    if not resource.is_file():
        raise DeploymentMissing(f"there is no compiled contract {name}: run `make setup`")
    document = json.loads(resource.read_text(encoding="utf-8"))
    return Artifact(
        document["contractName"],
        document["abi"],
        document["bytecode"],
        document["deployedBytecode"],
        document["immutables"],
    )


@cache
def all_artifacts() -> tuple[Artifact, ...]:
    """Every packaged contract."""
    folder = files("computility.chain").joinpath("artifacts")
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(".json") and entry.name != "sources.json")
    return tuple(artifact(name.removesuffix(".json")) for name in sorted(names))
