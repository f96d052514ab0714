"""A schema of any age is brought up to date with what is in it, while others read it and write to it.

Long on purpose: what takes a store back to each earlier revision stands beside the tests that bring it up again.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, text
from sqlmodel import select
from tests.chaos.waiting import wait_until
from tests.integration.indexer.conftest import NewUrl, indexer_of
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger, index_all, rows_of

from computility.chain.local_chain import LocalChain
from computility.domain.errors import StoreError
from computility.domain.identifiers import ChainId
from computility.domain.packed_logs import expanded
from computility.services.indexer import Indexer
from computility.store import raw_logs, tables
from computility.store.amount import Amount
from computility.store.bulk_write import BulkWriter
from computility.store.engine import Database, build_engine, open_database
from computility.store.indexes_beside import IndexBeside, make_beside
from computility.store.job_at_rest import ID, JOB_FIELDS, PACKED, PLACES, places_of, unpacked_row
from computility.store.projected import JOBS
from computility.store.raw_logs import EventAccountRow
from computility.store.schema import migration_config, upgrade_schema
from computility.store.stored_log import StoredLog, packed, told_jobs, unpacked

REVISIONS: Final = [script.revision for script in ScriptDirectory.from_config(migration_config(None)).walk_revisions()][
    ::-1
]
BEFORE_REWARDS: Final = "0006"
KEPT: Final = ("statements",)
"""What no revision may lose; everything else is folded from the chain again."""
_NOT_OF_THE_LEDGER: Final = {"StatementRow", "LedgerRow", "CursorRow", "BlockRow", "UndoRow", "EmitterRow"}
"""Emitters: an upgrade finds the contracts that have emitted something, an indexer knows them all."""
LEDGER_TABLES: Final = tuple(getattr(tables, name) for name in tables.__all__ if name not in _NOT_OF_THE_LEDGER)


@pytest.fixture(scope="module")
def traded(own_anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with trades and rewards."""
    ledger = deploy_ledger(own_anvil, tmp_path_factory.mktemp("deployments"))
    ledger.put_rewards_behind_jobs()
    ledger.attest(ledger.open())
    ledger.open()
    return ledger


@contextmanager
def engine_at(url: str, revision: str) -> Iterator[Engine]:
    """A database whose schema is that of an earlier revision."""
    engine = build_engine(url)
    try:
        for step in REVISIONS[: REVISIONS.index(revision) + 1]:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                command.upgrade(migration_config(connection), step)
        yield engine
    finally:
        engine.dispose()


def revision_of(engine: Engine) -> str:
    """The revision that a database says it is of."""
    with engine.connect() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def fill(engine: Engine) -> dict[str, list[Any]]:
    """Three rows in every table, whatever its columns. Those of the tables that are kept."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for table in metadata.sorted_tables:
            if table.name == "alembic_version" or table.name.endswith("_0"):
                continue
            if engine.dialect.name == "postgresql" and _is_partitioned(connection, table.name):
                connection.exec_driver_sql(
                    f"CREATE TABLE {table.name}_0 PARTITION OF {table.name} FOR VALUES FROM (0) TO (1000)"
                )
            for number in range(1, 4):
                connection.execute(table.insert(), {column.name: _value(column, number) for column in table.columns})
    return {name: _rows(engine, name) for name in KEPT}


def _is_partitioned(connection: sa.Connection, name: str) -> bool:
    found = connection.execute(text("SELECT relkind FROM pg_class WHERE oid = to_regclass(:name)"), {"name": name})
    return bool(found.scalar() == "p")


def _value(column: sa.Column[Any], number: int) -> Any:
    match column.type:
        case sa.Boolean():
            return True
        case sa.Integer() | sa.Numeric():
            return number
        case sa.LargeBinary():
            return number.to_bytes(20 if column.name in ("account", "address", "institution") else 32, "big")
        case sa.JSON():
            return []
        case _:
            return str(number)


def _rows(engine: Engine, name: str) -> list[Any]:
    with engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}")))


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_database_of_any_revision__with_data_in_it__is_brought_up_to_date_and_filled(
    traded: LedgerOnChain, new_url: NewUrl, revision: str
) -> None:
    url = new_url()
    with engine_at(url, revision) as engine:
        # Of the last revisions' tables the chain's own rows are tested below: what is made up cannot be folded on.
        kept = fill(engine) if revision < "0003" else {}
    database, clean = open_database(url), open_database(new_url())
    try:
        assert revision_of(database.engine) == REVISIONS[-1]
        assert {name: _rows(database.engine, name) for name in kept} == kept
        for one in (database, clean):
            index_all(indexer_of(traded, one))
        for table in LEDGER_TABLES:
            assert _without_build(rows_of(database, table)) == _without_build(rows_of(clean, table)), table
    finally:
        database.close()
        clean.close()


def _without_build(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # The revision that packs logs knows only the format of its time.
    return [
        {name: expanded(value) if name == "logs" else value for name, value in row.items() if name != "ledger"}
        for row in rows
    ]


def taken_back_to_before_rewards(database: Database) -> None:
    """Make a store of this version one of revision 0006, whose folds knew no rewards and left the first events of a dispute without their job."""
    taken_back_to_forty_columns(database)
    with database.unit_of_work() as session:
        logs = raw_logs.logs_above(session, ChainId("eip155:31337"), -1)
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        taken_back_to_a_row_a_log(connection, logs)
        connection.exec_driver_sql("DROP TABLE rewards")
        connection.exec_driver_sql("UPDATE ledgers SET version = 5")
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{BEFORE_REWARDS}'")


_OLD_TYPES: Final = {
    "generation": sa.Integer, "state": sa.Integer, "outcome": sa.Integer, "closed_by": sa.Integer, "fee_bps": sa.Integer,
    "quality_bps": sa.Integer, "slash_bps": sa.Integer, "cost_bps": sa.Integer, "listed_block": sa.BigInteger, "deadline": sa.BigInteger,
    "opened_at": sa.BigInteger, "opened_block": sa.BigInteger, "closed_at": sa.BigInteger, "closed_block": sa.BigInteger,
    "buyer": sa.LargeBinary, "provider": sa.LargeBinary, "verifier": sa.LargeBinary, "resource": sa.LargeBinary, "terms": sa.LargeBinary,
    "result": sa.LargeBinary, "evidence": sa.LargeBinary, "opened_tx": sa.LargeBinary, "closed_tx": sa.LargeBinary,
}  # fmt: skip


def taken_back_to_indexes_of_one_column(connection: sa.Connection) -> None:
    """Make the indexes of this version those of revision 0009."""
    connection.exec_driver_sql("DROP INDEX ix_disputes_of_job")
    connection.exec_driver_sql("CREATE INDEX ix_disputes_job ON disputes (ledger, job)")
    for name in ("open", "of_kind", "of_subject", "of_provider", "of_signer"):
        connection.exec_driver_sql(f"DROP INDEX ix_statements_{name}")
    for name in ("chain_id", "kind", "signer", "subject", "provider", "valid_until"):
        connection.exec_driver_sql(f"CREATE INDEX ix_statements_{name} ON statements ({name})")


def taken_back_to_forty_columns(database: Database) -> None:
    """Make a store of this version one of revision 0008, whose jobs had a column a field; images of before too."""
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql("DROP TABLE timelock_roles")
        taken_back_to_indexes_of_one_column(connection)
        driver = BulkWriter(connection)
        rows = [
            unpacked_row(row)
            for (ledger,) in connection.execute(text("SELECT id FROM ledgers")).all()
            for row in driver.every_row(JOBS.table, ledger)
        ]
        connection.exec_driver_sql("DROP TABLE jobs")
        old = sa.Table(
            "jobs",
            sa.MetaData(),
            sa.Column("ledger", sa.Integer, primary_key=True),
            sa.Column("id", sa.LargeBinary, primary_key=True),
            *[sa.Column(name, _OLD_TYPES.get(name, Amount)) for name in JOB_FIELDS[2:]],
        )
        old.create(connection)
        connection.execute(old.insert(), [dict(zip(JOB_FIELDS, row[:PLACES], strict=True)) for row in rows])
        for row in rows:
            for block, indexes in itertools.groupby(places_of(row[PLACES]), key=itemgetter(0)):
                listed = {"job": row[ID], "block": block, "indexes": packed([index for _, index in indexes])}
                connection.execute(text("INSERT INTO event_jobs VALUES (31337, :job, :block, :indexes)"), listed)
        kept = connection.execute(
            text("SELECT block_number, key, before FROM undo WHERE projection = 1 AND before IS NOT NULL")
        )
        for number, key, before in kept.all():
            row = unpacked_row(tuple(msgspec.msgpack.decode(before)))
            image = msgspec.msgpack.encode([_portable(value) for value in row[:PLACES]])
            connection.execute(
                text("UPDATE undo SET before = :image WHERE block_number = :number AND projection = 1 AND key = :key"),
                {"image": image, "number": number, "key": key},
            )
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0008'")


def _portable(value: Any) -> Any:
    return str(value) if isinstance(value, int) and value.bit_length() > 63 else value


def jobs_and_images(database: Database) -> list[list[Any]]:
    """Without the places of their events, which stood elsewhere when they were packed: a rebuild puts them there."""
    images = [
        {**row, "before": msgspec.msgpack.decode(row["before"])[: PACKED + 1]}
        if row["before"] and row["projection"] == JOBS.number
        else row
        for row in rows_of(database, tables.UndoRow)
    ]
    return [[{**row, "event_places": b""} for row in rows_of(database, tables.JobRow)], images]


def test_packed_jobs__are_what_forty_columns_said_and_images_of_before_too(
    traded: LedgerOnChain, new_url: NewUrl
) -> None:
    url = new_url()
    database = open_database(url)
    index_all(indexer_of(traded, database))
    told = jobs_and_images(database)
    assert all(told)
    taken_back_to_forty_columns(database)
    database.close()
    again = open_database(url)
    try:
        assert revision_of(again.engine) == REVISIONS[-1]
        assert jobs_and_images(again) == told
    finally:
        again.close()


def taken_back_to_a_row_a_log(connection: sa.Connection, logs: list[StoredLog]) -> None:
    """Make a store of this version one of revision 0007, which kept each log in a row of its own."""
    for name in ("block_logs", "event_jobs", "event_names", "emitters"):
        connection.exec_driver_sql(f"DROP TABLE {name}")
    numbers, texts, hashes = (
        ("block_number", "timestamp", "generation"),
        ("contract", "name"),
        ("block_hash", "tx_hash", "address"),
    )
    table = sa.Table(
        "raw_logs",
        sa.MetaData(),
        sa.Column("chain_id", sa.BigInteger, primary_key=True),
        sa.Column("block_number", sa.BigInteger, primary_key=True),
        sa.Column("log_index", sa.Integer, primary_key=True),
        *[sa.Column(name, sa.LargeBinary, nullable=False) for name in (*hashes, "topics", "data")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("timestamp", "generation")],
        *[sa.Column(name, sa.String(32), nullable=False) for name in texts],
        sa.Column("job", sa.LargeBinary),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (block_number)",
    )
    table.create(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE TABLE raw_logs_0 PARTITION OF raw_logs FOR VALUES FROM (0) TO (1048576)")
    rows: list[dict[str, Any]] = [
        {"chain_id": 31_337, "log_index": log.log_index, "topics": log.topics, "data": log.data}
        | {"job": None if log.job is None else bytes.fromhex(log.job[2:])}
        | {name: getattr(log, name) for name in (*numbers, *texts)}
        | {name: bytes.fromhex(getattr(log, name)[2:]) for name in hashes}
        for log in logs
    ]
    connection.execute(table.insert(), rows)


def test_a_full_store__gets_its_rewards_from_the_logs_that_it_has(traded: LedgerOnChain, new_url: NewUrl) -> None:
    url = new_url()
    database = open_database(url)
    index_all(indexer_of(traded, database))
    filled = [_without_build(rows_of(database, table)) for table in LEDGER_TABLES]
    taken_back_to_before_rewards(database)
    database.close()
    again = open_database(url)
    try:
        index_all(indexer_of(traded, again))
        assert [_without_build(rows_of(again, table)) for table in LEDGER_TABLES] == filled
    finally:
        again.close()


def test_the_first_events_of_a_dispute__get_the_job_that_a_later_one_names(new_url: NewUrl) -> None:
    url = new_url()
    number, other, job = (bytes([value]) * 32 for value in (1, 2, 3))
    topic, word = bytes([9]) * 32, bytes(32)
    logs = [
        (1, "DisputeCreation", topic + number + word, None),
        (2, "Dispute", topic + word + number, None),
        (3, "DisputeOpened", topic + number + job, job),
        (4, "DisputeCreation", topic + other + word, None),
    ]
    with engine_at(url, BEFORE_REWARDS) as engine:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("CREATE TABLE raw_logs_0 PARTITION OF raw_logs FOR VALUES FROM (0) TO (10)")
            table = sa.Table("raw_logs", sa.MetaData(), autoload_with=connection)
            for index, name, topics, of in logs:
                row = {column.name: _value(column, 5) for column in table.columns}
                changed = {"log_index": index, "name": name, "topics": topics, "job": of}
                connection.execute(table.insert(), {**row, **changed})
        upgrade_schema(engine)
        with engine.connect() as connection:
            listed = connection.execute(text("SELECT job, log_indexes FROM event_jobs")).all()
            told = connection.execute(text("SELECT told FROM block_logs")).scalar_one()
    assert [(bytes(of), unpacked(bytes(indexes))) for of, indexes in listed] == [(job, (1, 2, 3))]
    assert told_jobs(bytes(told)) == {1: job, 2: job}


def test_readers_read_and_the_indexer_writes__while_a_revision_runs(traded: LedgerOnChain, new_url: NewUrl) -> None:
    url = new_url()
    database = open_database(url)
    index_all(indexer_of(traded, database))
    before = len(rows_of(database, tables.JobRow))
    taken_back_to_before_rewards(database)
    stop, failures, read = threading.Event(), [], []

    def reading() -> None:
        while not stop.is_set():
            try:
                with database.unit_of_work() as session:
                    read.append(session.connection().execute(text("SELECT count(*) FROM jobs")).scalar_one())
            except Exception as error:  # noqa: BLE001  # whatever goes wrong is the finding
                failures.append(error)
                return

    indexer = Indexer(traded.rpc, database, traded.deployments, most_blocks=2, poll_interval_s=0.02)
    # The live build is the old version's own, as long as the schema is: no rebuild before the revision ran.
    threads = [threading.Thread(target=reading) for _ in range(2)]
    migrated = build_engine(url)
    try:
        # A reader that keeps its transaction open all the while, as an export does.
        with database.engine.connect() as slow, slow.begin():
            slow.exec_driver_sql("SELECT count(*) FROM providers")
            slow.exec_driver_sql("SELECT count(*) FROM event_accounts")
            for thread in threads:
                thread.start()
            wait_until(lambda: len(read) > 5)
            upgrade_schema(migrated)
            assert revision_of(migrated) == REVISIONS[-1]
            for _ in range(2):
                traded.attest(traded.open())
            index_all(indexer)
            seen = len(read)
            wait_until(lambda: len(read) > seen + 5)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        migrated.dispose()
    assert failures == []
    assert read[0] == before
    assert read[-1] == before + 2
    database.close()


@pytest.mark.postgresql
def test_a_table_that_a_reader_holds__is_waited_for_in_short_turns__and_nobody_queues_behind(
    postgresql_url: NewUrl,
) -> None:
    url = postgresql_url()
    with engine_at(url, "0002") as engine, engine.connect() as slow:
        holding = slow.begin()
        slow.exec_driver_sql("SELECT count(*) FROM providers")
        done = threading.Event()

        def migrating() -> None:
            upgrade_schema(engine, lock_within_ms=100)
            done.set()

        thread = threading.Thread(target=migrating)
        thread.start()
        with engine.connect() as another:
            # In the way of the reader above: what comes after it must be answered before it ends.
            wait_until(lambda: _waits_for_a_lock(engine) or done.is_set())
            for _ in range(3):
                with another.begin():
                    another.exec_driver_sql("SELECT count(*) FROM providers")
        assert not done.is_set()
        assert revision_of(engine) == "0002"
        holding.rollback()
        thread.join(120)
        assert done.is_set()
        assert revision_of(engine) == REVISIONS[-1]


def _waits_for_a_lock(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())


@pytest.mark.postgresql
def test_a_table_that_is_held_for_good__is_given_up_with_a_word_of_what_to_do(postgresql_url: NewUrl) -> None:
    with engine_at(postgresql_url(), "0002") as engine, engine.connect() as slow, slow.begin():
        slow.exec_driver_sql("SELECT count(*) FROM providers")
        with pytest.raises(StoreError, match=r"0003: a table is in use\. End what holds it"):
            upgrade_schema(engine, lock_within_ms=50, patience_s=0)


def test_processes_that_start_at_once__migrate_once(new_url: NewUrl) -> None:
    url = new_url()
    opening = f"from computility.store.engine import open_database; open_database({url!r}).close()"
    processes = [subprocess.Popen([sys.executable, "-c", opening], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ended = [(process.communicate(timeout=300)[1], process.returncode) for process in processes]
    assert ended == [("", 0)] * 3
    engine = build_engine(url)
    assert revision_of(engine) == REVISIONS[-1]
    engine.dispose()


def test_a_database_of_a_later_version__is_refused(new_url: NewUrl) -> None:
    url = new_url()
    database = open_database(url)
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StoreError, match="later version"):
        open_database(url)


@pytest.mark.postgresql
def test_a_new_partition__is_put_in_beside_a_reader_that_holds_the_table(
    traded: LedgerOnChain, postgresql_url: NewUrl
) -> None:
    database = open_database(postgresql_url())
    try:
        with database.engine.connect() as slow, slow.begin():
            slow.exec_driver_sql("SELECT count(*) FROM block_logs")
            event.listen(database.engine, "begin", lambda one: one.exec_driver_sql("SET LOCAL lock_timeout = 5000"))
            index_all(indexer_of(traded, database))
            assert slow.exec_driver_sql("SELECT count(*) FROM block_logs").scalar() == 0
        with database.engine.connect() as connection:
            indexes = connection.execute(
                text(
                    "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relname LIKE 'block_logs_0_%'"
                )
            ).scalar()
        # The partition's index is the table's.
        assert indexes == 1
    finally:
        database.close()


def test_events_of_accounts__are_packed_by_block(new_url: NewUrl) -> None:
    buyer, seller = bytes(19) + b"\1", bytes(19) + b"\2"
    rows = [(buyer, 7, 0), (buyer, 7, 300), (buyer, 9, 1), (seller, 7, 70_000)]
    url = new_url()
    with (
        engine_at(url, "0005") as engine,
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            part = "CREATE TABLE event_accounts_0 PARTITION OF event_accounts FOR VALUES FROM (0) TO (1048576)"
            connection.exec_driver_sql(part)
        insert = text("INSERT INTO event_accounts VALUES (31337, :account, :block, :log)")
        connection.execute(insert, [{"account": a, "block": b, "log": log} for a, b, log in rows])
    database = open_database(url)
    with database.unit_of_work() as session:
        kept = session.exec(select(EventAccountRow)).all()
        found = {(int(row.account, 16), row.block_number): unpacked(row.log_indexes) for row in kept}
    database.close()
    assert found == {(1, 7): (0, 300), (1, 9): (1,), (2, 7): (70_000,)}


@contextmanager
def statements_sent(engine: Engine) -> Iterator[list[str]]:
    """What is sent to a database meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_told: Any) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


def indexes_of(engine: Engine) -> dict[str, bool]:
    """Whether each index of the statements is valid."""
    query = text(
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'statements'::regclass"
    )
    with engine.connect() as connection:
        return {str(name): bool(valid) for name, valid in connection.execute(query)}


@pytest.mark.postgresql
def test_indexes_of_the_journal__are_made_beside_whoever_writes_it(postgresql_url: NewUrl) -> None:
    with engine_at(postgresql_url(), "0009") as engine:
        fill(engine)
        with statements_sent(engine) as sent:
            upgrade_schema(engine)
        made = [
            statement for statement in sent if statement.startswith("CREATE INDEX") and "ON statements" in statement
        ]
        assert len(made) == 5
        assert all(statement.startswith("CREATE INDEX CONCURRENTLY") for statement in made)
        assert all(indexes_of(engine).values())


@pytest.mark.postgresql
def test_an_index_that_an_old_transaction_holds_up__is_made_by_the_revision_itself(postgresql_url: NewUrl) -> None:
    with engine_at(postgresql_url(), "0009") as engine:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as slow, slow.begin():
            slow.exec_driver_sql("SELECT count(*) FROM providers")
            with statements_sent(engine) as sent:
                upgrade_schema(engine, lock_within_ms=200)
        made = [statement for statement in sent if "INDEX" in statement and "ix_statements_open" in statement]
        # Tried, given up, what it left dropped, and made.
        assert [" ".join(statement.split()[:3]) for statement in made] == [
            "DROP INDEX CONCURRENTLY",
            "CREATE INDEX CONCURRENTLY",
            "DROP INDEX IF",
            "CREATE INDEX ix_statements_open",
        ]
        assert all(indexes_of(engine).values())


@pytest.mark.postgresql
def test_an_index_that_a_killed_upgrade_left_half_made__is_made_anew(postgresql_url: NewUrl) -> None:
    with engine_at(postgresql_url(), "0009") as engine:
        half = IndexBeside("ix_statements_open", "statements", ("kind",))
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as slow, slow.begin():
            slow.exec_driver_sql("SELECT count(*) FROM providers")
            make_beside(engine, [half], 100)
        assert indexes_of(engine)["ix_statements_open"] is False
        upgrade_schema(engine)
        assert all(indexes_of(engine).values())
        with engine.connect() as connection:
            columns = {
                found["name"]: found["column_names"] for found in sa.inspect(connection).get_indexes("statements")
            }
        assert columns["ix_statements_open"] == ["chain_id", "kind", "valid_until"]


@pytest.mark.postgresql
def test_a_store_that_made_them_under_a_lock__stays_as_it_is(postgresql_url: NewUrl) -> None:
    with engine_at(postgresql_url(), REVISIONS[-1]) as engine:
        before = indexes_of(engine)
        with statements_sent(engine) as sent:
            upgrade_schema(engine)
        assert indexes_of(engine) == before
        assert not [statement for statement in sent if "INDEX" in statement]
