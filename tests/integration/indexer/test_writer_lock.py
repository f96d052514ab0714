"""Two indexers started by mistake: the second waits until the first has ended."""

from __future__ import annotations

import threading

import pytest
from tests.integration.indexer.conftest import OpenDatabase

from computility.domain.identifiers import chain_id_of
from computility.store.engine import Database, build_engine
from computility.store.writer_lock import writer_lock

CHAIN = chain_id_of(31337)
PATIENCE_S = 60.0


def test_a_second_indexer__waits_until_the_first_has_ended(new_database: OpenDatabase) -> None:
    first = new_database()
    second = Database(build_engine(first.engine.url.render_as_string(hide_password=False)))
    stop, got = threading.Event(), threading.Event()

    def wait_for_it() -> None:
        with writer_lock(second, CHAIN, stop) as held:
            assert held
            got.set()

    waiting = threading.Thread(target=wait_for_it)
    with writer_lock(first, CHAIN, stop) as held:
        assert held
        waiting.start()
        # Long enough for it to have asked more than once; a machine that is slower only asks less often.
        assert not got.wait(1.5)
    assert got.wait(PATIENCE_S)
    waiting.join(PATIENCE_S)
    second.close()


def test_a_lock_that_was_let_go__is_free_at_once(new_database: OpenDatabase, caplog: pytest.LogCaptureFixture) -> None:
    database = new_database()
    for _ in range(20):
        with writer_lock(database, CHAIN, threading.Event()) as held:
            assert held
    assert "another indexer" not in caplog.text


def test_one_that_is_told_to_stop_while_it_waits__goes_without_the_lock(new_database: OpenDatabase) -> None:
    first = new_database()
    second = Database(build_engine(first.engine.url.render_as_string(hide_password=False)))
    stop = threading.Event()
    with writer_lock(first, CHAIN, threading.Event()) as held:
        assert held
        stopping = threading.Timer(0.2, stop.set)
        stopping.start()
        with writer_lock(second, CHAIN, stop) as also_held:
            assert not also_held
    second.close()
