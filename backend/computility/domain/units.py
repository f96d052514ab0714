"""Numbers with meanings: credits, payable units, times, shares. All are integers; money never meets a float."""

from __future__ import annotations

import re
from typing import Final, NewType

from computility.domain.errors import AmountOutOfRange

Credits = NewType("Credits", int)
"""Atoms of the compute-credit token: 10**18 are one credit. At most ``MAX_CREDITS``."""
Units = NewType("Units", int)
"""Payable units of a resource's metric, a uint64."""
UnixTime = NewType("UnixTime", int)
"""UTC seconds since 1970, a uint40 on chain."""
Bps = NewType("Bps", int)
"""Basis points: 10,000 are the whole."""

CREDIT_DECIMALS: Final = 18
MAX_CREDITS: Final = 2**104 - 1
MAX_UNITS: Final = 2**64 - 1
MAX_TIME: Final = 2**40 - 1
MAX_NONCE: Final = 2**47 - 2
"""Highest nonce with which terms can be opened: ``cancelBelow`` has to be able to pass it."""
FULL_BPS: Final = 10_000

_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?")
_INTEGER: Final = re.compile(r"0|[1-9][0-9]*")


def charge(units: int, unit_price: int) -> Credits:
    """``units · unit_price``, exact.

    Raises:
        AmountOutOfRange: the product exceeds ``MAX_CREDITS``.
    """
    return checked_credits(units * unit_price)


def share_down(amount: int, bps: int) -> Credits:
    """``bps`` of ``amount``, rounded down, as the escrow rounds fees and slashes."""
    return Credits(amount * bps // FULL_BPS)


def share_up(amount: int, bps: int) -> Credits:
    """``bps`` of ``amount``, rounded up, as the escrow rounds the bond that it demands."""
    return Credits(-(-amount * bps // FULL_BPS))


def checked_credits(value: int) -> Credits:
    """``value`` as credits.

    Raises:
        AmountOutOfRange: negative, or above ``MAX_CREDITS``.
    """
    if not 0 <= value <= MAX_CREDITS:
        raise AmountOutOfRange(f"an amount has to lie between 0 and 2^104 − 1 atoms of a credit, not {value}")
    return Credits(value)


def parse_integer(text: str, highest: int) -> int:
    """A decimal string without sign, leading zeros or fraction, up to ``highest``.

    Raises:
        AmountOutOfRange: anything else.
    """
    if len(text) > 80 or not _INTEGER.fullmatch(text):
        raise AmountOutOfRange(f"write a whole number in decimal digits, not {text[:80]!r}")
    value = int(text)
    if value > highest:
        raise AmountOutOfRange(f"{text} is above the highest value here, {highest}")
    return value


def parse_credits(text: str, decimals: int = CREDIT_DECIMALS) -> Credits:
    """An amount as people write it (``"1.5"``), as atoms.

    Raises:
        AmountOutOfRange: not a plain decimal number, more than ``decimals`` places, or too large.
    """
    match = _DECIMAL.fullmatch(text.strip()) if len(text) < 100 else None
    if match is None:
        raise AmountOutOfRange(f"write an amount like 12 or 0.05, not {text[:80]!r}")
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > decimals:
        raise AmountOutOfRange(f"{text} has more than {decimals} decimal places")
    return checked_credits(int(whole) * 10**decimals + int((fraction.ljust(decimals, "0")) or "0"))


def format_credits(amount: int, decimals: int = CREDIT_DECIMALS) -> str:
    """Atoms as people write them, exact and without trailing zeros."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**decimals)
    places = f"{fraction:0{decimals}d}".rstrip("0") if fraction else ""
    return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"
