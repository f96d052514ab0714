"""What the text of a log has to be like. Most of that is the same for all logs of a kind: it is worked out once, when the first of them comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from computility.chain.event_decoders import Checker, checker_of, words_length
from computility.chain.wire import WireLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.packed_logs import TOPICS_AT
from computility.services.log_kinds import LogKind

_WORD: Final = 32
_MOST_TOPICS: Final = 4
"""No instruction of the chain's machine writes a log with more."""
_ANY: Final = -1
WORDS_AT: Final = TOPICS_AT + _WORD
"""Where the words of a packed log begin: behind its first topic."""
WORD_DIGITS: Final = 2 * _WORD


@dataclass(frozen=True, slots=True)
class LogForm:
    """The form of a log. Digits are hex, without 0x."""

    number: int | None
    """Of its kind; None for an event that is not known."""
    topics: int
    data_digits: int
    lengths: str
    """Of its topics and of its data: the digits of both as they are packed."""
    start: str
    """The digits of its address and its first topic."""
    size: int
    """How many bytes it takes, packed."""
    check: Checker


class ContractForms(dict[str, LogForm | None]):
    """The forms of a contract's logs, by their first topics; None where the event is not known."""

    def __init__(self, address: str, numbers: Mapping[str, int], kinds: Sequence[LogKind]) -> None:
        """``numbers`` are those of the kinds, by their first topics."""
        self._address = address.removeprefix("0x")
        self._numbers = numbers
        self._kinds = kinds

    def __missing__(self, topic: str) -> LogForm | None:
        # However it is spelt, it is the same topic: what is taken for an unknown event is not folded, and yet digested.
        usual = "0x" + topic.removeprefix("0x").lower()
        if usual != topic:
            return self[usual]
        number = self._numbers.get(topic)
        if number is None:
            # Not kept: there may be any number of them.
            return None
        kind = self._kinds[number]
        words = words_length(kind.event)
        digits = _ANY if words is None else 2 * (_WORD + words - kind.topics_bytes)
        form = self[topic] = self._form(number, [topic] * (kind.topics_bytes // _WORD), digits, checker_of(kind.event))
        return form

    def alone(self, log: WireLog, source: str) -> LogForm:
        """The form of a log to which ``self[its first topic]`` does not apply.

        Raises:
            ChainMisbehaved: it is of another form than its event.
            ValueError: no log is of such a form.
        """
        digits = len(log.data[2:])
        if digits % 2 or len(log.topics) > _MOST_TOPICS:
            raise ValueError("a log has whole bytes, and four topics at most")
        known = self[log.topics[0]] if log.topics else None
        if known is None:
            return self._form(None, log.topics, digits, _any_words)
        if len(log.topics) != known.topics:
            raise ChainMisbehaved(f"{source} answers with a log of {len(log.topics)} topics, not {known.topics}")
        if known.data_digits != _ANY:
            raise ChainMisbehaved(
                f"{source} answers with a log of {digits // 2} bytes of data, not {known.data_digits // 2}"
            )
        return self._form(known.number, log.topics, digits, known.check)

    def _form(self, number: int | None, topics: Sequence[str], digits: int, check: Checker) -> LogForm:
        topics_bytes, data_bytes = _WORD * len(topics), digits // 2
        return LogForm(
            number=number,
            topics=len(topics),
            data_digits=digits,
            lengths="" if digits == _ANY else f"{topics_bytes:02x}{data_bytes:08x}",
            start=self._address + "".join(_topic_digits(topic) for topic in topics[:1]),
            size=TOPICS_AT + topics_bytes + data_bytes,
            check=check,
        )


def _topic_digits(topic: str) -> str:
    digits = topic.removeprefix("0x")
    if len(digits) != WORD_DIGITS:
        raise ValueError("a topic has 32 bytes")
    return digits


def _any_words(_packed: bytes, _start: int, _end: int) -> bool:
    return True
