"""What a provider answers to a quote request: signed-to-be terms, or a refusal with a reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from computility.domain.errors import QuoteRefused
from computility.domain.identifiers import ZERO_ADDRESS, Address, Bytes32
from computility.domain.metered_lease import LEASE_HEARTBEAT
from computility.domain.resource import parse_resource
from computility.domain.specification import Specification
from computility.domain.statements import Ask, QuoteRequest
from computility.domain.task_specification import CommandLimits
from computility.domain.terms import Terms
from computility.domain.units import share_down, share_up


@dataclass(frozen=True)
class ProviderPolicy:
    """What a provider takes on, beyond what its ask says. Times in seconds, sizes in bytes.

    ``verifiers`` and ``arbiters`` are allowed beside those that the ask names. No arbiter at all is always allowed; any has at least
    ``least_ruling_window_s`` to rule. ``leases_by_buyers``: whether any buyer may co-sign the meter of its own lease, which risks one interval of it.
    ``attests`` are the kinds of vendors' attestations that its machines can bring. ``deterministic`` are the SHA-256 of programs' files, and images
    by digest, that it believes to come to the same bytes wherever they run.
    """

    verifiers: Sequence[Address] = ()
    arbiters: Sequence[Address] = ()
    least_ruling_window_s: int = 0
    leases_by_buyers: bool = True
    max_open_quotes: int = 32
    open_within_s: int = 120
    run_within_s: int = 600
    least_run_s: int = 10
    max_memory_bytes: int = 1024 * 1024 * 1024
    max_module_bytes: int = 16 * 1024 * 1024
    max_input_bytes: int = 64 * 1024 * 1024
    max_output_bytes: int = 64 * 1024 * 1024
    attests: Sequence[str] = ()
    deterministic: Sequence[str] = ()


@dataclass(frozen=True)
class Standing:
    """What the chain says of the provider now: its fee and bond by tier, the credits that it could still promise as bonds, its open jobs, and the
    quotes that may yet be opened."""

    now: int
    fee_bps: int
    least_bond_bps: int
    free: int
    open_jobs: int
    open_quotes: int


def quoted_terms(
    request_id: Bytes32,
    request: QuoteRequest,
    ask: Ask,
    specification: Specification,
    environment: str,
    policy: ProviderPolicy,
    standing: Standing,
    nonce: int,
    credible_bond: int = 0,
) -> Terms:
    """The terms to sign. ``credible_bond``: from which bond on, in atoms, verifiers may believe this provider on this job instead of running it
    again; it is promised where the provider has it, and where not the job is checked in full.

    Raises:
        QuoteRefused: the provider does not want this job; ``reason`` of the error says why.
    """
    _check_market(request, ask, policy, standing)
    _check_verifier(request, ask, specification, policy)
    _check_specification(request, specification, environment, policy)
    open_by = min(standing.now + policy.open_within_s, request.valid_until)
    # What is allowed to run for long, a lease above all, has to be allowed to end.
    end = open_by + max(policy.run_within_s, _longest_run_s(specification) + policy.least_run_s)
    if request.end:
        end = min(end, request.end)
        open_by = min(open_by, end - policy.least_run_s)
    if open_by <= standing.now:
        raise _refusal("too-little-time", f"the job would have to end by {end}, and it is {standing.now} on the chain")
    charge = ask.unit_price * request.max_units
    bond = max(share_up(charge, ask.bond_bps), share_down(charge, standing.least_bond_bps), request.arbiter_fee)
    if bond < credible_bond <= standing.free:
        bond = credible_bond
    if bond > standing.free:
        raise _refusal(
            "bond-too-large", f"the bond would be {bond} atoms, and I have {standing.free} free, stake included"
        )
    return Terms(
        buyer=request.buyer,
        payer=request.payer,
        provider=ask.provider,
        verifier=request.verifier,
        arbiter=request.arbiter,
        guard=ZERO_ADDRESS,
        order=request_id,
        resource=parse_resource(ask.resource).id,
        spec=request.spec,
        sla=ask.sla,
        unit_price=ask.unit_price,
        min_units=ask.min_units,
        max_units=request.max_units,
        bond=bond,
        verifier_fee=request.verifier_fee,
        arbiter_fee=request.arbiter_fee,
        open_by=open_by,
        end=end,
        pass_window=0,
        dispute_window=ask.dispute_window,
        ruling_window=0 if request.arbiter == ZERO_ADDRESS else max(ask.dispute_window, policy.least_ruling_window_s),
        max_fee_bps=standing.fee_bps,
        nonce=nonce,
    )


def _longest_run_s(specification: Specification) -> int:
    limits = specification.limits
    return limits.wall_s if isinstance(limits, CommandLimits) else 0


def _check_market(request: QuoteRequest, ask: Ask, policy: ProviderPolicy, standing: Standing) -> None:
    if standing.now >= min(ask.valid_until, request.valid_until):
        raise _refusal("expired", "the ask or the request is over")
    # A quote costs the asker nothing, so quotes must not use up places; what is opened beyond them waits its turn.
    if standing.open_jobs >= ask.max_concurrent or standing.open_quotes >= policy.max_open_quotes:
        raise _refusal(
            "no-capacity",
            f"I have {standing.open_jobs} jobs, of {ask.max_concurrent} at one time, and {standing.open_quotes} quotes: ask again later",
        )
    arbiters = {ZERO_ADDRESS, *policy.arbiters, *ask.arbiters}
    if request.arbiter not in arbiters:
        raise _refusal(
            "arbiter-not-accepted", f"I do not know the arbiter {request.arbiter}; I accept {_listed(arbiters)}"
        )


def _check_verifier(request: QuoteRequest, ask: Ask, specification: Specification, policy: ProviderPolicy) -> None:
    is_lease = specification.verification.get("method") == LEASE_HEARTBEAT
    if is_lease and policy.leases_by_buyers and request.verifier in (request.buyer, request.payer):
        return
    allowed = set(policy.verifiers) | set(ask.verifiers)
    if request.verifier not in allowed:
        raise _refusal(
            "verifier-not-accepted", f"I do not know the verifier {request.verifier}; I accept {_listed(allowed)}"
        )


def _check_specification(
    request: QuoteRequest, specification: Specification, environment: str, policy: ProviderPolicy
) -> None:
    if specification.environment != environment:
        raise _refusal("wrong-environment-class", f"I run {environment}, not {specification.environment}")
    if specification.max_units > request.max_units:
        raise _refusal(
            "too-few-units",
            f"the specification allows fuel for {specification.max_units} units, and the request pays for {request.max_units} at most",
        )
    limits = specification.limits
    for name, wanted, limit in (
        ("memory", limits.memory_bytes, policy.max_memory_bytes),
        ("output", limits.output_bytes, policy.max_output_bytes),
        ("module", sum(file.size for file in specification.artifacts), policy.max_module_bytes),
        ("input", sum(file.size for file in specification.inputs), policy.max_input_bytes),
    ):
        if wanted > limit:
            raise _refusal(f"{name}-too-large", f"the job wants {wanted} bytes of {name}, and I give {limit} at most")


def _listed(accounts: set[Address]) -> str:
    named = sorted(account for account in accounts if account != ZERO_ADDRESS)
    return ", ".join(named) or "none"


def _refusal(reason: str, detail: str) -> QuoteRefused:
    return QuoteRefused(detail, reason)
