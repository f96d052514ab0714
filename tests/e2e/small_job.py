"""The demo's program on a scene that takes a moment, and trades of it as the demo's buyer."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from computility.chain.transaction_sender import Receipt
from computility.cli.demo.stage import CREDIT, Stage
from computility.domain.identifiers import Address, Bytes32, parse_bytes32
from computility.domain.job_specification import JobSpecification, Limits
from computility.services.buyer import Buyer, Offer, SignedTerms
from computility.services.program import Program

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "path_tracer"
MIB = 1024 * 1024
LIMITS = Limits(fuel=2_000_000_000, memory_bytes=64 * MIB, output_bytes=8 * MIB, output_files=16)


def small_program() -> Program:
    """The path tracer with a scene of a few pixels."""
    scene = (EXAMPLE / "scenes" / "demo.scene").read_text()
    scene = re.sub(
        r"^size .*$", "size 48 30", re.sub(r"^samples .*$", "samples 1", scene, flags=re.MULTILINE), flags=re.MULTILINE
    )
    module = (EXAMPLE / "path_tracer.wasm").read_bytes()
    return Program("path_tracer.wasm", module, ["demo.scene"], {"demo.scene": scene.encode()})


@dataclass
class SmallTrade:
    """The demo's buyer and its dealings."""

    stage: Stage

    def __post_init__(self) -> None:
        self.account = self.stage.accounts["buyer"]
        self.buyer = Buyer(self.account, self.stage.node)
        # A job with a panel behind it takes a little more than 20; tests before this one left what they left.
        if self.account.wallet_credits() < 30 * CREDIT:
            self.account.swap_reserve(50 * CREDIT)

    def offer(self, provider: str = "provider-aurora") -> Offer:
        """A provider's ask."""
        return self.buyer.offer(parse_bytes32(self.stage.asks[provider]))

    def upload(self, offer: Offer, program: Program | None = None, limits: Limits = LIMITS) -> JobSpecification:
        """A program's specification, uploaded."""
        seed, now = "0x" + secrets.token_hex(32), self.account.chain_time()
        return self.buyer.upload(program or small_program(), offer.ask.environment, limits, seed, now)

    def quote(
        self,
        provider: str = "provider-aurora",
        program: Program | None = None,
        limits: Limits = LIMITS,
        verifier: Address | None = None,
        end_in_s: int = 0,
    ) -> SignedTerms:
        """Terms that a provider signed."""
        offer = self.offer(provider)
        specification = self.upload(offer, program, limits)
        end = self.account.chain_time() + end_in_s if end_in_s else 0
        return self.buyer.request_quote(offer, specification, verifier=verifier or self.stage.committee, end=end)

    def open(self, quoted: SignedTerms) -> Receipt:
        """Open a job."""
        return self.buyer.open(quoted)

    def settle(self, job: Bytes32, timeout_s: float = 60.0) -> None:
        """Follow a job to its close, and the node to the same."""
        for _ in self.buyer.follow(job, timeout_s):
            pass
        self.buyer.closed_row(job)
