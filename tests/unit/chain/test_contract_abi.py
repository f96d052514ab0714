"""Calls, constructors, answers and calldata are encoded and decoded as web3.py does it, for every function of every packaged contract."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import pytest
from eth_abi.abi import encode
from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from computility.chain.artifacts import Artifact, all_artifacts
from computility.chain.contract_abi import AbiFunction, ContractAbi, contract_abi
from computility.domain.identifiers import address_from_bytes

SOMEWHERE = Web3.to_checksum_address("0x" + "11" * 20)
CONTRACTS = {artifact.name: artifact for artifact in all_artifacts()}


class Answering(JSONBaseProvider):
    """An endpoint that gives one answer to every call."""

    answer = "0x"

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return {"jsonrpc": "2.0", "id": 0, "result": self.answer}  # type: ignore[typeddict-item]  # any JSON


def value_of(field: dict[str, Any], dice: random.Random) -> Any:
    """Any value of a type, the edges of a number often."""
    kind = str(field["type"])
    if kind.endswith("]"):
        item = {**field, "type": kind[: kind.rindex("[")]}
        size = kind[kind.rindex("[") + 1 : -1]
        return [value_of(item, dice) for _ in range(int(size) if size else dice.randrange(4))]
    if kind == "tuple":
        return tuple(value_of(part, dice) for part in field["components"])
    if kind.startswith("uint"):
        highest = 2 ** int(kind[4:]) - 1
        return dice.choice([0, highest, dice.randint(0, highest)])
    if kind.startswith("int"):
        highest = 2 ** (int(kind[3:]) - 1) - 1
        return dice.choice([-highest - 1, highest, dice.randint(-highest, highest)])
    if kind == "bool":
        return dice.random() < 0.5
    if kind == "address":
        return address_from_bytes(dice.randbytes(20))
    if kind == "string":
        return "ü" * dice.randrange(40)
    return dice.randbytes(int(kind[5:]) if kind != "bytes" else dice.randrange(100))


def as_lists(value: Any) -> Any:
    """Arrays and structs alike."""
    if isinstance(value, dict):
        return {key: as_lists(part) for key, part in value.items()}
    return [as_lists(part) for part in value] if isinstance(value, list | tuple) else value


def functions(artifact: Artifact) -> list[tuple[dict[str, Any], AbiFunction]]:
    """Those that are told apart by name and number of arguments."""
    entries = [entry for entry in artifact.abi if entry["type"] == "function"]
    alike = [(entry["name"], len(entry["inputs"])) for entry in entries]
    return [
        (entry, AbiFunction.of(entry)) for entry in entries if alike.count((entry["name"], len(entry["inputs"]))) == 1
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_calls_and_answers_are_those_of_web3(name: str) -> None:
    dice, provider = random.Random(name), Answering()
    theirs = Web3(provider, middleware=[]).eth.contract(SOMEWHERE, abi=CONTRACTS[name].abi)
    for entry, function in functions(CONTRACTS[name]):
        arguments = [value_of(field, dice) for field in entry["inputs"]]
        their_function = theirs.get_function_by_selector(function.selector)
        calldata = contract_abi(name).encode(function.name, *arguments)
        assert calldata == their_function(*arguments)._encode_transaction_data()
        assert as_lists(contract_abi(name).decode_call(calldata)[1]) == as_lists(
            theirs.decode_function_input(calldata)[1]  # type: ignore[arg-type]  # HexStr
        )
        if entry["outputs"]:
            answer = encode(function.output_types, [value_of(field, dice) for field in entry["outputs"]])
            provider.answer = "0x" + answer.hex()
            ours = contract_abi(name).decode_answer(function.name, len(arguments), answer)
            assert as_lists(ours) == as_lists(their_function(*arguments).call())


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_deploys_a_contract_is_that_of_web3(name: str) -> None:
    packaged = CONTRACTS[name]
    constructors = [entry for entry in packaged.abi if entry["type"] == "constructor"]
    arguments = [value_of(field, random.Random(name)) for field in (constructors[0]["inputs"] if constructors else [])]
    theirs = Web3(Answering(), middleware=[]).eth.contract(abi=packaged.abi, bytecode=packaged.bytecode)
    assert contract_abi(name).creation(*arguments) == theirs.constructor(*arguments).data_in_transaction


def test_what_a_function_does_not_take_is_refused() -> None:
    escrow = ContractAbi("JobEscrow")
    account = address_from_bytes(b"\1" * 20)
    for function, arguments in [
        ("nothing", ()),
        ("withdraw", ()),
        ("withdraw", (account, -1)),
        ("withdraw", (account, 2**104)),
        ("withdraw", ("0x12", 1)),
        ("jobOf", (bytes(31),)),
        ("jobOf", ("0x12",)),
    ]:
        with pytest.raises(ValueError, match=r".+"):
            escrow.encode(function, *arguments)
    with pytest.raises(ValueError, match="arguments"):
        escrow.creation()


def test_hashes_go_in_as_bytes_or_as_hex() -> None:
    escrow = ContractAbi("JobEscrow")
    assert escrow.encode("jobOf", "0x" + "5e" * 32) == escrow.encode("jobOf", b"\x5e" * 32)


@pytest.mark.parametrize("cut", [0, 31, 63])
def test_an_answer_that_is_too_short_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ContractAbi("JobEscrow").decode_answer("accountOf", 1, bytes(cut))


def test_calldata_of_another_contract_is_refused() -> None:
    with pytest.raises(ValueError, match="no function 0xdeadbeef"):
        ContractAbi("JobEscrow").decode_call("0xdeadbeef")
    with pytest.raises(ValueError, match=r".+"):
        ContractAbi("JobEscrow").decode_call(ContractAbi("JobEscrow").encode("withdraw", SOMEWHERE, 1)[:-64])


def test_a_session_loads_no_client_of_http_that_it_does_not_use() -> None:
    code = "import sys, computility.services.trading_account, computility.services.provider_agent; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"web3", "aiohttp", "requests", "sqlalchemy", "fastapi"} & set(loaded)
