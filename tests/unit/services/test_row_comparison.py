"""Jobs of a store against those of a replay, of which hashes are kept: every difference is found, and the first of them are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from computility.domain.identifiers import Bytes32
from computility.domain.job import ClosedBy, JobRecord, JobState
from computility.services.row_comparison import MOST_DIFFERENCES, Difference, JobComparison
from computility.store.job_at_rest import ID, LISTED_BLOCK, PackedRow, job_row, packed_row

LEDGER, GENERATION = 3, 1


def job(number: int) -> JobRecord:
    return JobRecord(
        Bytes32(f"0x{number:064x}"), JobState.CLOSED, closed_by=ClosedBy.CANCELLED, closed_at=1_800_000_000 + number
    )


def stored(record: JobRecord) -> PackedRow:
    return packed_row(job_row(LEDGER, GENERATION, record))


def reading(rows: Iterable[PackedRow]) -> Callable[[Sequence[bytes]], list[PackedRow]]:
    by_id = {row[ID]: row for row in rows}
    return lambda jobs: [by_id[key] for key in jobs if key in by_id]


def differences(
    before: Sequence[PackedRow], true: Sequence[JobRecord], after: Sequence[PackedRow] | None = None
) -> list[Difference]:
    comparison = JobComparison(LEDGER, before)
    for record in true:
        comparison.add(GENERATION, record)
    return list(comparison.differences(reading(before if after is None else after)))


def test_the_same_jobs__are_the_same_and_nothing_is_read_again() -> None:
    jobs = [job(number) for number in range(5)]
    comparison = JobComparison(LEDGER, map(stored, jobs))
    for record in reversed(jobs):
        comparison.add(GENERATION, record)

    def never(_: Sequence[bytes]) -> list[PackedRow]:
        raise AssertionError("there was nothing to read")

    assert not list(comparison.differences(never))


def test_another_field__is_shown_with_both_values() -> None:
    true = job(7)
    kept = replace(true, closed_at=5)
    (found,) = differences([stored(kept)], [true])
    assert found == Difference("jobs", true.id, "closed_at", "5", str(true.closed_at))


def test_a_column_that_only_serves_searches__is_compared_too() -> None:
    row = list(stored(job(7)))
    row[LISTED_BLOCK] += 1
    (found,) = differences([tuple(row)], [job(7)])
    assert (found.field, found.store, found.chain) == ("listed_block", "1", "0")


def test_a_job_on_one_side_only__is_shown_whole() -> None:
    missing, invented = differences([stored(job(2))], [job(1)])
    assert (missing.key, missing.field, missing.store) == (job(1).id, "row", None)
    assert missing.chain["closed_at"] == str(job(1).closed_at)
    assert (invented.key, invented.field, invented.chain) == (job(2).id, "row", None)
    assert invented.store["closed_at"] == str(job(2).closed_at)


def test_a_row_that_changed_before_it_was_read_again__is_still_a_difference__and_is_not_shown() -> None:
    wrong, right = stored(replace(job(1), closed_at=5)), stored(job(1))
    for after in ([right], []):
        (found,) = differences([wrong], [job(1)], after)
        assert (found.field, found.store) == ("row", "changed since the audit read it")
        assert found.chain["closed_at"] == str(job(1).closed_at)


def test_of_many_differences__a_hundred_are_shown() -> None:
    jobs = [job(number) for number in range(MOST_DIFFERENCES + 50)]
    assert len(differences([stored(replace(record, closed_at=1)) for record in jobs], jobs)) == MOST_DIFFERENCES
    assert len(differences([stored(record) for record in jobs], [])) == MOST_DIFFERENCES
    assert len(differences([], jobs)) == MOST_DIFFERENCES
