"""What a job is billed for: units of fuel."""

from __future__ import annotations

from typing import Final

from computility.domain.units import Units

FUEL_PER_UNIT: Final = 10**6
"""A unit of the metric ``mfuel``, in WebAssembly fuel."""


def units_of_fuel_up(fuel: int) -> Units:
    """Fuel in payable units, rounded up."""
    return Units(-(-fuel // FUEL_PER_UNIT))
