"""The three trades of the demo: a good one, one with a wrong result, one that no verifier answers."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from computility.chain.transaction_sender import Receipt
from computility.cli.demo.cast import PROVIDERS
from computility.cli.demo.processes import DemoProcessEnded
from computility.cli.demo.stage import CREDIT, DISPUTE_WINDOW_S, Stage
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.job import JobState
from computility.domain.job_specification import JobSpecification, Limits
from computility.domain.units import format_credits
from computility.services.buyer import Buyer, Offer
from computility.services.job_watch import WatchedJob
from computility.services.program import Program

Say = Callable[[str], None]

_MIB: Final = 1024 * 1024
_FUEL: Final = 12_000_000_000
_VERIFIER_FEE: Final = CREDIT // 10
_FOLLOW_S: Final = 150.0


@dataclass
class Trade:
    """One trade as it goes. Times are seconds on this machine's clock."""

    title: str
    provider: str
    say: Say
    job: Bytes32 | None = None
    opened_at: float = 0.0
    settled_s: float = 0.0
    receipts: list[Receipt] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, bytes] = field(default_factory=dict)


class Trades:
    """The buyer's part; everybody else is another process."""

    def __init__(self, stage: Stage, program: Program, sketch: Program, say: Say) -> None:
        """``program`` is what the good trade runs, ``sketch`` what the others do."""
        self._stage = stage
        self._program = program
        self._sketch = sketch
        self._say = say
        self._account = stage.accounts["buyer"]
        self._buyer = Buyer(self._account, stage.node)
        self._opening = threading.Lock()
        self.swap: list[Receipt] = []

    def perform(self) -> dict[str, Any]:
        """All three trades, the claim, and the audit, as one report."""
        before = self._scores()
        self._say("buyer: swapping 50 reserve tokens for 50 compute credits")
        self.swap = self._account.swap_reserve(50 * CREDIT)
        good = Trade("good", "provider-aurora", self._prefixed("good trade"))
        wrong = Trade("wrong-result", "provider-borealis", self._prefixed("wrong result"))
        unanswered = Trade("no-verifier", "provider-aurora", self._prefixed("no verifier"))
        opened = threading.Event()
        with ThreadPoolExecutor(3, thread_name_prefix="trade") as pool:
            running = [
                pool.submit(self._trade, good, self._best_offer, opened),
                pool.submit(self._trade_after, opened, wrong),
                pool.submit(self._trade_after, opened, unanswered),
            ]
            self._watch(running)
        claim = self._claim(good)
        trades = [good, wrong, unanswered]
        self._say("auditor: replaying every event from the chain")
        audit = self._stage.node.audit()
        return {
            "chain_id": self._stage.deployments.chain_id,
            "addresses": dict(self._stage.deployments.newest.contracts),
            "accounts": {name: player.address for name, player in self._stage.cast.items()},
            "swap": [self._transaction("swap", receipt) for receipt in self.swap],
            "trades": [self._report(trade) for trade in trades],
            "claim": claim,
            "scores": {"before": before, "after": self._scores()},
            "audit": audit,
            "store_matches_chain": audit["store_matches_chain"],
            "picture": max(good.outputs, key=lambda path: len(good.outputs[path])),
        }

    def save_pictures(self, folder: Path, report: dict[str, Any]) -> None:
        """Write what the trades delivered below ``folder``."""
        from computility.services.buyer import write_outputs

        for trade in report["trades"]:
            manifest = parse_bytes32(trade["result"]) if trade["result"] else None
            if manifest and trade["outcome"] in ("pass", "claim"):
                write_outputs(folder / trade["trade"], self._buyer.outputs(manifest)[1])

    def _watch(self, running: list[Future[None]]) -> None:
        while not all(future.done() for future in running):
            failed = next((f for f in running if f.done() and f.exception()), None)
            if failed is not None:
                break
            self._stage.processes.check()
            time.sleep(0.2)
        for future in running:
            if future.done():
                future.result()

    def _trade_after(self, opened: threading.Event, trade: Trade) -> None:
        if not opened.wait(_FOLLOW_S):
            raise DemoProcessEnded("the first trade was not opened")
        asleep = trade.title == "no-verifier"
        self._trade(
            trade, lambda: self._buyer.offer(parse_bytes32(self._stage.asks[trade.provider])), None, asleep=asleep
        )

    def _best_offer(self) -> Offer:
        offers = self._buyer.offers()
        names = {self._stage.cast[name].address: name for name in PROVIDERS}
        for offer in offers:
            price = format_credits(offer.ask.unit_price)
            self._say(f"buyer: {names.get(offer.ask.provider)} asks {price} credits for a million fuel")
        self._say(f"buyer: takes the better of {len(offers)} asks, {names.get(offers[0].ask.provider)}'s")
        return offers[0]

    def _trade(
        self, trade: Trade, pick: Callable[[], Offer], opened: threading.Event | None, *, asleep: bool = False
    ) -> None:
        offer = pick()
        specification = self._upload(offer, self._program if trade.title == "good" else self._sketch)
        verifier = self._stage.cast["verifier-asleep"].address if asleep else self._stage.committee
        trade.say("asking for a quote")
        quoted = self._buyer.request_quote(offer, specification, verifier=verifier, verifier_fee=_VERIFIER_FEE)
        trade.job = quoted.job
        escrow, bond = format_credits(quoted.terms.escrow), format_credits(quoted.terms.bond)
        trade.say(f"the provider signed; opening: {escrow} credits into escrow, a bond of {bond}")
        receipt = self._buyer.open(quoted)
        trade.opened_at = time.monotonic()
        trade.receipts.append(receipt)
        if opened is not None:
            opened.set()
        for job in self._buyer.follow(quoted.job, _FOLLOW_S, trade.receipts.append):
            self._tell(trade, job)
        trade.settled_s = time.monotonic() - trade.opened_at
        self._fetch(trade)

    def _upload(self, offer: Offer, program: Program) -> JobSpecification:
        limits = Limits(fuel=_FUEL, memory_bytes=64 * _MIB, output_bytes=8 * _MIB, output_files=16)
        return self._buyer.upload(
            program, offer.ask.environment, limits, "0x" + secrets.token_hex(32), self._account.chain_time()
        )

    def _tell(self, trade: Trade, job: WatchedJob) -> None:
        match job.chain.state:
            case JobState.OPEN:
                trade.say(f"open: {trade.provider} runs the job")
            case JobState.PENDING if job.chain.outcome == 3:
                trade.say(f"the verifiers say fail: it stands after {DISPUTE_WINDOW_S} s unless disputed")
            case JobState.PENDING:
                trade.say(
                    f"nobody verified, so the provider claims {job.chain.pending} units: {DISPUTE_WINDOW_S} s to dispute"
                )
            case JobState.CLOSED:
                trade.say("closed")

    def _fetch(self, trade: Trade) -> None:
        assert trade.job is not None
        trade.row = self._buyer.closed_row(trade.job)
        trade.events = self._stage.node.job_events(trade.job)
        paid, refund = (format_credits(int(trade.row[name])) for name in ("provider_paid", "refund"))
        trade.say(f"settled in {trade.settled_s:.1f} s: {paid} credits to the provider, {refund} back to the buyer")
        if trade.row["outcome"] in ("pass", "claim"):
            trade.outputs = self._buyer.outputs(parse_bytes32(trade.row["result"]))[1]

    def _claim(self, trade: Trade) -> dict[str, Any]:
        account = self._stage.accounts[trade.provider]
        reward = int(trade.row["provider_paid"])
        self._say(f"{trade.provider}: claims its reward of {format_credits(reward)} credits into its wallet")
        before = account.wallet_credits()
        receipt = account.withdraw(reward)
        return {
            "provider": account.address,
            "amount": str(reward),
            "wallet_before": str(before),
            "wallet_after": str(account.wallet_credits()),
            **self._transaction("withdraw", receipt),
        }

    def _report(self, trade: Trade) -> dict[str, Any]:
        row = trade.row
        own = {receipt.tx_hash for receipt in trade.receipts}
        by_transaction: dict[str, list[str]] = {}
        for event in trade.events:
            by_transaction.setdefault(event["tx_hash"], []).append(event["name"])
        amounts = (
            "escrow",
            "provider_paid",
            "fee",
            "refund",
            "verifier_paid",
            "bond_returned",
            "bond_to_buyer",
            "bond_to_treasury",
        )
        return {
            "trade": trade.title,
            "job": trade.job,
            "provider": row["terms"]["provider"],
            "state": row["state"],
            "outcome": row["outcome"],
            "closed_by": row["closed_by"],
            "result": row["result"],
            "units": row["units"],
            **{name: row[name] for name in amounts},
            "bond": row["terms"]["bond"],
            "transactions": [
                {"tx": tx, "events": names, "gas": self._gas(tx), "by_buyer": tx in own}
                for tx, names in by_transaction.items()
            ],
            "seconds_open_to_settled": round(trade.settled_s, 2),
        }

    def _transaction(self, action: str, receipt: Receipt) -> dict[str, Any]:
        return {"action": action, "tx": receipt.tx_hash, "gas": receipt.gas_used}

    def _gas(self, tx: str) -> int:
        return int(self._account.rpc.call("eth_getTransactionReceipt", tx)["gasUsed"], 16)

    def _scores(self) -> dict[str, Any]:
        scores = self._account.scores
        roles = {"buyer": 0, "provider-aurora": 1, "provider-borealis": 1}
        return {name: int(scores.read("scoreOf", self._stage.cast[name].address, role)) for name, role in roles.items()}

    def _prefixed(self, name: str) -> Say:
        return lambda line: self._say(f"{name}: {line}")
