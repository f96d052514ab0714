"""The order book's door: which signed statements the node takes into its journal.

Nothing unsigned gets in, nothing that its signer may not say, and nothing that no one could use any more. A statement
that is known already is answered with the journal's entry; where only one can stand, the first does. What is kept binds
nobody but its signer: money moves on the chain alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import (
    Conflict,
    InvalidMessage,
    LimitReached,
    ProviderExcluded,
    SignerMismatch,
    StatementExpired,
    StatementRefused,
    UnknownAsk,
    UnknownJob,
    UnknownQuoteRequest,
)
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.job import JobState
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.quote_policy import terms_match_request
from computility.domain.statements import (
    Ask,
    AskWithdrawal,
    Challenge,
    Quote,
    QuoteRequest,
    Refusal,
    SignedStatement,
    StatementKind,
    Submission,
)
from computility.domain.terms import Terms
from computility.services.change_feed import ChangeFeed
from computility.services.exclusions import Exclusions
from computility.services.journal import Accepted, Journal
from computility.services.ledger import Ledger
from computility.services.statement_checks import (
    check_ask,
    check_challenge,
    check_near,
    check_quoted_terms,
    check_reading,
    check_request,
    check_time,
    check_units,
    demand_signer,
)
from computility.services.statement_door import StatementDoor
from computility.settings import NodeSettings
from computility.verification.challenge_seed import OPEN_WITHIN_S

_DAY_S: Final = 86_400
_LONGEST_ASK_S: Final = 366 * _DAY_S

QUOTE_REQUESTS: Final = "quote-requests"
"""Topic of the change feed: a request came in, or was answered."""


JOBS_TOPIC: Final = "jobs"
"""Topic of the change feed: some job's row changed."""


def job_topic(job: str) -> str:
    """Topic of the change feed: the job's row changed, or something was submitted or attested."""
    return f"job:{job.lower()}"


class OrderBook(StatementDoor):
    """Takes statements in. Every method answers with the journal's entry, and raises what the error tree says of statements.

    Raises (all methods):
        InvalidMessage: the envelope or the message does not fit.
        InvalidSignature: the signature is no signature.
        StatementRefused: signed, and still not acceptable; subclasses say why.
        NotFound: it is about something that the node does not know.
        Conflict: another statement came first.
        LimitReached: the signer has as many as one party may have.
    """

    def __init__(
        self,
        domain: Eip712Domain,
        journal: Journal,
        ledger: Ledger,
        members_of: Callable[[Address], tuple[Address, ...]],
        feed: ChangeFeed,
        settings: NodeSettings,
        clock: Callable[[], int],
        newest_block: Callable[[], int],
        exclusions: Exclusions,
        time_of_block: Callable[[int], int | None],
    ) -> None:
        super().__init__(domain, journal, ledger, members_of, feed, clock)
        self._settings = settings
        self._newest_block = newest_block
        self._exclusions = exclusions
        self._time_of_block = time_of_block

    def accept_ask(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in an ask: its provider is active, its resource and numbers make sense, and it is not over."""
        signed, ask = self._read(StatementKind.ASK, Ask, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            check_ask(ask)
            check_time("validUntil", ask.valid_until, now, _LONGEST_ASK_S)
            self._demand_admitted(ask.provider, now)
            open_asks = self._journal.count_open_asks(ask.provider, now)
            if open_asks >= self._settings.max_open_asks:
                raise LimitReached(f"{ask.provider} has {open_asks} open asks, which is the limit: withdraw one first")
            return self._add(signed, now, [])

    def accept_withdrawal(self, ask_id: str, envelope: Mapping[str, Any]) -> Accepted:
        """Take back the ask ``ask_id``."""
        signed, withdrawal = self._read(StatementKind.ASK_WITHDRAWAL, AskWithdrawal, envelope)
        if withdrawal.ask != ask_id.lower():
            raise InvalidMessage(f"the withdrawal is of ask {withdrawal.ask}, not of {ask_id}: post it to its own path")
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            ask = self._ask(withdrawal.ask)
            demand_signer(signed, ask.provider, "the provider behind the ask")
            check_near("at", withdrawal.at, now)
            if self._journal.withdrawn([withdrawal.ask]):
                raise Conflict("the ask was withdrawn before; there is nothing left to do")
            return self._add(signed, now, [])

    def accept_quote_request(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in a request for an open ask, within what that ask offers."""
        signed, request = self._read(StatementKind.QUOTE_REQUEST, QuoteRequest, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            ask = self._ask(request.ask)
            if ask.valid_until <= now or self._journal.withdrawn([request.ask]):
                raise UnknownAsk(f"ask {request.ask} is no longer open: look at the market for another")
            check_request(request, ask, now)
            self._demand_admitted(ask.provider, now)
            pending = self._journal.count_pending_requests(now, buyer=request.buyer)
            if pending >= self._settings.max_pending_requests:
                raise LimitReached(
                    f"{request.buyer} has {pending} unanswered requests, which is the limit: wait for one"
                )
            queued = self._journal.count_pending_requests(now, provider=ask.provider)
            if queued >= self._settings.max_queued_requests:
                raise LimitReached(f"{ask.provider} has {queued} requests to answer, which is the limit: ask another")
            return self._add(signed, now, [QUOTE_REQUESTS], provider=ask.provider)

    def accept_quote(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in the terms that the provider signed in answer to a request, equal to it in every field."""
        signed, quote = self._read(StatementKind.QUOTE, Quote, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            request, ask = self._open_request(quote.request, now)
            demand_signer(signed, ask.provider, "the provider behind the ask")
            terms_match_request(quote.terms, request, ask)
            check_quoted_terms(quote.terms, now)
            return self._add(signed, now, [QUOTE_REQUESTS], provider=ask.provider)

    def accept_refusal(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in the provider's no to a request."""
        signed, refusal = self._read(StatementKind.REFUSAL, Refusal, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            _, ask = self._open_request(refusal.request, now)
            demand_signer(signed, ask.provider, "the provider behind the ask")
            check_near("at", refusal.at, now)
            return self._add(signed, now, [QUOTE_REQUESTS], provider=ask.provider)

    def accept_submission(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in the provider's commitment to a result. It is the only one: a second could be drawn anew until no check meets it, or be copied
        from the evidence of whoever checked the first."""
        signed, submission = self._read(StatementKind.SUBMISSION, Submission, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            terms = self._live_terms(submission.job)
            demand_signer(signed, terms.provider, "the job's provider")
            check_units(submission.units, terms)
            check_near("submittedAt", submission.submitted_at, now)
            if self._journal.submissions(submission.job):
                raise Conflict("a result of this job was submitted before, and the first stands")
            return self._add(signed, now, [job_topic(submission.job)], provider=terms.provider)

    def accept_attestation(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in what the job's verifier, or a member of the committee that is its verifier, found."""
        signed, attestation = self._read(StatementKind.ATTESTATION, Attestation, envelope)
        with self._door:
            if known := self._journal.find(signed.id, signed.signer):
                return known
            now = self._clock()
            terms = self._live_terms(attestation.job)
            self._demand_verifier(signed, terms.verifier)
            check_units(attestation.units, terms)
            before = self._journal.count_attestations(attestation.job, signed.signer)
            if self._co_signs(attestation):
                # One for each reading, and those are bounded by the units of the job.
                before = 0
            if before >= self._settings.max_attestations_per_signer:
                raise LimitReached(f"{signed.signer} attested {before} times to this job, which is the limit")
            return self._add(signed, now, [job_topic(attestation.job)])

    def accept_challenge(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in how the job's verifier, or a member of the committee that is its verifier, draws what it checks: once as a promise, once opened."""
        signed, challenge = self._read(StatementKind.CHALLENGE, Challenge, envelope)
        with self._door:
            if known := self._journal.find(signed.id, signed.signer):
                return known
            now = self._clock()
            terms = self._live_terms(challenge.job)
            self._demand_verifier(signed, terms.verifier)
            if all(other.attempt != challenge.attempt for other in self._journal.submissions(challenge.job)):
                raise StatementRefused(f"attempt {challenge.attempt} is not submitted: nothing can be drawn of it yet")
            before = [
                entry.statement.message
                for entry in self._journal.about(StatementKind.CHALLENGE, challenge.job)
                if entry.statement.signer == signed.signer
            ]
            check_challenge(challenge, [made for made in before if isinstance(made, Challenge)])
            if not challenge.is_open and challenge.block <= (newest := self._newest_block()):
                raise StatementRefused(
                    f"a challenge names a block to come, and {challenge.block} is none: the newest is {newest}"
                )
            if challenge.is_open and (at := self._time_of_block(challenge.block)) is not None:
                late_s = max(now, self._time_of_block(self._newest_block()) or now) - at
                if late_s >= OPEN_WITHIN_S:
                    raise StatementRefused(
                        f"a challenge is opened within {OPEN_WITHIN_S} s of its block, and {late_s} s are over: everything is looked at now"
                    )
            return self._add(signed, now, [job_topic(challenge.job)])

    def accept_reading(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in a reading of the meter of a lease, which follows the one before it."""
        signed, reading = self._read(StatementKind.METER_READING, MeterReading, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            terms = self._live_terms(reading.job)
            demand_signer(signed, terms.provider, "the job's provider")
            check_units(reading.units, terms)
            check_near("atMs / 1000", reading.at_ms // 1000, now)
            before = self._journal.last_about(StatementKind.METER_READING, reading.job)
            check_reading(reading, before.statement if before else None)
            return self._add(signed, now, [job_topic(reading.job)], provider=terms.provider)

    def accept_contest(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in the buyer's no to a reading."""
        signed, contest = self._read(StatementKind.METER_CONTEST, MeterContest, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            terms = self._live_terms(contest.job)
            demand_signer(signed, terms.verifier, "who verifies the lease")
            check_near("at", contest.at, now)
            reading = self._journal.find(contest.reading)
            if reading is None or not _is_reading_of(reading.entry.statement, contest.job):
                raise StatementRefused(f"{contest.reading} is no reading of job {contest.job}")
            return self._add(signed, now, [job_topic(contest.job)], provider=terms.provider)

    def _co_signs(self, attestation: Attestation) -> bool:
        """Whether an attestation is a co-signature of a reading that is in the journal."""
        if attestation.is_final or attestation.meter_root == ZERO_BYTES32:
            return False
        reading = self._journal.find(attestation.meter_root)
        return reading is not None and _is_reading_of(reading.entry.statement, attestation.job)

    def _add(
        self, signed: SignedStatement, now: int, topics: Iterable[str], provider: Address | None = None
    ) -> Accepted:
        accepted = self._journal.add(signed, now, provider=provider)
        self._feed.publish(topics)
        return accepted

    def _ask(self, ask_id: Bytes32) -> Ask:
        ask = self._journal.ask(ask_id)
        if ask is None:
            raise UnknownAsk(f"no ask {ask_id} was published here: look at the market for the open ones")
        return ask

    def _open_request(self, request_id: Bytes32, now: int) -> tuple[QuoteRequest, Ask]:
        request = self._journal.quote_request(request_id)
        if request is None:
            raise UnknownQuoteRequest(f"no quote request {request_id} was published here")
        if self._journal.answer_to(request_id):
            raise Conflict("the request was answered before, and the first answer stands")
        if request.valid_until <= now:
            raise StatementExpired(f"the request expired at {request.valid_until}; it is {now} on the chain")
        return request, self._ask(request.ask)

    def _demand_admitted(self, provider: Address, now: int) -> None:
        self._demand_active(provider)
        if (excluded := self._exclusions.of(provider, now)) is not None:
            job, until = excluded
            raise ProviderExcluded(
                f"job {job} of {provider} failed, and that stood: this node takes its asks again from {until} (UTC seconds) on"
            )

    def _live_terms(self, job: Bytes32) -> Terms:
        found = self._ledger.job(job)
        if found is None or found.record.terms is None:
            raise UnknownJob(
                f"no job {job} is open on this chain, as far as the node has read it: try again after a block"
            )
        if found.record.state is JobState.CLOSED:
            raise StatementRefused(f"job {job} is closed; nothing can be said of it any more")
        return found.record.terms

    def _demand_verifier(self, signed: SignedStatement, verifier: Address) -> None:
        members = self._members_of(verifier)
        if signed.signer != verifier and signed.signer not in members:
            wanted = f"a member of the committee {verifier}" if members else f"the job's verifier {verifier}"
            raise SignerMismatch(
                f"signed by {signed.signer}, and only {wanted} may attest: sign exactly this message, on chain "
                f"eip155:{self._domain.chain_number}, with that key"
            )


def _is_reading_of(statement: SignedStatement, job: Bytes32) -> bool:
    return isinstance(statement.message, MeterReading) and statement.message.job == job
