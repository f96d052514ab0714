"""web3.py over our JSON-RPC client: contracts are called through web3's codec, and every failure is one of our errors."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final, cast

from eth_abi.codec import ABICodec
from eth_abi.exceptions import DecodingError
from eth_typing import ChecksumAddress
from eth_utils.abi import collapse_if_tuple
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import BadFunctionCallOutput, ContractLogicError, Web3Exception
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from computility.chain.artifacts import artifact
from computility.chain.reverts import reverted
from computility.chain.rpc import BlockTag, RpcClient, block_tag
from computility.domain.errors import ChainMisbehaved, DeploymentMissing, RpcRefused
from computility.domain.identifiers import Address
from computility.domain.keccak import keccak256

_CALLS_AT_ONCE: Final = 100


class _RpcProvider(JSONBaseProvider):
    """The seam: web3.py asks, our client carries."""

    def __init__(self, rpc: RpcClient) -> None:
        super().__init__()
        self._rpc = rpc

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        return cast("RPCResponse", {"jsonrpc": "2.0", "id": 0, "result": self._rpc.call(method, *params)})


class ChainConnection:
    """One chain through one endpoint."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc
        self._web3 = Web3(_RpcProvider(rpc), middleware=[])
        self._codecs: dict[str, type[Contract]] = {}

    @property
    def abi_codec(self) -> ABICodec:
        """web3.py's."""
        return self._web3.codec

    def contract(self, name: str, address: Address) -> DeployedContract:
        """A packaged contract at an address."""
        return DeployedContract(self, name, address)

    def codec(self, name: str, address: Address | None = None) -> Contract:
        """web3.py's view of a packaged contract."""
        # web3.py takes milliseconds to read an interface.
        known = self._codecs.get(name)
        if known is None:
            packaged = artifact(name)
            known = self._codecs[name] = self._web3.eth.contract(abi=packaged.abi, bytecode=packaged.bytecode)
        return cast("Contract", known) if address is None else known(cast("ChecksumAddress", address))


class DeployedContract:
    """A contract that is called by function name."""

    def __init__(self, connection: ChainConnection, name: str, address: Address) -> None:
        self.name = name
        self.address = address
        self._connection = connection

    @cached_property
    def _contract(self) -> Contract:
        return self._connection.codec(self.name, self.address)

    def read(self, function: str, *arguments: Any, block: BlockTag = "latest", sender: Address | None = None) -> Any:
        """What a view answers at a block.

        Raises:
            ContractReverted: it refuses.
            DeploymentMissing: there is no such contract at the address.
            ChainError: the endpoint fails.
        """
        call = self._contract.get_function_by_name(function)(*arguments)
        transaction: Any = {"from": sender} if sender else {}
        try:
            return call.call(transaction, block_identifier=cast("Any", block))
        except RpcRefused as error:
            raise reverted(error) from error
        except BadFunctionCallOutput as error:
            raise DeploymentMissing(
                f"there is no {self.name} at {self.address} at block {block}: is this the right chain?"
            ) from error
        except (ContractLogicError, Web3Exception) as error:
            raise ChainMisbehaved(
                f"{self.name}.{function} at {self.address} answers in no known form: {error}"
            ) from error

    def read_all(
        self, function: str, arguments: Iterable[Sequence[Any]], *, block: BlockTag = "latest"
    ) -> Iterator[Any]:
        """What a view answers to each of many calls, as ``read`` has it, a hundred calls in one round trip: an audit asks of every job.

        Raises:
            ChainError: as ``read``.
        """
        abi = self._contract.get_function_by_name(function).abi
        takes, gives = (
            [collapse_if_tuple(dict(parameter)) for parameter in parameters]
            for parameters in (abi["inputs"], abi["outputs"])
        )
        selector = keccak256(f"{function}({','.join(takes)})".encode())[:4]
        codec = self._connection.abi_codec
        left = iter(arguments)
        while some := list(itertools.islice(left, _CALLS_AT_ONCE)):
            # By the codec itself: web3.py's way to it takes half a millisecond.
            words = ["0x" + (selector + codec.encode(takes, each)).hex() for each in some]
            calls = [({"to": self.address, "data": data}, block_tag(block)) for data in words]
            try:
                answers = self._connection.rpc.batch([("eth_call", call) for call in calls])
            except RpcRefused as error:
                raise reverted(error) from error
            for answer in answers:
                yield self._decoded(function, gives, answer, block)

    def _decoded(self, function: str, types: Sequence[str], answer: Any, block: BlockTag) -> Any:
        if answer == "0x":
            raise DeploymentMissing(
                f"there is no {self.name} at {self.address} at block {block}: is this the right chain?"
            )
        try:
            values = self._connection.abi_codec.decode(types, bytes.fromhex(answer[2:]))
        except (DecodingError, TypeError, ValueError) as error:
            raise ChainMisbehaved(
                f"{self.name}.{function} at {self.address} answers in no known form: {error}"
            ) from error
        return values[0] if len(values) == 1 else values

    def encode(self, function: str, *arguments: Any) -> str:
        """Calldata of a call, 0x hex."""
        return str(self._contract.encode_abi(function, args=list(arguments)))
