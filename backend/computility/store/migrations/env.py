"""Alembic's entry: always on the connection that ``computility.store.engine`` hands over."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from computility.store import tables
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, ChainColumn, HashColumn

assert tables.__all__


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Column types by their short names."""
    if kind == "type" and isinstance(item, Amount | AddressColumn | ChainColumn | HashColumn):
        return f"{type(item).__name__}()"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String({item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
