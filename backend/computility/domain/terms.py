"""``Terms``: one trade, signed by buyer, payer and provider; its digest is the job's id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from computility.domain.eip712 import Eip712Domain, Message, StructType
from computility.domain.identifiers import Address, Bytes32, JobId
from computility.domain.units import Credits, checked_credits


@dataclass(frozen=True)
class Terms(Message):
    """As ``contracts/types/Terms.sol``, which says what each field means.

    Amounts are atoms of credit, times UTC seconds, windows seconds, shares basis points.
    """

    STRUCT: ClassVar[StructType] = StructType(
        "Terms(address buyer,address payer,address provider,address verifier,address arbiter,address guard,bytes32 order,bytes32 resource,"
        "bytes32 spec,bytes32 sla,uint104 unitPrice,uint64 minUnits,uint64 maxUnits,uint104 bond,uint104 verifierFee,uint104 arbiterFee,"
        "uint40 openBy,uint40 end,uint32 passWindow,uint32 disputeWindow,uint32 rulingWindow,uint16 maxFeeBps,uint48 nonce)"
    )

    buyer: Address
    payer: Address
    provider: Address
    verifier: Address
    arbiter: Address
    guard: Address
    order: Bytes32
    resource: Bytes32
    spec: Bytes32
    sla: Bytes32
    unit_price: int
    min_units: int
    max_units: int
    bond: int
    verifier_fee: int
    arbiter_fee: int
    open_by: int
    end: int
    pass_window: int
    dispute_window: int
    ruling_window: int
    max_fee_bps: int
    nonce: int

    def job_id(self, domain: Eip712Domain) -> JobId:
        """The job's id on this chain and escrow."""
        return JobId(self.digest(domain))

    @property
    def escrow(self) -> Credits:
        """What the payer escrows: unitPrice · maxUnits + verifierFee + arbiterFee."""
        return checked_credits(self.unit_price * self.max_units + self.verifier_fee + self.arbiter_fee)

    @property
    def own(self) -> bool:
        """The verifier is the buyer or the payer itself."""
        return self.verifier in (self.buyer, self.payer)
