"""Migrate the database schema: `python -m components.shared.store.migrate`, as the owner."""

import os
import sys
from contextlib import closing

from components.shared.contracts.errors import ApplicationError, ExitCode
from components.shared.contracts.progress import log_progress
from components.shared.store.postgres import connect, migrate


def main() -> int:
    """Apply missing migrations to DATABASE_URL; return the exit code."""
    try:
        with closing(connect(os.environ["DATABASE_URL"])) as connection:
            applied = migrate(connection)
    except KeyError as missing:
        print(f"the environment lacks {missing}", file=sys.stderr)
        return ExitCode.REFUSED
    except ApplicationError as error:
        print(error, file=sys.stderr)
        return ExitCode.of(error)
    log_progress(f"applied {', '.join(applied)}" if applied else "the schema is up to date")
    return ExitCode.SUCCEEDED


if __name__ == "__main__":
    sys.exit(main())
