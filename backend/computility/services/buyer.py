"""A buyer's side of a trade: pick an ask, get a quote, check it, open the job, follow it, fetch what it produced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from computility.chain.transaction_sender import Receipt
from computility.domain.content_id import content_id_of_digest
from computility.domain.environment_class import parse_environment_class
from computility.domain.errors import (
    ChainUnavailable,
    ContentMismatch,
    ContentNotFound,
    NodeRefused,
    NodeUnavailable,
    QuoteRefused,
    StatementExpired,
    TermsMismatch,
    UnknownAsk,
    UnknownJob,
)
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32, parse_bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.job_specification import JobSpecification, Limits
from computility.domain.manifest import OutputManifest, parse_manifest
from computility.domain.quote_policy import terms_match_request
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import Ask, Quote, QuoteRequest, SignedStatement, read_statement
from computility.domain.task_specification import TaskSpecification
from computility.domain.terms import Terms
from computility.domain.units import FULL_BPS
from computility.execution.executor import AttemptId
from computility.execution.reader_key import ReaderKey, open_outputs, seal_specification
from computility.services.arbiter_seat import ArbiterSeat
from computility.services.held_outputs import withheld_outputs
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.node_client import NodeClient
from computility.services.program import Program, specification_of
from computility.services.trading_account import TradingAccount
from computility.services.unshown_outputs import ClaimContester

_REQUEST_VALID_S = 300
_POLL_S = 0.3


@dataclass(frozen=True)
class Offer:
    """An open ask with what the market says of its provider. ``id`` is the statement's digest."""

    id: Bytes32
    ask: Ask
    score_bps: int | None
    capacity_left: int

    @property
    def effective_price(self) -> Fraction:
        """Atoms for a unit that passes, on average: the price over the share of good work to expect. A newcomer's share is one half."""
        return Fraction(self.ask.unit_price * FULL_BPS, self.score_bps or FULL_BPS // 2)

    def usual_verifier(self, committee: Address | None) -> Address | None:
        """Who checks where the buyer names nobody: the node's committee, or if the ask accepts others alone, the first of them."""
        accepted = self.ask.verifiers
        return committee if committee in accepted or not accepted else accepted[0]


@dataclass(frozen=True)
class SignedTerms:
    """Terms that the provider signed."""

    terms: Terms
    signature: str
    job: Bytes32


class Buyer:
    """A buyer that pays from its own wallet."""

    def __init__(self, account: TradingAccount, node: NodeClient, confirmations: int = 0) -> None:
        self._account = account
        self._node = node
        self._watch = JobWatch(account, node, confirmations)
        self._claims = ClaimContester(account, node, self._watch)
        self._last_nonce = 0

    # ---------------------------------------------------------------- before the trade

    def offers(self, environment: str | None = None, units: int = 0, kind: str | None = None) -> list[Offer]:
        """Open asks that could take a job of ``units`` and of a ``kind`` now, the best first: the lowest price for a unit that is likely to pass."""
        offers = [self._offer(row) for row in self._node.asks()]
        fitting = [
            offer
            for offer in offers
            if offer.capacity_left > 0
            and (environment is None or offer.ask.environment == environment)
            and (kind is None or parse_environment_class(offer.ask.environment).kind == kind)
            and offer.ask.min_units <= (units or offer.ask.min_units) <= offer.ask.max_units
            and offer.ask.provider != self._account.address
        ]
        return sorted(fitting, key=lambda offer: (offer.effective_price, offer.id))

    def offer(self, ask: Bytes32) -> Offer:
        """One ask by its id.

        Raises:
            UnknownAsk: no such ask, or it is no longer open.
        """
        try:
            row = self._node.ask(ask)
        except NodeRefused as error:
            if error.problem_code == UnknownAsk.code:
                raise UnknownAsk(str(error)) from error
            raise
        if row["status"] != "open":
            raise UnknownAsk(
                f"the ask {ask} is {row['status']}: look at the market for another (`computility ask list`)"
            )
        return self._offer(row)

    def upload(self, program: Program, environment: str, limits: Limits, seed: str, clock_s: int) -> JobSpecification:
        """Upload a program, its inputs and its specification."""
        specification = specification_of(program, environment, limits, seed, clock_s)
        for data in (program.module, *(program.inputs or {}).values(), specification.to_bytes()):
            self._node.put_content(data)
        return specification

    def upload_sealed(
        self, program: Program, environment: str, limits: Limits, seed: str, clock_s: int, readers: Sequence[str]
    ) -> TaskSpecification:
        """Upload a program, and its inputs and specification sealed to this buyer and to ``readers``, by their public reader keys.

        Raises:
            InvalidIdentifier: a reader key that is none.
        """
        first = specification_of(program, environment, limits, seed, clock_s)
        plain = TaskSpecification(
            "wasm", environment, first.artifacts, first.arguments, first.inputs, limits, clock_s, seed
        )
        return self.upload_task(plain, [program.module], program.inputs or {}, readers)

    def upload_task(
        self,
        plain: TaskSpecification,
        artifacts: Sequence[bytes],
        inputs: Mapping[str, bytes],
        readers: Sequence[str] = (),
    ) -> TaskSpecification:
        """Upload the files of a job and its specification. With ``readers``, by their public reader keys, inputs are sealed to this buyer and them.

        Raises:
            InvalidIdentifier: a reader key that is none.
        """
        specification, files = plain, inputs
        if readers:
            specification, files = seal_specification(plain, inputs, [self._account.reader_key().public, *readers])
        for data in (*artifacts, *files.values(), specification.to_bytes()):
            self._node.put_content(data)
        return specification

    def request_quote(
        self,
        offer: Offer,
        specification: Specification,
        *,
        verifier: Address,
        verifier_fee: int = 0,
        arbiter: Address = ZERO_ADDRESS,
        arbiter_fee: int = 0,
        end: int = 0,
        max_units: int = 0,
        timeout_s: float = 60.0,
    ) -> SignedTerms:
        """Ask for signed terms and check them.

        Raises:
            QuoteRefused: the provider declines; the message has its reason.
            StatementExpired: it did not answer in time.
            TermsMismatch: it signed something else than was asked for.
        """
        request = QuoteRequest(
            buyer=self._account.address,
            payer=self._account.address,
            ask=offer.id,
            spec=specification.digest,
            max_units=max_units or specification.max_units,
            verifier=verifier,
            arbiter=arbiter,
            verifier_fee=verifier_fee,
            arbiter_fee=arbiter_fee,
            end=end,
            valid_until=self._account.chain_time() + _REQUEST_VALID_S,
            nonce=self._next_nonce(),
        )
        signed = self._account.sign(request)
        self._node.publish(signed)
        row = self._answer(signed.id, timeout_s)
        if row["status"] == "refused":
            message = row["refusal"]["message"]
            raise QuoteRefused(f"the provider declines ({message['reason']}): {message['detail']}", message["reason"])
        return self._checked(read_statement(row["quote"], self._account.ledger.domain), signed.id, request, offer)

    def _answer(self, request: Bytes32, timeout_s: float) -> dict[str, Any]:
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            try:
                row = self._node.quote_request(request, wait_s=min(10, max(1, int(give_up - time.monotonic()))))
            except NodeUnavailable:
                # The request is in the node's journal; the answer is there when the node is back.
                time.sleep(_POLL_S)
                continue
            if row["status"] in ("quoted", "refused"):
                return row
        raise StatementExpired(f"the provider did not answer within {timeout_s:g} s: choose another ask, or try later")

    def _checked(
        self, quoted: SignedStatement, request_id: Bytes32, request: QuoteRequest, offer: Offer
    ) -> SignedTerms:
        quote = quoted.message
        if not isinstance(quote, Quote) or quote.request != request_id or quoted.signer != offer.ask.provider:
            raise TermsMismatch("the answer is no quote of this provider for this request: do not open it")
        terms = quote.terms
        terms_match_request(terms, request, offer.ask)
        now = self._account.chain_time()
        if terms.open_by <= now:
            raise StatementExpired(
                f"the quote could be opened until {terms.open_by}, and it is {now} on the chain: ask again"
            )
        # What neither request nor ask settles has to be harmless to the buyer.
        highest_fee = int(self._account.escrow.read("MAX_FEE_BPS"))
        if terms.pass_window != 0 or terms.max_fee_bps > highest_fee:
            raise TermsMismatch("the terms hold a pass window or a fee that was not asked for: do not open them")
        if terms.arbiter == self._account.ledger.contracts.get("Arbitration"):
            panel = ArbiterSeat(self._account)
            if terms.ruling_window < panel.time_needed() or terms.arbiter_fee < panel.cost():
                raise TermsMismatch(
                    f"the panel {terms.arbiter} rules in {panel.time_needed()} s or more and for {panel.cost()} atoms or more, and the terms give it "
                    f"{terms.ruling_window} s and {terms.arbiter_fee} atoms: ask again with its fee, or with another arbiter"
                )
        return SignedTerms(terms, quoted.signature, quoted.id)

    # ---------------------------------------------------------------- the trade

    def open(self, signed: SignedTerms) -> Receipt:
        """Escrow the payment from the wallet, with a permit, in one transaction."""
        return self._account.open_from_wallet(signed.terms, signed.signature)

    def follow(
        self, job: Bytes32, timeout_s: float, sent: Callable[[Receipt], None] = lambda _: None
    ) -> Iterator[WatchedJob]:
        """The job after each change, until it is closed. Ends it where its time is over and nobody else did, and contests a claim whose outputs are
        not there.

        Raises:
            StatementExpired: it is not closed after ``timeout_s`` seconds.
        """
        give_up = time.monotonic() + timeout_s
        last = None
        while time.monotonic() < give_up:
            watched = self._watched(job)
            if watched is not None and watched.chain != last:
                last = watched.chain
                yield watched
                if watched.chain.state is JobState.CLOSED:
                    return
            if watched is not None and (receipt := self._end(watched)) is not None:
                sent(receipt)
            time.sleep(_POLL_S)
        raise StatementExpired(
            f"job {job} is not closed after {timeout_s:g} s: look at it again with `computility job show {job}`"
        )

    def closed_row(self, job: Bytes32, timeout_s: float = 20.0) -> dict[str, Any]:
        """The node's row of a job that the chain has closed, once the node has read as far.

        Raises:
            NodeUnavailable: it has not after ``timeout_s`` seconds.
        """
        give_up = time.monotonic() + timeout_s
        while True:
            row = self._node.job(job)
            if row["state"] == "closed":
                return row
            if time.monotonic() > give_up:
                raise NodeUnavailable(
                    f"the node {self._node.url} is behind the chain: look at its health, then at the job again"
                )
            time.sleep(_POLL_S)

    def _watched(self, job: Bytes32) -> WatchedJob | None:
        try:
            return self._watch.one(job)
        except (NodeUnavailable, ChainUnavailable):
            # Whatever is down just now, the money is in the escrow: look again.
            return None
        except NodeRefused as error:
            if error.problem_code == UnknownJob.code:
                # Opened, and not folded yet.
                return None
            raise

    def _end(self, job: WatchedJob) -> Receipt | None:
        """What a buyer may end by itself. A claim that shows its outputs and a pass are the provider's to collect; it has every reason to."""
        if job.chain.state is JobState.OPEN and job.now > job.terms.end:
            return self._account.reclaim(job.terms)
        over = job.now > job.chain.deadline
        if job.chain.state is JobState.DISPUTED and over:
            return self._account.finalize(job.terms)
        if job.chain.state is JobState.PENDING and over and job.chain.outcome in (Outcome.FAIL, Outcome.NO_FAULT):
            return self._account.finalize(job.terms)
        try:
            return self._claims.contest(job)
        except (NodeUnavailable, NodeRefused):
            # What cannot be asked just now is not missing.
            return None

    # ---------------------------------------------------------------- after the trade

    def outputs(self, result: Bytes32) -> tuple[OutputManifest, dict[str, bytes]]:
        """The manifest that a result names, and its files, each checked against its hash. What a policy leaves with the provider may be absent.

        Raises:
            ContentNotFound: the node does not hold them.
            ContentMismatch: they are not what the manifest says.
        """
        manifest = parse_manifest(self._node.get_content(content_id_of_digest(result)))
        files = {}
        for file in manifest.files:
            try:
                files[file.path] = self._node.get_content(file.cid)
            except ContentNotFound:
                if file.path not in self._withheld(manifest):
                    raise
                continue
            if len(files[file.path]) != file.size:
                raise ContentMismatch(
                    f"{file.path} has {len(files[file.path])} bytes, and the manifest says {file.size}"
                )
        return manifest, files

    def _withheld(self, manifest: OutputManifest) -> set[str]:
        """Outputs that the policy of the job leaves with the provider."""
        specification = parse_specification(self._node.get_content(content_id_of_digest(manifest.spec)))
        return withheld_outputs(specification, manifest)

    def opened(self, job: Bytes32, specification: Specification, outputs: dict[str, bytes]) -> dict[str, bytes]:
        """The outputs of a job as its program wrote them. Raises as ``open_job_outputs``."""
        return open_job_outputs(self._node, job, specification, outputs, self._account.reader_key())

    def _offer(self, row: Mapping[str, Any]) -> Offer:
        signed = read_statement(row["ask"], self._account.ledger.domain)
        assert isinstance(signed.message, Ask)
        return Offer(parse_bytes32(signed.id), signed.message, row["provider_score_bps"], int(row["capacity_left"]))

    def _next_nonce(self) -> int:
        self._last_nonce = max(self._last_nonce + 1, time.time_ns() // 1_000_000)
        return self._last_nonce


def open_job_outputs(
    node: NodeClient, job: Bytes32, specification: Specification, outputs: dict[str, bytes], reader: ReaderKey
) -> dict[str, bytes]:
    """Outputs as the program wrote them, whether they are sealed or not.

    Raises:
        NotAReader: they are sealed to others.
        ContentMismatch: they are not of an attempt that the provider submitted.
    """
    if not isinstance(specification, TaskSpecification) or specification.sealing is None:
        return outputs
    attempts = {int(row["message"]["attempt"]) for row in node.submissions(job)} or {1}
    refusal: ContentMismatch | None = None
    for attempt in sorted(attempts, reverse=True):
        try:
            return open_outputs(specification, AttemptId(job, attempt), outputs, reader)
        except ContentMismatch as error:
            refusal = error
    assert refusal is not None
    raise refusal


def write_outputs(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write output files below a folder; their paths were checked with the manifest."""
    written = []
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
    return written
