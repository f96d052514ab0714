"""Forgets what a database knows of the chain, so that a node reads it anew from the first contract on; what people signed stays."""

from __future__ import annotations

import threading
from typing import Final

from computility.domain.errors import NodeBusy
from computility.domain.identifiers import ChainId
from computility.services.builds import Builds
from computility.store import blocks, raw_logs
from computility.store.engine import Database
from computility.store.writer_lock import writer_lock

_LOCK_WITHIN_S: Final = 5.0


def forget_ledger(database: Database, chain_id: ChainId, *, lock_within_s: float = _LOCK_WITHIN_S) -> None:
    """Remove logs, blocks, cursor and every projection of a chain, in one transaction. The journal of statements stays: no chain has it.

    Raises:
        NodeBusy: an indexer writes to this database.
    """
    give_up = threading.Event()
    timer = threading.Timer(lock_within_s, give_up.set)
    timer.start()
    try:
        with writer_lock(database, chain_id, give_up) as held:
            if not held:
                raise NodeBusy("a node writes to this database: stop it first")
            with database.bulk_work() as (session, _):
                Builds(database, chain_id).forget(session)
                raw_logs.remove_chain(session, chain_id)
                blocks.remove_chain(session, chain_id)
    finally:
        timer.cancel()
