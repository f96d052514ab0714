"""A job in parts, split over all providers that offer it: opened together, and a part that comes to nothing is bought again elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from computility.domain.errors import ComputilityError, QuoteRefused, StatementExpired, UnknownAsk
from computility.domain.identifiers import Address, Bytes32, parse_bytes32
from computility.domain.job_specification import Limits
from computility.services.buyer import Buyer, Offer, SignedTerms
from computility.services.program import Program
from computility.services.trading_account import TradingAccount

_ROUNDS: Final = 4
"""How often a part is bought at most."""


@dataclass
class Part:
    """One part, and what became of it. ``providers`` are all that were asked to run it, the last one last."""

    number: int
    program: Program
    providers: list[Address] = field(default_factory=list)
    job: Bytes32 | None = None
    row: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, bytes] = field(default_factory=dict)
    trouble: str = ""

    @property
    def done(self) -> bool:
        """Whether its outputs are there."""
        return bool(self.outputs)


class Sweep:
    """WebAssembly in parts, each verified as any job. ``say`` is told what happens."""

    def __init__(
        self,
        account: TradingAccount,
        buyer: Buyer,
        programs: Sequence[Program],
        limits: Limits,
        verifier: Address,
        verifier_fee: int,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._account = account
        self._buyer = buyer
        self._limits = limits
        self._verifier = verifier
        self._verifier_fee = verifier_fee
        self._say = say
        self.parts = [Part(number, program) for number, program in enumerate(programs)]

    def run(self, seed: str, timeout_s: float) -> None:
        """Buy until every part is there, or has been tried four times; ``parts`` tell.

        Raises:
            UnknownAsk: nobody offers a part.
            ChainError: nothing could be opened, for lack of credits, say.
        """
        for _ in range(_ROUNDS):
            waiting = [part for part in self.parts if not part.done]
            if not waiting:
                return
            opened = self._open(self._quoted(waiting, seed))
            for part in opened:
                self._collect(part, timeout_s)

    def _quoted(self, parts: Sequence[Part], seed: str) -> list[tuple[Part, SignedTerms]]:
        quoted = []
        units = -(-self._limits.fuel // 1_000_000)
        offers = self._buyer.offers(units=units, kind="wasm")
        if not offers:
            raise UnknownAsk(
                f"nobody offers {units} units of wasm now: allow less fuel, or look at `computility ask list`"
            )
        given: Counter[Address] = Counter()
        for part in parts:
            failed = set(part.providers)
            # Whoever has the least of it to do; one that failed this part comes last.
            for offer in sorted(offers, key=lambda offer: (offer.ask.provider in failed, given[offer.ask.provider])):
                if given[offer.ask.provider] >= offer.capacity_left:
                    continue
                try:
                    terms = self._ask(part, offer, seed)
                except (QuoteRefused, StatementExpired) as refusal:
                    part.trouble = str(refusal)
                    continue
                given[offer.ask.provider] += 1
                part.providers.append(offer.ask.provider)
                quoted.append((part, terms))
                self._say(
                    f"part {part.number}: {offer.ask.provider} will run it for at most {terms.terms.max_units} units"
                )
                break
        return quoted

    def _ask(self, part: Part, offer: Offer, seed: str) -> SignedTerms:
        clock_s = self._account.chain_time()
        specification = self._buyer.upload(part.program, offer.ask.environment, self._limits, seed, clock_s)
        return self._buyer.request_quote(offer, specification, verifier=self._verifier, verifier_fee=self._verifier_fee)

    def _open(self, quoted: Sequence[tuple[Part, SignedTerms]]) -> list[Part]:
        if not quoted:
            return []
        self._say(f"opening {len(quoted)} jobs with one transaction")
        _, skipped = self._account.open_many_from_wallet([(signed.terms, signed.signature) for _, signed in quoted])
        opened = []
        for part, signed in quoted:
            if refusal := skipped.get(signed.job):
                part.trouble = str(refusal)
                continue
            part.job = signed.job
            opened.append(part)
        return opened

    def _collect(self, part: Part, timeout_s: float) -> None:
        assert part.job is not None
        try:
            for _ in self._buyer.follow(part.job, timeout_s):
                pass
            part.row = self._buyer.closed_row(part.job)
            if part.row["outcome"] in ("pass", "claim") and part.row["units"] != "0":
                _, part.outputs = self._buyer.outputs(parse_bytes32(part.row["result"]))
        except ComputilityError as error:
            part.trouble = str(error)
        if part.done:
            part.trouble = ""
            self._say(f"part {part.number}: done, {part.row['units']} units")
        else:
            part.trouble = part.trouble or f"ended as {part.row['outcome']}"
            self._say(f"part {part.number}: {part.trouble}: it is bought again")
