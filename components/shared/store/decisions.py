"""SQL of retraining decisions, submissions and run outcomes, in the transaction of the caller."""

from collections.abc import Mapping
from typing import Any

from psycopg2 import extensions
from psycopg2.extras import Json

from components.shared.contracts.report import Decision


def decide(
    cursor: extensions.cursor,
    window_id: str,
    dataset: str,
    until: int,
    decision: Decision,
    facts: Mapping[str, Any],
) -> Decision:
    """Record a decision about a window unless it has one, and return the one that is stored.

    Args:
        cursor: In a transaction of the caller.
        window_id: Id of the window.
        dataset: Name of the dataset.
        until: The watermark at the end of the window.
        decision: Whether to train again, and why.
        facts: The numbers behind it, as JSON.
    """
    cursor.execute(
        "INSERT INTO registry.decisions (window_id, dataset, until, retrain, reason, facts)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (window_id) DO NOTHING",
        (window_id, dataset, until, decision.retrain, decision.reason, Json(dict(facts))),
    )
    cursor.execute(
        "SELECT retrain, reason FROM registry.decisions WHERE window_id = %s", (window_id,)
    )
    ((retrain, reason),) = cursor.fetchall()
    return Decision(retrain=retrain, reason=reason)


def count(cursor: extensions.cursor, dataset: str) -> int:
    """Count the decisions about a dataset's windows.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute("SELECT count(*) FROM registry.decisions WHERE dataset = %s", (dataset,))
    ((decisions,),) = cursor.fetchall()
    return int(decisions)


def last_watermark(cursor: extensions.cursor, dataset: str) -> int:
    """Return the end of the last window with a decision; 0 before the first.

    Args:
        cursor: Cursor in a transaction of the caller.
        dataset: Name of the dataset.
    """
    cursor.execute(
        "SELECT coalesce(max(until), 0) FROM registry.decisions WHERE dataset = %s", (dataset,)
    )
    ((until,),) = cursor.fetchall()
    return int(until)


def submit(cursor: extensions.cursor, window_id: str, dataset: str, command: str) -> bool:
    """Claim the training of a window: True the first time, False afterwards.

    Args:
        cursor: In a transaction of the caller.
        window_id: Id of a window that has a decision.
        dataset: Name of the dataset.
        command: The command that starts the training.
    """
    cursor.execute(
        "INSERT INTO registry.submissions (window_id, dataset, command)"
        " VALUES (%s, %s, %s) ON CONFLICT (window_id) DO NOTHING",
        (window_id, dataset, command),
    )
    return cursor.rowcount == 1


def submitted(cursor: extensions.cursor, window_id: str) -> str | None:
    """Return the command or run of a window's training; None if none was submitted.

    Args:
        cursor: Cursor in a transaction of the caller.
        window_id: Id of a window that has a decision.
    """
    cursor.execute("SELECT command FROM registry.submissions WHERE window_id = %s", (window_id,))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def record_outcome(
    cursor: extensions.cursor, run_id: str, pipeline: str, state: str, reason: str
) -> None:
    """Record the outcome of a run; a retry of the run replaces it.

    Args:
        cursor: In a transaction of the caller.
        run_id: Id of the run.
        pipeline: Name of the pipeline.
        state: Final state of the run, such as SUCCEEDED.
        reason: Why it failed, in a sentence; empty if it did not.
    """
    cursor.execute(
        "INSERT INTO registry.outcomes (run_id, pipeline, state, reason)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (run_id) DO UPDATE"
        " SET state = excluded.state, reason = excluded.reason, recorded_at = now()",
        (run_id, pipeline, state, reason),
    )
