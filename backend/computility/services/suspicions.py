"""What surveillance suspects in the stored ledger, looked for at most once a minute: it reads every trade, and anybody may ask."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

from computility.domain.errors import NodeBusy
from computility.domain.identifiers import ChainId
from computility.services.confirmations import least_settled
from computility.services.stored_ledger import StoredLedger
from computility.services.surveillance.stored_facts import stored_facts
from computility.services.surveillance.watch import skipped_rules, watch
from computility.store.engine import Database

_HOLDS_S: Final = 60.0


class Suspicions:
    """Alerts over the whole ledger. The isolation forest is left to the command line, where its libraries may be."""

    def __init__(self, database: Database, chain_id: ChainId, ledger: StoredLedger) -> None:
        self._database = database
        self._chain_id = chain_id
        self._ledger = ledger
        self._looking = threading.Lock()
        self._found: tuple[float, dict[str, Any]] | None = None

    def alerts(self) -> dict[str, Any]:
        """Those of the last minute; whoever asks while they are looked for gets the ones before.

        Raises:
            NodeBusy: they are looked for just now for the first time.
        """
        found = self._found
        if found is not None and time.monotonic() - found[0] < _HOLDS_S:
            return found[1]
        if not self._looking.acquire(blocking=False):
            if found is None:
                raise NodeBusy("the trades are being looked through: ask again in a minute")
            return found[1]
        try:
            alerts = self._look()
            self._found = time.monotonic(), alerts
            return alerts
        finally:
            self._looking.release()

    def _look(self) -> dict[str, Any]:
        facts = stored_facts(self._database, self._chain_id)
        alerts = watch(facts, forest=False)
        settled = self._ledger.confirmations_of_jobs(job for alert in alerts for job in alert.jobs)
        rows = [
            {**vars(alert), "confirmation": least_settled(settled[job] for job in alert.jobs if job in settled)}
            for alert in alerts
        ]
        return {"alerts": rows, "trades": len(facts.trades), "skipped": skipped_rules(facts)}
