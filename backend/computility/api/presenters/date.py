"""Days as the API writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from computility.domain.statistics import DAY_S


def date_of(day: int) -> date:
    """The date (UTC) of a number of days since 1970."""
    return datetime.fromtimestamp(day * DAY_S, UTC).date()


def day_number(when: date) -> int:
    """The other way round."""
    return (when - date(1970, 1, 1)).days
