"""One compiler with one set of settings: forge tests the packaged artifacts, and brownie compiles the same, or their tests prove different code."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "backend" / "computility" / "chain" / "artifacts"


def packaged_settings() -> dict[str, object]:
    settings = json.loads((ARTIFACTS / "sources.json").read_text())["settings"]
    return {
        "evm": settings["evmVersion"],
        "optimizer": settings["optimizer"]["enabled"],
        "runs": settings["optimizer"]["runs"],
        "steps": settings["optimizer"]["details"]["yulDetails"]["optimizerSteps"],
        "via_ir": settings["viaIR"],
    }


def test_forge_compiles_no_contract_and_runs_the_chain_that_is_packaged_for() -> None:
    forge = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    assert forge["skip"] == ["contracts/**"]
    assert forge["evm_version"] == packaged_settings()["evm"]


def test_brownie_compiles_what_is_packaged() -> None:
    compiler = (ROOT / "brownie-config.yaml").read_text().split("compiler:")[1]
    setting = dict(re.findall(r"(\w+): (\S+)", compiler))
    found = {
        "evm": setting["evm_version"],
        "optimizer": setting["enabled"] == "true",
        "runs": int(setting["runs"]),
        "steps": setting["optimizerSteps"].strip('"'),
        "via_ir": setting["viaIR"] == "true",
    }
    assert found == packaged_settings()
