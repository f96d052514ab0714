"""A provider's answer to a fail: it runs the job again, and disputes what its own check contradicts while the window is open.

A fail that nobody disputes takes the bond. Who was right can lose only the arbiter's fee by saying so; who was wrong keeps still, as a dispute that
it loses costs that fee as well.
"""

from __future__ import annotations

import logging
from typing import Final

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Verdict
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.statements import SignedStatement, Submission
from computility.execution.content_store import ContentStore
from computility.execution.executor_set import ExecutorSet
from computility.services.arbiter_seat import ArbiterSeat
from computility.services.job_check import JobCheck
from computility.services.job_watch import WatchedJob
from computility.services.trading_account import TradingAccount
from computility.verification.challenge_seed import own_challenge
from computility.verification.lease_heartbeat import lease_policy_of

_log = logging.getLogger(__name__)

_TRIES: Final = 3


class FailContester:
    """One provider's. Each job is looked at until this machine can tell, three times at most."""

    def __init__(self, account: TradingAccount, executors: ExecutorSet, content: ContentStore) -> None:
        self._account = account
        self._check = JobCheck(executors, content)
        self._looked: dict[Bytes32, int] = {}

    def contest(self, job: WatchedJob, signed: SignedStatement, submission: Submission) -> Receipt | None:
        """Dispute the fail of a job, and bring it to the panel where that is the arbiter; None where there is nothing to dispute or to win by it.

        Raises:
            ComputilityError: chain or node cannot be asked now: nothing was sent.
        """
        pending = job.chain.state is JobState.PENDING and job.chain.outcome == Outcome.FAIL
        if not pending or job.now > job.chain.deadline or self._looked.get(job.id, 0) >= _TRIES:
            return None
        at_stake = submission.units * job.terms.unit_price + job.terms.bond
        if at_stake <= job.terms.arbiter_fee:
            self._looked[job.id] = _TRIES
            _log.warning("job %s failed, and less is at stake than the arbiter costs: not disputed", job.id)
            return None
        self._looked[job.id] = self._looked.get(job.id, 0) + 1
        specification = self._check.specification(job.terms)
        if specification is not None and lease_policy_of(specification.verification) is not None:
            # What a meter said is between both parties; a run tells nothing of it.
            self._looked[job.id] = _TRIES
            return None
        found = self._check.check(job.terms, signed, submission, own_challenge(self._account.address))
        if found.verdict is not Verdict.PASS:
            _log.warning("job %s failed, and I find %s (%s): not disputed", job.id, found.verdict.name, found.reason)
            if found.verdict is Verdict.FAIL:
                self._looked[job.id] = _TRIES
            return None
        self._looked[job.id] = _TRIES
        receipt = self._account.dispute(job.terms)
        _log.warning("disputed the fail of job %s: run again, it comes to what was submitted", job.id)
        if job.terms.arbiter != ZERO_ADDRESS and job.terms.arbiter == self._panel():
            ArbiterSeat(self._account).bring(job.terms)
        return receipt

    def _panel(self) -> Address | None:
        return self._account.ledger.contracts.get("Arbitration")
