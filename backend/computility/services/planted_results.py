"""Wrong results on purpose, of jobs that the operator's own accounts order, to see which verifiers look: the other half of a probe.

Whoever plants provides and buys: the bond of such a job goes to its buyer, and only jobs of accounts that the settings name are touched,
whatever a node says of others. `computility verifier probe PROVIDER --planted` orders one and names the verifiers that signed it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from computility.domain.identifiers import Address, Bytes32
from computility.domain.terms import Terms
from computility.execution.delegating_executor import DelegatingExecutor
from computility.execution.executor import AttemptId, Execution, Executor, execution_of
from computility.execution.executor_set import ExecutorSet
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)


class PlantingExecutor(DelegatingExecutor):
    """Runs every job, and spoils what came out of those that ``buyers`` ordered: a bit of the longest output, or the fuel of a job without any."""

    def __init__(self, inner: Executor, account: TradingAccount, node: NodeClient, buyers: Collection[Address]) -> None:
        super().__init__(inner)
        self._account, self._node = account, node
        self._buyers = frozenset(buyers)

    def collect(self, attempt: AttemptId) -> Execution:
        """What came out, or nearly.

        Raises:
            NodeError: the node does not answer; nothing is submitted before it does.
        """
        ran = super().collect(attempt)
        if not self._is_ours(attempt.job):
            return ran
        _log.warning("job %s is one of our own: its result is spoiled", attempt.job)
        return spoiled(ran)

    def _is_ours(self, job: Bytes32) -> bool:
        row = self._node.job(job)["terms"]
        terms = None if row is None else Terms.from_json(row)
        # The job's number is the hash of its terms: no node can pass a stranger's job off as ours.
        return terms is not None and terms.job_id(self._account.ledger.domain) == job and terms.buyer in self._buyers


def spoiled(ran: Execution) -> Execution:
    """The same with another result, that looks like it."""
    outputs = dict(ran.outputs)
    fuel = ran.manifest.fuel
    path = max(outputs, key=lambda name: len(outputs[name]), default=None)
    if path is not None and outputs[path]:
        data = bytearray(outputs[path])
        data[len(data) // 2] ^= 1
        outputs[path] = bytes(data)
    elif fuel is not None:
        fuel += 1
    else:
        outputs["stdout"] = b"\n"
    return execution_of(
        ran.manifest.spec, ran.manifest.environment, fuel, outputs, units=ran.units, samples=ran.samples
    )


def planting(
    executors: ExecutorSet, account: TradingAccount, node: NodeClient, buyers: Collection[Address]
) -> ExecutorSet:
    """The same executors, that spoil what these buyers order."""
    spoiling = [PlantingExecutor(executor, account, node, buyers) for executor in executors]
    return ExecutorSet(spoiling, executors.left_out, executors.names)
