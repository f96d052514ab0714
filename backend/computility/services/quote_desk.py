"""Answers quote requests for one provider: signed terms, or a refusal with a reason."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import (
    ComputilityError,
    ContentError,
    ExecutionError,
    InvalidMessage,
    NotAReader,
    QuoteRefused,
)
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32, parse_address, parse_bytes32
from computility.domain.quoting import ProviderPolicy, Standing, quoted_terms
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import (
    Ask,
    Quote,
    QuoteRequest,
    Refusal,
    SignedStatement,
    StatementKind,
    read_statement,
)
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.domain.units import CREDIT_DECIMALS
from computility.execution.executor_set import ExecutorSet
from computility.execution.reader_key import shut_out
from computility.services.node_client import NodeClient
from computility.services.reader_keys import told_reader_keys
from computility.services.trading_account import TradingAccount
from computility.verification.bond_traps import trap
from computility.verification.credible_signing import audit_policy_of
from computility.verification.policy_fitness import VerifiedBy, sealed_from_verifiers, unmet

_log = logging.getLogger(__name__)

_MAX_DETAIL = 1_000


class QuoteDesk:
    """One provider's side of the order book."""

    def __init__(
        self, account: TradingAccount, node: NodeClient, executors: ExecutorSet, policy: ProviderPolicy
    ) -> None:
        self._account = account
        self._node = node
        self._executors = executors
        self._policy = policy
        self._last_nonce = 0
        self._promised: dict[Bytes32, Terms] | None = None

    def answer_waiting(self, wait_s: int) -> int:
        """Answer every request that waits, waiting up to ``wait_s`` seconds for one. How many were answered."""
        if self._promised is None:
            self._promised = self._earlier_promises()
        rows = self._node.quote_requests(provider=self._account.address, status="pending", wait_s=wait_s)
        for row in rows:
            try:
                self._answer(row)
            except ComputilityError as error:
                _log.warning("request %s stays unanswered for now: %s: %s", row["request"]["id"], error.code, error)
        return len(rows)

    def promised_bonds(self) -> int:
        """Atoms that quotes which may yet be opened count on."""
        return sum(terms.bond for terms in (self._promised or {}).values())

    def _answer(self, row: Mapping[str, Any]) -> None:
        signed = read_statement(row["request"], self._account.ledger.domain)
        request = signed.message
        assert isinstance(request, QuoteRequest)
        try:
            statement = self._quote(signed.id, request)
            _log.info("quoted request %s", signed.id)
        except QuoteRefused as refusal:
            statement = self._account.sign(
                Refusal(
                    self._account.address,
                    signed.id,
                    refusal.reason,
                    str(refusal)[:_MAX_DETAIL],
                    self._account.chain_time(),
                )
            )
            _log.info("refused request %s: %s", signed.id, refusal.reason)
        self._node.publish(statement)

    def _quote(self, request_id: Bytes32, request: QuoteRequest) -> SignedStatement:
        ask = self._own_ask(request.ask)
        standing = self._standing()
        specification = self._specification(request.spec, ask)
        buyer_verifies = request.verifier in (request.buyer, request.payer)
        # Of another class the job is refused below.
        tells = specification.environment != ask.environment or (
            self._executors.of(ask.environment).capabilities().tells_processes
        )
        if reason := unmet(specification, VerifiedBy(buyer_verifies, self._policy.attests, tells)):
            raise QuoteRefused(f"nothing could pass by this job's verification policy: {reason}", "policy-unmet")
        if not buyer_verifies and request.arbiter == ZERO_ADDRESS:
            self._refuse_what_verifiers_cannot_read(specification, request.verifier)
        if reason := trap(specification, self._policy.deterministic):
            raise QuoteRefused(f"by this policy I could lose my bond for honest work: {reason}", "policy-risks-bond")
        audits = audit_policy_of(specification.verification)
        terms = quoted_terms(
            request_id,
            request,
            ask,
            specification,
            ask.environment,
            self._policy,
            standing,
            self._next_nonce(),
            audits.least_bond(ask.unit_price * request.max_units) if audits is not None else 0,
        )
        # The digest of a quote is that of its terms, so this signature is the provider's consent to the job.
        statement = self._account.sign(Quote(request_id, terms))
        assert self._promised is not None
        self._promised[statement.id] = terms
        return statement

    def _refuse_what_verifiers_cannot_read(self, specification: Specification, verifier: Address) -> None:
        """Without an arbiter, a buyer who can read the outputs disputes what no verifier could pass, and pays nothing."""
        if not isinstance(specification, TaskSpecification) or specification.sealing is None:
            return
        accounts, may_be_blind = [verifier], 0
        committee = self._node.config()["committee"]
        if committee and parse_address(committee["address"]) == verifier:
            # Whoever is drawn, enough of a panel can read.
            accounts = [parse_address(member) for member in committee["members"]]
            may_be_blind = int(committee["panel_size"]) - int(committee["threshold"])
        keys = told_reader_keys(self._node, accounts, self._account.ledger.domain)
        told = {account: keys.get(account) for account in accounts}
        try:
            shut = shut_out(specification, self._account.reader_key().open(specification))
        except NotAReader as error:
            raise QuoteRefused(str(error), error.code) from error
        if reason := sealed_from_verifiers(specification, told, may_be_blind, shut):
            raise QuoteRefused(reason, "sealed-from-verifiers")

    def _own_ask(self, ask_id: Bytes32) -> Ask:
        row = self._node.ask(ask_id)
        signed = read_statement(row["ask"], self._account.ledger.domain)
        if signed.kind is not StatementKind.ASK or signed.signer != self._account.address or signed.id != ask_id:
            raise QuoteRefused("this ask is not mine", "not-my-ask")
        assert isinstance(signed.message, Ask)
        return signed.message

    def _specification(self, spec: Bytes32, ask: Ask) -> Specification:
        try:
            specification = parse_specification(self._node.get_content(content_id_of_digest(spec)))
        except ContentError as error:
            raise QuoteRefused(f"the job specification is missing: {error}", "specification-missing") from error
        except InvalidMessage as error:
            raise QuoteRefused(f"the job specification is not valid: {error}", "specification-invalid") from error
        if specification.environment == ask.environment:
            try:
                self._executors.of(ask.environment).check(specification)
            except ExecutionError as error:
                raise QuoteRefused(str(error), error.code) from error
        for file in specification.files:
            if not self._node.has_content(file.cid):
                raise QuoteRefused(
                    f"{file.path} ({file.cid}) is not on the node: upload it, then ask again", "input-missing"
                )
        return specification

    def _standing(self) -> Standing:
        now = self._account.chain_time()
        fee_bps, bond_bps, max_locked, *_ = self._account.escrow.read("parameters")
        tier = int(self._account.scores.read("tierOf", self._account.address))
        live = self._node.jobs(provider=self._account.address, state="open")
        assert self._promised is not None
        # A promise lasts until it is opened, and then is a live job, or until it can no longer be.
        opened = {row["id"] for row in live}
        self._promised = {
            job: terms
            for job, terms in self._promised.items()
            if terms.open_by >= now and not self._was_opened(job, opened)
        }
        balance = self._account.balance()
        could_lock = balance.free + self._account.free_stake()
        if cap := int(max_locked[tier]) * 10**CREDIT_DECIMALS:
            # The escrow refuses an opening beyond it.
            could_lock = min(could_lock, max(0, cap - balance.locked))
        return Standing(
            now=now,
            fee_bps=int(fee_bps[tier]),
            least_bond_bps=int(bond_bps[tier]),
            free=could_lock - sum(terms.bond for terms in self._promised.values()),
            open_jobs=len(live),
            open_quotes=len(self._promised),
        )

    def _was_opened(self, job: Bytes32, live: set[str]) -> bool:
        return job in live or self._account.job(job).state != 0

    def _earlier_promises(self) -> dict[Bytes32, Terms]:
        """Quotes that an agent before this one signed."""
        promised = {}
        for row in self._node.quote_requests(provider=self._account.address, status="quoted"):
            quote = read_statement(row["quote"], self._account.ledger.domain)
            assert isinstance(quote.message, Quote)
            promised[parse_bytes32(quote.id)] = quote.message.terms
        return promised

    def _next_nonce(self) -> int:
        self._last_nonce = max(self._last_nonce + 1, time.time_ns() // 1_000_000)
        return self._last_nonce
