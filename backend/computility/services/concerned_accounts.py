"""Which accounts an event concerns: those that it names, and all parties of its job."""

from __future__ import annotations

from typing import Final

from computility.domain.events import EVENTS_BY_CONTRACT, Event
from computility.domain.identifiers import ZERO_ADDRESS, Address
from computility.domain.terms import Terms

PARTIES_BYTES: Final = 5 * 32
"""Of terms: they begin with buyer, payer, provider, verifier and arbiter."""
_MOST_PARTIES: Final = 100_000
_NOBODY: Final = bytes(20)


class _Parties(dict[bytes, tuple[bytes, ...]]):
    """The accounts that the first words of terms name, nobody left out: the same parties trade again and again."""

    def __missing__(self, words: bytes) -> tuple[bytes, ...]:
        if len(self) >= _MOST_PARTIES:
            self.clear()
        accounts = dict.fromkeys(words[at + 12 : at + 32] for at in range(0, PARTIES_BYTES, 32))
        accounts.pop(_NOBODY, None)
        self[words] = found = tuple(accounts)
        return found


PARTIES: Final = _Parties()
"""The first words of terms (``PARTIES_BYTES``) → accounts."""


def concerned_accounts(event: Event, terms: Terms | None) -> set[Address]:
    """The accounts that an event names, and all parties of its job; nobody is none."""
    values = event.__dict__
    found = {values[name] for name in _ADDRESS_FIELDS[type(event)]}
    if terms is not None:
        found |= {terms.buyer, terms.payer, terms.provider, terms.verifier, terms.arbiter}
    found.discard(ZERO_ADDRESS)
    return found


_ADDRESS_FIELDS: Final = {
    event: tuple(field.python_name for field in event.EVENT.fields if field.type == "address")
    for events in EVENTS_BY_CONTRACT.values()
    for event in events
}
