"""Migrate the database schema: `python -m components.shared.store.migrate`, as the owner."""

import os
import sys
from contextlib import closing

from components.shared.contracts.progress import log_progress
from components.shared.contracts.refusal import Refusal
from components.shared.store.postgres import connect, migrate


def main() -> int:
    """Apply missing migrations to DATABASE_URL; return 0 when none is missing, 2 on a refusal."""
    try:
        with closing(connect(os.environ["DATABASE_URL"])) as connection:
            applied = migrate(connection)
    except KeyError as missing:
        print(f"the environment lacks {missing}", file=sys.stderr)
        return 2
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 2
    log_progress(f"applied {', '.join(applied)}" if applied else "the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
