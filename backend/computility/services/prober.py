"""Known-answer probes: jobs whose outputs somebody knows already, ordered like any other, to see who did the work.

A probe is a job that was traded before, with a new seed: the same program, inputs, policy, verifier and fees. It is bought by an account that nobody
knows to be a verifier's, and neither provider nor verifiers can tell it from an order. Who probes ran it before anybody was asked. A wrong answer is
signed as a rating, `KNOWN_ANSWERS`, with which no member of the committee believes the provider unseen any more (`track_record`); a right one is not
told of, and its pass counts as any other. Verifiers that signed what is wrong are named, for `computility verifier slash` and arbiters.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidMessage, LimitReached, UnknownAsk
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, bytes32
from computility.domain.rating import KNOWN_ANSWERS, Rating
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import SignedStatement, Submission, read_statement
from computility.domain.terms import Terms
from computility.execution.executor import AttemptId, Execution, run_to_end
from computility.execution.executor_set import ExecutorSet
from computility.services.buyer import Buyer, Offer
from computility.services.job_watch import JobWatch
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

RIGHT: Final = "right"
WRONG: Final = "wrong"
NO_ANSWER: Final = "no-answer"
VALID_S: Final = 90 * 86_400
_LOOKED_AT: Final = 200
_MODELS: Final = 20
_SEED_BYTES: Final = 32


@dataclass(frozen=True)
class ProbeOutcome:
    """``reason``: `RIGHT`, `WRONG` or `NO_ANSWER`, of the provider. ``mistaken`` are verifiers that passed a wrong answer or failed a right one.
    ``expected`` is the result that is known; ``rating`` what was signed of a wrong one."""

    job: Bytes32
    reason: str
    expected: Bytes32
    mistaken: tuple[Address, ...]
    rating: SignedStatement | None


class Prober:
    """One verifier that probes. ``buyer`` orders; ``executors`` know the answers, of programs that are the same on every machine of their class."""

    def __init__(
        self, verifier: TradingAccount, buyer: TradingAccount, node: NodeClient, executors: ExecutorSet
    ) -> None:
        self._verifier = verifier
        self._account = buyer
        self._node = node
        self._content = NodeContentStore(node)
        self._executors = executors
        self._buyer = Buyer(buyer, node)
        self._watch = JobWatch(buyer, node, 0)

    @property
    def buyer(self) -> Address:
        """The account that orders."""
        return self._account.address

    def providers(self) -> list[Address]:
        """Who has an open ask of programs that have one right answer here."""
        return sorted({offer.ask.provider for offer in self._offers()} - {self.buyer})

    def likenesses(self, specifications: Iterable[Bytes32]) -> set[Bytes32]:
        """What jobs have in common with those that differ from them in the seed alone, by the hashes of their specifications."""
        found = (self._specification(digest) for digest in specifications)
        return {_likeness(specification) for specification in found if specification is not None}

    def probe(
        self,
        provider: Address,
        timeout_s: float,
        unlike: Collection[Bytes32] = (),
        most: int | None = None,
        *,
        planted: bool = False,
    ) -> ProbeOutcome:
        """Order one probe, and see what comes of it. Blocks until the job is closed. It is like none of ``unlike`` (`likenesses`), and escrows at
        ``most`` so many atoms of credits. Of a wrong answer that was ``planted`` (`planted_results`) no rating is signed: it is the verifiers' probe.

        Raises:
            UnknownAsk: the provider has no open ask of programs that have one right answer, or nothing was traded yet that a probe could look like.
            LimitReached: the job would escrow more.
            StatementExpired: the job is not closed in time.
            ComputilityError: as buying any job.
        """
        offer, model, terms = self._model(provider, unlike)
        specification = replace(model, seed="0x" + secrets.token_hex(_SEED_BYTES))
        attempt = AttemptId(bytes32(secrets.token_bytes(_SEED_BYTES)), 1)
        self._node.put_content(specification.to_bytes())
        known = run_to_end(self._executors.of(specification.environment), attempt, specification, self._content)
        quoted = self._buyer.request_quote(
            offer,
            specification,
            verifier=terms.verifier,
            verifier_fee=terms.verifier_fee,
            arbiter=terms.arbiter,
            arbiter_fee=terms.arbiter_fee,
            timeout_s=timeout_s,
        )
        if most is not None and quoted.terms.escrow > most:
            raise LimitReached(f"the probe would escrow {quoted.terms.escrow} atoms, and {most} are left for it")
        self._buyer.open(quoted)
        _log.info("probing %s by job %s", provider, quoted.job)
        answer = self._answer(quoted.job, timeout_s)
        reason = NO_ANSWER if answer is None else RIGHT if _is(answer, known) else WRONG
        rating = self._rate(provider, quoted.terms, quoted.job) if reason == WRONG and not planted else None
        return ProbeOutcome(
            quoted.job, reason, known.manifest.digest, tuple(self._mistaken(quoted.job, reason)), rating
        )

    def _offers(self) -> list[Offer]:
        offers = self._buyer.offers(kind="wasm")
        return [offer for offer in offers if offer.ask.environment in self._executors.environments]

    def _specification(self, digest: Bytes32) -> Specification | None:
        try:
            return parse_specification(self._node.get_content(content_id_of_digest(digest)))
        except (ContentError, InvalidMessage):
            return None

    def _model(self, provider: Address, unlike: Collection[Bytes32]) -> tuple[Offer, Specification, Terms]:
        """An ask of the provider's, and a job that passed which it could have taken, drawn among the newest."""
        offers = {offer.ask.environment: offer for offer in self._offers() if offer.ask.provider == provider}
        models: list[tuple[Offer, Specification, Terms]] = []
        for row in self._node.jobs_newest_first(_LOOKED_AT, state="closed"):
            if row["outcome"] != "pass" or row["terms"] is None or len(models) == _MODELS:
                continue
            terms = Terms.from_json(row["terms"])
            specification = self._specification(terms.spec)
            found = None if specification is None else offers.get(specification.environment)
            if specification is None or found is None or specification.sealing is not None:
                continue
            if _likeness(specification) in unlike:
                continue
            fits = found.ask.min_units <= specification.max_units <= found.ask.max_units
            accepted = not found.ask.verifiers or terms.verifier in found.ask.verifiers
            if fits and accepted and all(self._node.has_content(file.cid) for file in specification.files):
                models.append((found, specification, terms))
        if not models:
            raise UnknownAsk(
                f"there is nothing to probe {provider} with: "
                "it has no open ask of WebAssembly programs, or nothing that it takes, and was not asked yet, was traded"
            )
        return secrets.choice(models)

    def _answer(self, job: Bytes32, timeout_s: float) -> Submission | None:
        for _ in self._buyer.follow(job, timeout_s):
            pass
        found = self._watch.submission(self._watch.one(job))
        return None if found is None else found[1]

    def _rate(self, provider: Address, terms: Terms, job: Bytes32) -> SignedStatement:
        now = self._verifier.chain_time()
        rating = Rating(
            verifier=self._verifier.address,
            provider=provider,
            resource=terms.resource,
            attribute=KNOWN_ANSWERS,
            value=0,
            devices=1,
            evidence=job,
            measured_at=now,
            valid_until=now + VALID_S,
        )
        statement = self._verifier.sign(rating)
        self._node.publish(statement)
        return statement

    def _mistaken(self, job: Bytes32, reason: str) -> Iterator[Address]:
        wrong = {RIGHT: Verdict.FAIL, WRONG: Verdict.PASS}.get(reason)
        for row in self._node.attestations(job)["items"]:
            statement = read_statement(row, self._verifier.ledger.domain)
            if isinstance(statement.message, Attestation) and statement.message.verdict is wrong:
                yield statement.signer


def _likeness(specification: Specification) -> Bytes32:
    return replace(specification, seed=ZERO_BYTES32).digest


def _is(answer: Submission, known: Execution) -> bool:
    return (answer.result, answer.units) == (known.manifest.digest, known.units)
