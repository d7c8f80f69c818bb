"""Model registry in PostgreSQL: versions, aliases, promotions, decisions and outcomes.

Registering a model twice gives the same version, and of two concurrent promotions one fails.
"""

from collections.abc import Mapping
from typing import Any

from psycopg2 import extensions

from components.shared.contracts.errors import OutageError, UserError
from components.shared.contracts.report import Decision
from components.shared.store import aliases, audit_log, decisions
from components.shared.store import versions as rows
from components.shared.store.aliases import Alias, PromotionConflictError
from components.shared.store.audit_log import AuditEntry
from components.shared.store.postgres import outages, probe_client
from components.shared.store.versions import Version

__all__ = ["Alias", "AuditEntry", "PromotionConflictError", "Registry", "Version"]


class Registry:
    """Versions and aliases of every dataset's model, and the decisions about windows.

    Each method is one transaction on an open connection to a migrated database.
    """

    def __init__(self, connection: extensions.connection) -> None:
        self._connection = connection

    def register(
        self,
        dataset: str,
        model: str,
        uri: str,
        snapshot: str,
        lineage: Mapping[str, Any],
        metrics: Mapping[str, float],
        reason: str,
        compared_with: str | None = None,
    ) -> Version:
        """Give a model its version number and make it the challenger, unless it is the champion.

        A model that is registered keeps all that is known of it, but with whom it was compared.

        Args:
            dataset: Whose model it is.
            model: Digest of its package.
            uri: Folder in the object store, a `RegisteredLayout`.
            snapshot: Id of the snapshot it learned from.
            lineage: Lineage of the model, as JSON.
            metrics: Its numbers by name.
            reason: Why it is worth keeping, in a sentence.
            compared_with: Digest of the champion that it won against; None: there was none.
        """
        with self._connection as connection, connection.cursor() as cursor:
            rows.lock(cursor, dataset)
            known = rows.compared_again(cursor, dataset, model, compared_with)
            version = known or Version(
                dataset=dataset, version=rows.next_version(cursor, dataset), model=model, uri=uri,
                snapshot=snapshot, lineage=dict(lineage), metrics=dict(metrics), reason=reason,
                compared_with=compared_with,
            )  # fmt: skip
            if not known:
                rows.insert(cursor, version)
                audit_log.audit(cursor, version, "registered", {"reason": reason})
            if aliases.of_alias(cursor, dataset, "champion") != version:
                aliases.point(cursor, "challenger", version)
        return version

    def champion(self, dataset: str) -> Version | None:
        """Return the version in service, or None before the first."""
        return self.alias(dataset, "champion")

    def alias(self, dataset: str, alias: Alias) -> Version | None:
        """Return the version of an alias, or None."""
        with self._connection as connection, connection.cursor() as cursor:
            return aliases.of_alias(cursor, dataset, alias)

    def versions(self, dataset: str) -> list[Version]:
        """Return every version of a dataset's model, oldest first."""
        with self._connection as connection, connection.cursor() as cursor:
            cursor.execute(f"{rows.SELECT} WHERE dataset = %s ORDER BY version", (dataset,))
            return [rows.version_of(row) for row in cursor.fetchall()]

    def named(self, dataset: str, name: str) -> Version:
        """Return the version of a digest, a prefix of one, or an alias.

        Raises:
            UserError: If there is none, or several begin so.
        """
        with self._connection as connection, connection.cursor() as cursor:
            return aliases.named(cursor, dataset, name)

    def has_served(self, version: Version) -> bool:
        """Return whether a version was champion before: going back to it is no promotion."""
        with self._connection as connection, connection.cursor() as cursor:
            return audit_log.has_served(cursor, version)

    def history(self, dataset: str) -> list[AuditEntry]:
        """Return the audit log of a dataset's models, oldest first."""
        with self._connection as connection, connection.cursor() as cursor:
            return audit_log.audited(cursor, dataset)

    def promote(
        self,
        dataset: str,
        model: str,
        expected_champion: str | None,
        detail: Mapping[str, Any] | None = None,
    ) -> Version:
        """Make a version the champion, if the champion is still the one that the caller read.

        The old champion becomes `previous`; the model is no challenger any longer.
        Promoting the champion changes nothing.

        Args:
            dataset: Whose model it is.
            model: Digest of a registered package.
            expected_champion: Digest of whom the caller compared with; None: of nobody.
            detail: Detail of the audit entry, as JSON.

        Raises:
            PromotionConflictError: If another model serves by now.
            UserError: If the model is not registered.
        """
        with self._connection as connection, connection.cursor() as cursor:
            rows.lock(cursor, dataset)
            version = rows.of_model(cursor, dataset, model)
            if version is None:
                raise UserError(f"model {model[:12]} is not registered for {dataset}")
            champion = aliases.of_alias(cursor, dataset, "champion")
            if champion == version:
                return version
            aliases.check_champion(dataset, champion, expected_champion)
            if champion:
                aliases.point(cursor, "previous", champion)
            aliases.point(cursor, "champion", version)
            aliases.remove(cursor, "challenger", version)
            action = "restored" if audit_log.has_served(cursor, version) else "promoted"
            record = {"instead_of": expected_champion, **(detail or {})}
            audit_log.audit(cursor, version, action, record)
        return version

    def claim(self, dataset: str) -> None:
        """Lock the rollouts of a dataset until this connection ends.

        Raises:
            OutageError: If another one is rolling out, or the database does not answer.
        """
        away = outages(f"the rollout of {dataset} cannot be claimed, try again")
        with away, self._connection as connection, connection.cursor() as cursor:
            probe_client(cursor)
            claimed = rows.claimed(cursor, dataset)
        if not claimed:
            raise OutageError(f"another model of {dataset} is being rolled out: wait for its end")

    def roll_back(
        self, version: Version, reason: str, detail: Mapping[str, Any], *, verdict: bool
    ) -> None:
        """Record that a candidate was rolled back before it became champion.

        Args:
            version: The candidate.
            reason: Why, in a sentence.
            detail: What else the audit shall tell of it, as JSON.
            verdict: Whether it is to blame; then it is no challenger any longer.
        """
        with self._connection as connection, connection.cursor() as cursor:
            if verdict:
                aliases.remove(cursor, "challenger", version)
            record = {"reason": reason, **detail, "verdict": verdict}
            audit_log.audit(cursor, version, "rolled_back", record)

    def step_back(self, version: Version, before: Version, detail: Mapping[str, Any]) -> None:
        """Restore the champion before a version that failed to serve.

        Raises:
            PromotionConflictError: If another model serves by now.
        """
        with self._connection as connection, connection.cursor() as cursor:
            rows.lock(cursor, version.dataset)
            champion = aliases.of_alias(cursor, version.dataset, "champion")
            aliases.check_champion(version.dataset, champion, version.model)
            aliases.step_back(cursor, version, before, {**detail, "verdict": True})

    def decide(
        self,
        window_id: str,
        dataset: str,
        until: int,
        retrain: bool,
        reason: str,
        facts: Mapping[str, Any],
    ) -> Decision:
        """Record a decision about a window, and return the one that is stored.

        The first decision about a window stands, whoever decides again.

        Args:
            window_id: The window's id, which follows from its content.
            dataset: Whose window it is.
            until: The watermark it ends with; the next window begins after it.
            retrain: Whether to train again.
            reason: Why, in a sentence.
            facts: The numbers behind it, as JSON.
        """
        with self._connection as connection, connection.cursor() as cursor:
            return decisions.decide(
                cursor, window_id, dataset, until, Decision(retrain=retrain, reason=reason), facts
            )

    def count_decisions(self, dataset: str) -> int:
        """Count the decisions about a dataset's windows."""
        with self._connection as connection, connection.cursor() as cursor:
            return decisions.count(cursor, dataset)

    def submit(self, window_id: str, dataset: str, command: str) -> bool:
        """Claim the training that a window asks for: True the first time, False afterwards.

        Args:
            window_id: Id of a window that has a decision.
            dataset: Name of the dataset.
            command: The command that starts the training.
        """
        with self._connection as connection, connection.cursor() as cursor:
            return decisions.submit(cursor, window_id, dataset, command)

    def submitted(self, window_id: str) -> str | None:
        """Return the command or run of a window's training; None if none was submitted."""
        with self._connection as connection, connection.cursor() as cursor:
            return decisions.submitted(cursor, window_id)

    def last_watermark(self, dataset: str) -> int:
        """Return the end of the last window with a decision; 0 before the first."""
        with self._connection as connection, connection.cursor() as cursor:
            return decisions.last_watermark(cursor, dataset)

    def record_outcome(self, run_id: str, pipeline: str, state: str, reason: str) -> None:
        """Record the outcome of a run; a retry of the run replaces it.

        Args:
            run_id: Id of the run.
            pipeline: Name of the pipeline.
            state: Final state, such as SUCCEEDED.
            reason: Reason of a failure; empty if there is none.
        """
        with self._connection as connection, connection.cursor() as cursor:
            decisions.record_outcome(cursor, run_id, pipeline, state, reason)
