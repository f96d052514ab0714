"""Write a migration that brings the schema from the last migration to the tables of computility.store, for you to read and correct.

.venv/bin/python scripts/migration.py "what changes"
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from computility.store.engine import build_engine
from computility.store.schema import migration_config


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        engine = build_engine(f"sqlite:///{Path(folder) / 'schema.sqlite'}")
        with engine.begin() as connection:
            config = migration_config(connection)
            command.upgrade(config, "head")
            number = (
                len(list((Path(str(config.get_main_option("script_location"))) / "versions").glob("[0-9]*.py"))) + 1
            )
            command.revision(config, message=sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
        engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
