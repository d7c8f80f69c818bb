"""Read, create, update and await one InferenceService, with optimistic locking.

Each write is tried as a dry run first, to find fields that the API server would drop.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from components.promotion.deploy_model.kserve.capabilities import SERVICES, dropped
from components.shared.cluster.client import Body, Cluster, ClusterError, ConflictError
from components.shared.contracts.errors import OutageError, UserError

LOOK_S = 0.5  # between two reads of a status
RECENT_S = 1.0  # the object is cached for this time
ATTEMPTS = 8  # to write while KServe writes the status


class ReconcileTimeoutError(OutageError):
    """A wait ended without the expected state."""


class InferenceService:
    """One InferenceService of the cluster.

    Args:
        cluster: The cluster.
        name: Name of the InferenceService.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._recent: tuple[float, Body | None] = (0.0, None)
        self.name = name

    def get(self) -> Body | None:
        """Return the object, or None if it does not exist."""
        found = self._cluster.get(SERVICES, self.name)
        self._recent = (time.monotonic(), found)
        return found

    def recent(self) -> Body | None:
        """Return the object, at most a second old."""
        seen, found = self._recent
        fresh = found is not None and time.monotonic() - seen < RECENT_S
        return found if fresh else self.get()

    def create(self, body: Body) -> None:
        """Create the object, if the API server keeps every field.

        Raises:
            ConflictError: If it exists.
            UserError: If a field would be dropped.
        """
        _check_kept(body, self._cluster.create(SERVICES, body, dry_run=True))
        self._cluster.create(SERVICES, body)

    def change(self, plan: Callable[[Body], Body]) -> Body:
        """Update the object by a function, with optimistic locking on its spec.

        If KServe has written the status meanwhile, the update is tried again.

        Args:
            plan: Returns the new object; it may refuse.

        Raises:
            ConflictError: If another client has changed the spec.
            UserError: If the object does not exist, or a field would be dropped.
        """
        generation = None
        for _ in range(ATTEMPTS):
            found = self.get()
            if found is None:
                raise UserError(f"there is no InferenceService {self.name} (any more)")
            if generation not in (None, found["metadata"]["generation"]):
                raise ConflictError(f"someone else changed the InferenceService {self.name}")
            generation = found["metadata"]["generation"]
            wanted = plan(found)
            if wanted == found:
                return found
            try:
                _check_kept(wanted, self._cluster.replace(SERVICES, wanted, dry_run=True))
                written = self._cluster.replace(SERVICES, wanted)
            except ConflictError:
                continue
            self._recent = (time.monotonic(), written)
            return written
        raise ConflictError(f"the InferenceService {self.name} changes all the time")

    def tried(self, plan: Callable[[Body], Body]) -> tuple[Body, Body]:
        """Return the object, and the object after an update, by a dry run.

        Raises:
            ConflictError: If the object changes at every attempt.
            UserError: If it does not exist.
        """
        for _ in range(ATTEMPTS):
            found = self.get()
            if found is None:
                break
            wanted = plan(found)
            with suppress(ConflictError):
                return found, self._cluster.replace(SERVICES, wanted, dry_run=True)
        else:
            raise ConflictError(f"the InferenceService {self.name} changes all the time")
        raise UserError(f"there is no InferenceService {self.name} (any more)")

    def delete(self) -> None:
        """Delete the object and all that it owns."""
        self._cluster.delete(SERVICES, self.name)
        self._recent = (0.0, None)

    def until(self, missing: Callable[[Body], str | None], seconds: float, what: str) -> None:
        """Wait for a state of the object.

        Args:
            missing: Returns what is missing in words, or None; it may refuse.
            seconds: Timeout, in seconds.
            what: Begin of the message after a timeout.

        Raises:
            ReconcileTimeoutError: After the timeout.
            UserError: If `missing` refuses.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = self.get()
                reason = missing(found) if found else f"there is no {self.name}"
            except ClusterError as cause:
                reason = str(cause)
            if reason is None:
                return
            if time.monotonic() > deadline:
                raise ReconcileTimeoutError(f"{what} after {seconds:.0f} s: {reason}")
            time.sleep(LOOK_S)


def conditions(service: Body) -> str:
    """Return the conditions that are not True, in words."""
    found = service.get("status", {}).get("conditions") or []
    return ", ".join(
        f"{each['type']} is {each['status']} ({each.get('message') or each.get('reason') or '-'})"
        for each in found
        if each.get("status") != "True" and each.get("type") != "Stopped"
    )


def _check_kept(sent: Body, kept: Body) -> None:
    path = dropped(sent["spec"], kept["spec"])
    if path:
        raise UserError(
            f"the API server would drop {path} in silence: its KServe is older than these settings"
        )
