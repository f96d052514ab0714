"""A store of an earlier version keeps what it knows when it is opened by this one."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from sqlmodel import Session, select

from computility.store.engine import build_engine, migration_config, open_database
from computility.store.raw_logs import EventAccountRow, unpacked

BUYER, SELLER = bytes(19) + b"\1", bytes(19) + b"\2"
ROWS = [(BUYER, 7, 0), (BUYER, 7, 300), (BUYER, 9, 1), (SELLER, 7, 70_000)]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_events_of_accounts__are_packed_by_block(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    if kind == "postgresql":
        server = sqlalchemy.make_url(request.getfixturevalue("postgresql"))
        name = f"m{uuid.uuid4().hex}"
        admin = sqlalchemy.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        admin.dispose()
        url = server.set(database=name).render_as_string(hide_password=False)
    engine = build_engine(url)
    with engine.begin() as connection:
        command.upgrade(migration_config(connection), "0005")
        if kind == "postgresql":
            part = "CREATE TABLE event_accounts_0 PARTITION OF event_accounts FOR VALUES FROM (0) TO (1048576)"
            connection.execute(sqlalchemy.text(part))
        insert = sqlalchemy.text("INSERT INTO event_accounts VALUES (31337, :account, :block, :log)")
        connection.execute(insert, [{"account": a, "block": b, "log": log} for a, b, log in ROWS])
    engine.dispose()
    database = open_database(url)
    with Session(database.engine) as session:
        kept = session.exec(select(EventAccountRow)).all()
        found = {(int(row.account, 16), row.block_number): unpacked(row.log_indexes) for row in kept}
    database.close()
    assert found == {(1, 7): (0, 300), (1, 9): (1,), (2, 7): (70_000,)}
