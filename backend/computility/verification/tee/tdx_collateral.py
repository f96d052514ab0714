"""Intel's collateral for TDX: which versions of firmware, of the TDX module and of the quoting enclave are up to date, signed by Intel (Provisioning
Certification Service API, version 4: ``tdx/certification/v4/tcb`` and ``…/qe/identity``).

It is read from a file that whoever checks keeps up to date, a JSON object as tools around Intel's quote verification write it:

    {"tcb_info": "<the JSON that Intel signed, as text>", "tcb_info_signature": "<hex>", "tcb_info_issuer_chain": "<PEM>",
     "qe_identity": "…", "qe_identity_signature": "…", "qe_identity_issuer_chain": "…"}

What else is in it is not looked at. The signed JSON is kept as text, as the signature is over its very bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from computility.verification.tee.certificates import demand_signed, read_certificates, trusted_key
from computility.verification.tee.report_claims import ReportRefused, ReportUndecided
from computility.verification.tee.revocation import Lists

MAX_COLLATERAL_BYTES: Final = 1 << 20
COLLATERAL_UNFIT: Final = "collateral-unfit"
COLLATERAL_STALE: Final = "collateral-stale"
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True)
class SignedDocument:
    """JSON text, Intel's signature of it (r and s, 32 bytes each), and the certificates of the key."""

    text: str
    signature: bytes
    chain: tuple[x509.Certificate, ...]

    def verified(self, roots: Sequence[x509.Certificate], at_s: int, lists: Lists = ()) -> Mapping[str, Any]:
        """The document, signed by a root's key and in force at a time.

        Raises:
            ReportUndecided: it is not, which is the fault of whoever configured it.
        """
        try:
            key = trusted_key(self.chain, roots, at_s, lists)
            r, s = (int.from_bytes(half, "big") for half in (self.signature[:32], self.signature[32:]))
            demand_signed(key, r, s, self.text.encode(), hashes.SHA256())
        except ReportRefused as refused:
            raise ReportUndecided(COLLATERAL_UNFIT, f"the collateral does not hold: {refused}") from refused
        document = json.loads(self.text)
        try:
            begins, ends = (_time(document[name]) for name in ("issueDate", "nextUpdate"))
        except (KeyError, TypeError, ValueError) as error:
            raise ReportUndecided(COLLATERAL_UNFIT, f"the collateral does not say when it holds: {error}") from error
        if not begins <= at_s <= ends:
            raise ReportUndecided(
                COLLATERAL_STALE, f"the collateral holds from {document['issueDate']} to {document['nextUpdate']}"
            )
        return document  # type: ignore[no-any-return]  # a JSON object, as `read_collateral` made sure


@dataclass(frozen=True)
class TdxCollateral:
    """Of one family of processors, by its ``fmspc`` in hex. ``tcb_info`` is of platform and TDX module, ``enclave`` of the quoting enclave."""

    fmspc: str
    tcb_info: SignedDocument
    enclave: SignedDocument


def read_collateral(data: bytes) -> TdxCollateral:
    """Read a file of collateral. Nothing of it is believed before it is verified.

    Raises:
        ReportRefused: it is none.
    """
    try:
        if len(data) > MAX_COLLATERAL_BYTES:
            raise ValueError(f"more than {MAX_COLLATERAL_BYTES} bytes")
        document = json.loads(data)
        tcb_info, enclave = (_signed(document, name) for name in ("tcb_info", "qe_identity"))
        fmspc = str(json.loads(tcb_info.text)["fmspc"]).lower()
        if not isinstance(json.loads(enclave.text), dict):
            raise ValueError("qe_identity is no object")
    except (ValueError, KeyError, TypeError) as error:
        raise ReportRefused(COLLATERAL_UNFIT, f"no collateral of Intel's for TDX: {error}") from error
    return TdxCollateral(fmspc, tcb_info, enclave)


def _signed(document: Mapping[str, Any], name: str) -> SignedDocument:
    text, signature = str(document[name]), bytes.fromhex(document[f"{name}_signature"])
    if len(signature) != _SIGNATURE_BYTES:
        raise ValueError(f"{name}_signature has {len(signature)} bytes, not {_SIGNATURE_BYTES}")
    return SignedDocument(text, signature, tuple(read_certificates(document[f"{name}_issuer_chain"].encode())))


def _time(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
