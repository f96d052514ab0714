"""Who holds which card: a job, or the hardware challenge, never both.

A lease is a lock on a file, one for each card, in a folder that all processes of this machine's provider share. The kernel lets go of it when its
process dies, however that comes, so no card is lost to a crash. Jobs and challenges take cards here and nowhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from computility.domain.errors import ExecutorBusy, ExecutorUnfit

_POLL_S: Final = 0.1
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MAX_HOLDER: Final = 200


@dataclass(frozen=True)
class CardLease:
    """Cards that are held, by UUID."""

    uuids: tuple[str, ...]


class CardLeases:
    """Leases of ``uuids``. ``folder`` has to be the same for everything that uses these cards."""

    def __init__(self, uuids: Sequence[str], folder: Path | None = None) -> None:
        for uuid in uuids:
            if not _NAME.fullmatch(uuid):
                raise ExecutorUnfit(f"{uuid[:80]!r} is no name of a card: take its UUID")
        self.uuids = tuple(dict.fromkeys(uuids))
        self._folder = folder or _shared_folder()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def some(
        self, count: int, holder: str, wait_s: float = 0.0, given_up: Callable[[], bool] = lambda: False
    ) -> Iterator[CardLease]:
        """Hold any ``count`` of them while the block lasts; waits up to ``wait_s`` seconds, or until ``given_up``.

        Raises:
            ExecutorBusy: fewer are free.
        """
        if count > len(self.uuids):
            raise ExecutorBusy(f"{count} cards are wanted, and {len(self.uuids)} are offered here")
        with contextlib.ExitStack() as held:
            yield CardLease(self._waited(held, count, self.uuids, holder, wait_s, given_up))

    @contextlib.contextmanager
    def all_of(self, uuids: Sequence[str], holder: str, wait_s: float = 0.0) -> Iterator[CardLease]:
        """Hold exactly these, all at once or none: what a challenge needs, as it asks all cards of a provider in one epoch.

        Raises:
            ExecutorBusy: somebody holds one of them; the message says who.
        """
        with contextlib.ExitStack() as held:
            yield CardLease(self._waited(held, len(uuids), tuple(uuids), holder, wait_s, lambda: False))

    def holders(self) -> dict[str, str]:
        """Who holds what now, by UUID; cards that are free are not in it."""
        held = {}
        for uuid in self.uuids:
            with contextlib.ExitStack() as tried:
                if not self._take(tried, uuid, None):
                    held[uuid] = self._holder(uuid)
        return held

    def _waited(
        self,
        held: contextlib.ExitStack,
        count: int,
        among: Sequence[str],
        holder: str,
        wait_s: float,
        given_up: Callable[[], bool],
    ) -> tuple[str, ...]:
        give_up = time.monotonic() + wait_s
        while True:
            with contextlib.ExitStack() as attempt:
                taken: list[str] = []
                # In one order everywhere: two that want the same cards do not stop each other half way.
                for uuid in sorted(among):
                    if len(taken) < count and self._take(attempt, uuid, holder):
                        taken.append(uuid)
                if len(taken) == count:
                    held.push(attempt.pop_all())
                    return tuple(taken)
            if given_up() or time.monotonic() >= give_up:
                busy = ", ".join(f"{uuid} by {who}" for uuid, who in self.holders().items()) or "until just now"
                raise ExecutorBusy(f"{count} cards are wanted together, and too many are held ({busy}): try later")
            time.sleep(_POLL_S)

    def _take(self, held: contextlib.ExitStack, uuid: str, holder: str | None) -> bool:
        descriptor = os.open(self._folder / uuid, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        held.callback(os.close, descriptor)
        if holder is not None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode()[:_MAX_HOLDER], 0)
        return True

    def _holder(self, uuid: str) -> str:
        with contextlib.suppress(OSError):
            return (self._folder / uuid).read_bytes()[:_MAX_HOLDER].decode(errors="replace") or "somebody"
        return "somebody"


def _shared_folder() -> Path:
    """Where this user's processes keep what lasts until the machine is switched off."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "computility" / "cards"
    if os.geteuid() == 0:
        return Path("/run/computility/cards")
    return Path.home() / ".cache" / "computility" / "cards"
