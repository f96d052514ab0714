"""The documents that the escrow knows, as they travel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from computility.api.schemas.wire import Address, Amount, Bps, Bytes32, Message, Nonce, Time, Units, Window


class TermsMessage(Message):
    """One trade. Its EIP-712 digest is the job's id."""

    buyer: Address
    payer: Address
    provider: Address
    verifier: Address
    arbiter: Address
    guard: Address
    order: Bytes32
    resource: Annotated[Bytes32, Field(description="keccak-256 of the resource's canonical URN.")]
    spec: Annotated[Bytes32, Field(description="SHA-256 of the canonical job specification: the digest in its CID.")]
    sla: Bytes32
    unit_price: Amount
    min_units: Units
    max_units: Units
    bond: Amount
    verifier_fee: Amount
    arbiter_fee: Amount
    open_by: Time
    end: Time
    pass_window: Window
    dispute_window: Window
    ruling_window: Window
    max_fee_bps: Bps
    nonce: Nonce


class AttestationMessage(Message):
    """What a verifier says of a job."""

    job: Bytes32
    verdict: Annotated[int, Field(ge=0, le=2, description="0 no fault, 1 pass, 2 fail.", examples=[1])]
    result: Bytes32
    units: Units
    is_final: Annotated[bool, Field(examples=[True])]
    quality_bps: Bps
    meter_root: Bytes32
    evidence: Bytes32
