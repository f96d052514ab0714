"""A period of the ledger as figures: volumes, prices, outcomes, concentration, and every exception. ``report_document`` writes it down."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import ClosedBy, JobRecord, Outcome
from computility.domain.score_slot import epoch_of
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.domain.statistics import concentration
from computility.services.ledger_history import LedgerHistory, ReadBlock
from computility.services.surveillance.facts import Alert

DAY_S = 86_400
_TOP = 5
_REFERENCE_DAYS = 30
_USUAL = frozenset({ClosedBy.ATTESTED, ClosedBy.FINALIZED, ClosedBy.AGREED})


@dataclass(frozen=True)
class Day:
    """One day (UTC, its first second). Amounts in atoms; ``price`` is the median unit price of trades that closed, None without any.

    ``reference`` is the median of the 30 days before it, None without any trade in them: what prices are held against while there is no price guide.
    ``hhi`` is of this day's volume by provider, None without any.
    """

    start: int
    opened: int
    closed: int
    volume: int
    price: int | None
    reference: int | None
    disputed: int
    hhi: int | None


@dataclass(frozen=True)
class Score:
    """An account's credit score in one role as of the period's last block."""

    account: str
    role: str
    score_bps: int
    tier: int
    updated_at: int


@dataclass(frozen=True)
class Share:
    """A provider's part of the volume."""

    account: str
    volume: int
    share_bps: int


@dataclass(frozen=True)
class ReportedException:
    """A job that did not go the usual way, and why it is listed."""

    job: Bytes32
    why: str
    closed_at: int | None


@dataclass(frozen=True)
class LedgerReport:
    """Everything of one period, ``since`` included and ``until`` not. ``hhi`` is the Herfindahl–Hirschman index of providers' volume, 0 to 10,000.

    ``period_block`` is the period's last block; the ledger was read up to ``last_block``.
    """

    since: int
    until: int
    period_block: int
    period_hash: str
    last_block: int
    last_hash: str
    days: tuple[Day, ...]
    opened: int
    closed: int
    volume: int
    fees: int
    refunds: int
    slashed: int
    outcomes: dict[str, int]
    disputed: int
    hhi: int
    top: tuple[Share, ...]
    buyers: int
    providers: int
    scores: tuple[Score, ...]
    exceptions: tuple[ReportedException, ...]
    alerts: tuple[Alert, ...]


def make_report(history: LedgerHistory, since: int, until: int, alerts: Sequence[Alert] = ()) -> LedgerReport:
    """The report of a period of whole days (UTC seconds, both divisible by a day's)."""
    records = [record for _, record in history.ledger.jobs.values() if record.terms]
    opened = [record for record in records if since <= (record.opened_at or 0) < until]
    closed = [record for record in records if record.closed_at is not None and since <= record.closed_at < until]
    all_disputes = _disputes(history, until)
    disputes = [(job, at) for job, at in all_disputes if at >= since]
    disputed = {job for job, _ in disputes}
    volumes: Counter[str] = Counter()
    for record in closed:
        assert record.terms is not None
        volumes[record.terms.provider] += _volume(record)
    total = sum(volumes.values())
    named = {record.id for record in (*opened, *closed)}
    period = history.last_before(until // DAY_S)
    return LedgerReport(
        since=since,
        until=until,
        period_block=period.number if period else 0,
        period_hash=period.hash if period else "",
        last_block=history.last_block,
        last_hash=history.last_hash,
        days=tuple(_days(records, opened, closed, disputes, since, until)),
        opened=len(opened),
        closed=len(closed),
        volume=total,
        fees=sum(record.fee or 0 for record in closed),
        refunds=sum(record.refund or 0 for record in closed),
        slashed=sum((record.bond_to_buyer or 0) + (record.bond_to_treasury or 0) for record in closed),
        outcomes=dict(sorted(Counter(_word(record) for record in closed).items())),
        disputed=len(disputed),
        hhi=concentration(volumes.values()).hhi,
        top=tuple(
            Share(account, volume, 10_000 * volume // total if total else 0)
            for account, volume in volumes.most_common(_TOP)
        ),
        buyers=len({record.terms.buyer for record in opened if record.terms}),
        providers=len({record.terms.provider for record in opened if record.terms}),
        scores=tuple(_scores(history, until // DAY_S, period)),
        exceptions=tuple(_exceptions(records, all_disputes, disputed, since, until)),
        alerts=tuple(alert for alert in alerts if named.intersection(alert.jobs)),
    )


def _disputes(history: LedgerHistory, until: int) -> list[tuple[Bytes32, int]]:
    return [
        (entry.event.job_id, entry.origin.timestamp)
        for entry in history.events
        if entry.event.EVENT.name == "JobDisputed" and entry.origin.timestamp < until and entry.event.job_id
    ]


def _days(
    records: Sequence[JobRecord],
    opened: Sequence[JobRecord],
    closed: Sequence[JobRecord],
    disputes: Sequence[tuple[Bytes32, int]],
    since: int,
    until: int,
) -> Iterable[Day]:
    opens = Counter((record.opened_at or 0) // DAY_S for record in opened)
    disputed = Counter(at // DAY_S for _, at in disputes)
    closes: dict[int, list[JobRecord]] = defaultdict(list)
    for record in closed:
        closes[(record.closed_at or 0) // DAY_S].append(record)
    prices: dict[int, list[int]] = defaultdict(list)
    for record in records:
        if record.terms and record.units and record.closed_at is not None:
            prices[record.closed_at // DAY_S].append(record.terms.unit_price)
    for day in range(since // DAY_S, -(-until // DAY_S)):
        found = closes.get(day, [])
        before = [price for past in range(day - _REFERENCE_DAYS, day) for price in prices.get(past, ())]
        sold: Counter[str] = Counter()
        for record in found:
            assert record.terms is not None
            sold[record.terms.provider] += _volume(record)
        yield Day(
            start=day * DAY_S,
            opened=opens[day],
            closed=len(found),
            volume=sum(map(_volume, found)),
            price=_median(prices.get(day, ())),
            reference=_median(before),
            disputed=disputed[day],
            hhi=concentration(sold.values()).hhi if any(sold.values()) else None,
        )


def _median(prices: Sequence[int]) -> int | None:
    return int(statistics.median_low(prices)) if prices else None


def _scores(history: LedgerHistory, end_day: int, period: ReadBlock | None) -> Iterable[Score]:
    """Of the newest escrow as of the period's last block, the best first."""
    if period is None:
        return []
    escrow = history.deployments.newest.address_of("JobEscrow")
    now = epoch_of(period.timestamp)
    latest: dict[tuple[Address, Role], tuple[int, Standing]] = {}
    for (of, account, role, day), (standing, _) in history.ledger.score_history.items():
        known = latest.get((account, role))
        if of == escrow and day < end_day and (known is None or known[0] < day):
            latest[account, role] = day, standing
    found = [
        Score(account, role.name.lower(), slot.score_bps, slot.tier, standing.at)
        for (account, role), (_, standing) in latest.items()
        if (slot := standing.slot.decayed_to(now))
    ]
    return sorted(found, key=lambda score: (score.role, -score.score_bps, score.account))


def _exceptions(
    records: Sequence[JobRecord],
    all_disputes: Sequence[tuple[Bytes32, int]],
    disputed: set[Bytes32],
    since: int,
    until: int,
) -> Iterable[ReportedException]:
    """Of jobs that closed in the period, and of those that were disputed in it. What became of a job after the period is not told."""
    ever = {job for job, _ in all_disputes}
    found = []
    for record in records:
        at = record.closed_at if record.closed_at is not None and record.closed_at < until else None
        if at is None or at < since:
            reasons = ["disputed"] if record.id in disputed else []
        else:
            reasons = ["disputed"] if record.id in ever else []
            if record.outcome is Outcome.FAIL:
                reasons.append("failed by its verifier")
            if record.closed_by is not None and record.closed_by not in _USUAL:
                reasons.append(record.closed_by.name.lower().replace("_", " "))
            if (record.bond_to_buyer or 0) + (record.bond_to_treasury or 0):
                reasons.append("bond slashed")
        if reasons:
            found.append(ReportedException(record.id, ", ".join(dict.fromkeys(reasons)), at))
    return sorted(found, key=lambda each: (each.closed_at is None, each.closed_at or 0, each.job))


def _volume(record: JobRecord) -> int:
    return (record.provider_paid or 0) + (record.fee or 0)


def _word(record: JobRecord) -> str:
    if record.closed_by is ClosedBy.ATTESTED or record.outcome in (Outcome.PASS, Outcome.FAIL):
        return (record.outcome or Outcome.PASS).name.lower()
    return record.closed_by.name.lower().replace("_", " ") if record.closed_by is not None else "closed"
