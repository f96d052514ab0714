"""Reads blocks and the contracts' logs from an endpoint, and believes them only when they fit together."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from computility.chain.log_decoding import RawLog, parse_raw_log
from computility.chain.rpc import BlockHeader, RpcClient
from computility.domain.errors import ChainMisbehaved
from computility.services.contract_directory import ContractDirectory


@dataclass(frozen=True)
class Stretch:
    """Consecutive blocks and their logs in the order of the ledger."""

    headers: tuple[BlockHeader, ...]
    logs: tuple[RawLog, ...]

    @property
    def last(self) -> BlockHeader:
        """The highest block."""
        return self.headers[-1]


class LedgerReader:
    """The chain, block by block."""

    def __init__(self, rpc: RpcClient, directory: ContractDirectory) -> None:
        self.rpc = rpc
        self._directory = directory

    def head_and_header(self, number: int) -> tuple[int, BlockHeader | None]:
        """Number of the newest block, and the header of block ``number``, in one round trip."""
        head, raw = self.rpc.batch([("eth_blockNumber", ()), ("eth_getBlockByNumber", (hex(number), False))])
        return self.rpc.quantity(head), self.rpc.parse_header(raw, number)

    def stretch(self, first: int, last: int) -> Stretch:
        """Blocks ``first`` to ``last`` with the contracts' logs.

        Raises:
            ChainMisbehaved: headers or logs do not fit together: the endpoint lies, or the chain is reorganising just now.
            ChainError: the endpoint fails.
        """
        headers = self.rpc.headers(first, last)
        for below, above in itertools.pairwise(headers):
            if above.parent_hash != below.hash:
                raise ChainMisbehaved(f"block {above.number} of {self.rpc.name} does not follow block {below.number}")
        return Stretch(tuple(headers), tuple(self._logs(headers)))

    def _logs(self, headers: list[BlockHeader]) -> list[RawLog]:
        asked = {
            "fromBlock": hex(headers[0].number),
            "toBlock": hex(headers[-1].number),
            "address": self._directory.addresses,
        }
        answer = self.rpc.call("eth_getLogs", asked)
        if not isinstance(answer, list):
            raise ChainMisbehaved(f"{self.rpc.name} answers a question for logs with something else")
        hashes = {header.number: header.hash for header in headers}
        logs = sorted((parse_raw_log(entry) for entry in answer), key=lambda log: (log.block_number, log.log_index))
        for log in logs:
            self._directory.owner_of(log.address)
            if hashes.get(log.block_number) != log.block_hash:
                raise ChainMisbehaved(f"{self.rpc.name} answers with a log of a block that is not on its chain")
        if len({(log.block_number, log.log_index) for log in logs}) != len(logs):
            raise ChainMisbehaved(f"{self.rpc.name} answers with one log twice")
        return logs
