"""The record of a rollout, and the protocol of the model registry that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from components.promotion.deploy_model.canary import Observation
from components.shared.contracts.errors import JobError
from components.shared.store.registry import Alias, AuditEntry, Version


class RolledBackError(JobError):
    """A candidate was rolled back; the champion still serves."""


class Register(Protocol):
    """The model registry as a deployment needs it; implemented by `store.registry.Registry`."""

    def claim(self, dataset: str) -> None:
        """Lock rollouts of the dataset, or refuse if another one is under way."""

    def named(self, dataset: str, name: str) -> Version:
        """Return the version that a digest or an alias names, or refuse.

        Args:
            dataset: Name of the dataset.
            name: Digest, the first digits of one, or an alias.
        """

    def champion(self, dataset: str) -> Version | None:
        """Return the version in service."""

    def alias(self, dataset: str, alias: Alias) -> Version | None:
        """Return the version that an alias points at, or None if there is none.

        Args:
            dataset: Name of the dataset.
            alias: `champion`, `challenger` or `previous`.
        """

    def has_served(self, version: Version) -> bool:
        """Return whether a version was champion before, and came up in service."""

    def history(self, dataset: str) -> list[AuditEntry]:
        """Return the audit entries of a dataset, oldest first."""

    def promote(
        self,
        dataset: str,
        model: str,
        expected_champion: str | None,
        detail: Mapping[str, Any] | None = None,
    ) -> Version:
        """Make a version champion, if the champion is still the expected one.

        Args:
            dataset: Name of the dataset.
            model: Digest of the new champion.
            expected_champion: Digest of the champion that the caller read; None if there was none.
            detail: Facts for the audit log, as JSON.
        """

    def roll_back(
        self, version: Version, reason: str, detail: Mapping[str, Any], *, verdict: bool
    ) -> None:
        """Record that a candidate was rolled back; `verdict`: for its own fault.

        Args:
            version: The candidate.
            reason: A sentence for people.
            detail: Facts for the audit log, as JSON.
            verdict: Whether the candidate itself was at fault.
        """

    def step_back(self, version: Version, before: Version, detail: Mapping[str, Any]) -> None:
        """Make the former champion champion again, if `version` is it now.

        Args:
            version: The champion that does not serve.
            before: The champion before it.
            detail: Facts for the audit log, as JSON.
        """


@dataclass(frozen=True, slots=True)
class Rollout:
    """The record of one rollout.

    Attributes:
        version: The version to deploy.
        champion: Digest of the champion before the rollout, or None.
        sentence: The outcome.
        observations: The evidence, in order of time.
        failed: Whether the candidate was rolled back.
        note: A remark about the target, for the page.
        run: Name of the pipeline run.
    """

    version: Version
    champion: str | None
    sentence: str = ""
    observations: Sequence[Observation] = ()
    failed: bool = False
    note: str = ""
    run: str = ""

    def model(self) -> str:
        """Return the digest of the model that serves.

        Raises:
            RolledBackError: If it is not the one that should.
        """
        if self.failed:
            raise RolledBackError(self.sentence)
        return self.version.model


def about(register: Register, dataset: str, name: str, run: str) -> Version:
    """Return the version that a run deploys, the same at every retry.

    After the run has promoted or rolled back a model, an alias may point at another one.

    Args:
        register: The model registry.
        dataset: Name of the dataset.
        name: Digest or alias, as it was given to the run.
        run: Name of the run.

    Raises:
        UserError: If there is no such version.
    """
    done = last_of(register.history(dataset), run)
    return register.named(dataset, done.model if done else name)


def last_of(history: Sequence[AuditEntry], run: str) -> AuditEntry | None:
    """Return the last promotion or rollback by a run, or None.

    Args:
        history: Audit entries of the dataset, oldest first.
        run: Name of the run.
    """
    done = [entry for entry in history if run and entry.detail.get("run") == run]
    return done[-1] if done else None


def steps_of(observations: Sequence[Observation]) -> list[dict[str, float]]:
    """Return the counts of each step, from its last observation."""
    last = {observation.percent: observation for observation in observations}
    return [
        {
            "percent": percent,
            "until_s": round(observation.at, 1),
            "requests": observation.evidence.candidate.requests,
            "errors": observation.evidence.candidate.errors,
            "asked": observation.evidence.probes,
            "failed": observation.evidence.failed,
        }
        for percent, observation in last.items()
    ]
