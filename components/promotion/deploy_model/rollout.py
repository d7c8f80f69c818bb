"""The record of a rollout, and the protocol of the model registry that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from components.promotion.deploy_model.trial import Look
from components.shared.contracts.refusal import Refusal
from components.shared.store.registry import Alias, AuditEntry, Version


class RolledBack(Refusal):
    """A candidate was sent back; who served before serves on."""


class Register(Protocol):
    """Who serves, as far as a deployment must know; `store.registry.Registry` is the one."""

    def claim(self, dataset: str) -> None:
        """Let no one else roll out a model of the dataset meanwhile, or refuse."""

    def named(self, dataset: str, name: str) -> Version:
        """Return the version that a digest or an alias names, or refuse."""

    def champion(self, dataset: str) -> Version | None:
        """Return the version in service."""

    def alias(self, dataset: str, alias: Alias) -> Version | None:
        """Return the version that an alias points at, or None."""

    def has_served(self, version: Version) -> bool:
        """Say whether a version was champion before, and came up in service."""

    def history(self, dataset: str) -> list[AuditEntry]:
        """Return what was done to the dataset's models, oldest first."""

    def promote(
        self,
        dataset: str,
        model: str,
        expected_champion: str | None,
        detail: Mapping[str, Any] | None = None,
    ) -> Version:
        """Put a version in service, if who serves is still who the caller saw."""

    def roll_back(
        self, version: Version, reason: str, detail: Mapping[str, Any], *, verdict: bool
    ) -> None:
        """Record that a candidate was sent back, for its own fault or not."""

    def step_back(self, version: Version, before: Version, detail: Mapping[str, Any]) -> None:
        """Let who was champion before a version be it again, if the version still is."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What was done.

    Attributes:
        version: What should serve.
        champion: Digest of who served before, or None.
        sentence: How it ended.
        looks: What was seen on the way.
        failed: Whether the candidate was sent back.
        note: What people should know of the place where it was tried.
        run: Names the run that did it.
    """

    version: Version
    champion: str | None
    sentence: str = ""
    looks: Sequence[Look] = ()
    failed: bool = False
    note: str = ""
    run: str = ""

    def model(self) -> str:
        """Return the digest of the model that serves.

        Raises:
            RolledBack: If it is not the one that should.
        """
        if self.failed:
            raise RolledBack(self.sentence)
        return self.version.model


def about(register: Register, dataset: str, name: str, run: str) -> Version:
    """Return the version that a run is about, however often it is tried.

    Once it has promoted or sent back a model, an alias may mean another one.

    Args:
        register: Knows the names.
        dataset: Whose model it is.
        name: Digest or alias, as the run was told.
        run: Names the run.

    Raises:
        Refusal: If there is no such version.
    """
    done = last_of(register.history(dataset), run)
    return register.named(dataset, done.model if done else name)


def last_of(history: Sequence[AuditEntry], run: str) -> AuditEntry | None:
    """Return what a run did last: whom it promoted, or sent back for its own fault.

    Args:
        history: What was done to the dataset's models, oldest first.
        run: Names the run.
    """
    done = [entry for entry in history if run and entry.detail.get("run") == run]
    return done[-1] if done else None


def steps_of(looks: Sequence[Look]) -> list[dict[str, float]]:
    """Return each step of a trial in numbers, as its last look saw it."""
    last = {look.percent: look for look in looks}
    return [
        {
            "percent": percent,
            "until_s": round(look.at, 1),
            "requests": look.seen.candidate.requests,
            "errors": look.seen.candidate.errors,
            "asked": look.seen.asked,
            "failed": look.seen.failed,
        }
        for percent, look in last.items()
    ]
