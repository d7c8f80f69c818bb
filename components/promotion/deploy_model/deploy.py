"""Deploy a registered model by a canary rollout, and promote it or roll it back.

Every step is idempotent: a run that was killed at any line and is repeated ends the same.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from components.promotion.deploy_model.canary import MACHINE, CanaryRollout, Clock
from components.promotion.deploy_model.latency_recheck import InconclusiveLatencyError
from components.promotion.deploy_model.pictures import ProbeImages, pictures_of
from components.promotion.deploy_model.prober import GuardBreachError, Prober
from components.promotion.deploy_model.rollout import Register, Rollout, last_of, steps_of
from components.promotion.deploy_model.target import Fetch, PackageNotServedError, Target
from components.shared.contracts.errors import ApplicationError, OutageError
from components.shared.contracts.model import PackageLayout
from components.shared.contracts.policy import GoldenPolicy, RolloutPolicy
from components.shared.inference.golden import TOLERANCE
from components.shared.store.registry import PromotionConflictError, Version


def deploy(
    register: Register,
    target: Target,
    version: Version,
    fetch: Fetch,
    live: Iterable[bytes],
    policy: RolloutPolicy,
    tolerance: GoldenPolicy = TOLERANCE,
    *,
    run: str = "",
    clock: Clock = MACHINE,
) -> Rollout:
    """Deploy a version by a canary rollout, and promote it or roll it back.

    Args:
        register: The model registry.
        target: Where models are served.
        version: Version to deploy; it was champion before, or was compared with the champion.
        fetch: Copies the package to a folder.
        live: Recently served JPEGs; if there are none, the golden images are used.
        policy: Steps of the traffic share and limits.
        tolerance: Of the answers to golden images.
        run: Name of the run; a retry does not deploy again a model that it rolled back.
        clock: Measures time and waits.

    Raises:
        UserError: If the package is damaged, the servers are not reachable, or another rollout
            is under way. The champion serves on.
        PromotionConflictError: If the champion is not the one that it was compared with.
    """
    dataset, model = version.dataset, version.model
    rollout = _claim_rollout(register, version, run, was_champion := register.has_served(version))
    if rollout.failed:
        return _finish_rollback(target, rollout)
    package = target.fetch_package(dataset, model, fetch)
    pictures = pictures_of(PackageLayout(package), live, policy.max_probes)
    if model == rollout.champion:
        return _redeploy(target, version, pictures)
    with_champion, steps = _steps(rollout, policy, was_champion)
    prober = Prober(target, dataset, model, pictures, with_champion, clock.now, policy, tolerance)
    return _run_canary(register, CanaryRollout(prober, policy, clock), steps, rollout)


def _steps(
    rollout: Rollout, policy: RolloutPolicy, was_champion: bool
) -> tuple[bool, tuple[int, ...]]:
    """Return whether the champion is compared with, and the traffic shares."""
    with_champion = rollout.champion is not None and not was_champion
    return with_champion, policy.steps if with_champion else (0, 100) if was_champion else (0,)


def _claim_rollout(register: Register, version: Version, run: str, was_champion: bool) -> Rollout:
    """Lock the rollout; it has failed already if this run has rolled the model back."""
    register.claim(version.dataset)
    champion = register.champion(version.dataset)
    before = champion.model if champion else None
    rollout = Rollout(version, before, run=run)
    done = last_of(register.history(version.dataset), run)
    if done and done.model == version.model:
        if done.action in ("rolled_back", "stepped_back"):
            return replace(rollout, sentence=str(done.detail["reason"]), failed=True)
        if version.model != before:
            now = before[:12] if before else "nothing"
            raise PromotionConflictError(
                f"this run promoted {version.name} before, but {now} is in service now and stays"
            )
    if not was_champion:
        _check_compared(version, before)
    return rollout


def _finish_rollback(target: Target, rollout: Rollout) -> Rollout:
    """Remove the candidate, and restore the champion, if the run was killed since."""
    dataset, champion = rollout.version.dataset, rollout.champion
    target.remove_candidate(dataset)
    if champion and target.stable_model(dataset) != champion:
        target.serve(dataset, champion)
    return rollout


def _run_canary(
    register: Register, canary: CanaryRollout, steps: Sequence[int], rollout: Rollout
) -> Rollout:
    """Run the steps and promote the candidate; roll it back after any exception."""
    prober, version = canary.prober, rollout.version
    if rollout.champion and prober.target.stable_model(version.dataset) == version.model:
        # The stable model must not be the candidate: a rollback would leave no model.
        prober.target.serve(version.dataset, rollout.champion)
    rollout = replace(rollout, observations=canary.observations, note=prober.target.note)
    try:
        canary.run(steps)
        detail = {"steps": steps_of(canary.observations), **_run_detail(rollout)}
        register.promote(version.dataset, version.model, rollout.champion, detail)
    except (Exception, KeyboardInterrupt, SystemExit) as cause:
        if _is_champion(register, version):  # it was promoted before the interruption
            _serve_promoted(register, prober.target, rollout, prober.pictures)
            raise
        return _roll_back(register, prober.target, rollout, cause)
    return _serve_promoted(register, prober.target, rollout, prober.pictures)


def _check_compared(version: Version, champion: str | None) -> None:
    if version.compared_with != champion:
        then, now = ((digest or "nothing")[:12] for digest in (version.compared_with, champion))
        raise PromotionConflictError(
            f"{version.name} was compared with {then}, but {now} is in service now: "
            "train again to compare with it"
        )


def _is_champion(register: Register, version: Version) -> bool:
    with suppress(Exception):  # without a registry, the candidate goes out of traffic first
        champion = register.champion(version.dataset)
        return champion is not None and champion.model == version.model
    return False


def _run_detail(rollout: Rollout) -> dict[str, str]:
    """Return the name of the run, by which a retry finds its audit entry."""
    return {"run": rollout.run} if rollout.run else {}


def _redeploy(target: Target, version: Version, pictures: ProbeImages) -> Rollout:
    """Deploy the champion again, with the settings of now."""
    dataset, model = version.dataset, version.model
    if target.is_current(dataset, model):
        answer = target.detect(dataset, pictures.golden[0].jpeg, "stable")
        if answer and answer.model == model:
            target.remove_candidate(dataset)
            return Rollout(version, model, f"model {model[:12]} is in service already")
    target.serve(dataset, model)
    return Rollout(version, model, f"champion {model[:12]} is in service again")


def _roll_back(
    register: Register, target: Target, rollout: Rollout, cause: BaseException
) -> Rollout:
    """Roll a candidate back, record the reason, and raise again if it is no verdict."""
    version, verdict = rollout.version, isinstance(cause, GuardBreachError)
    left: OutageError | None = None
    try:
        target.remove_candidate(version.dataset)
    except OutageError as outage:
        left = outage
    finally:
        sentence = _outcome(register, rollout, cause)
        sentence += f"; the candidate is not removed: {left}" if left else ""
        detail = {
            "steps": steps_of(rollout.observations),
            "kept": rollout.champion,
            **(_run_detail(rollout) if verdict else {}),
        }
        register.roll_back(version, sentence, detail, verdict=verdict)
    if left and isinstance(cause, ApplicationError):
        raise OutageError(sentence) from left  # a run that is tried again ends the trial first
    if verdict or isinstance(cause, InconclusiveLatencyError):
        return replace(rollout, sentence=sentence, failed=True)
    raise cause


def _outcome(register: Register, rollout: Rollout, cause: BaseException) -> str:
    """Return the outcome in a sentence: model in service, reason, and next step."""
    version, why = rollout.version, str(cause) or type(cause).__name__
    model = version.model[:12]
    champion = rollout.champion
    now = f"champion {champion[:12]} stays in service" if champion else "no model is in service"
    if isinstance(cause, InconclusiveLatencyError):
        return f"{model} not promoted under load, {now}: {why}; no verdict on the model, try again"
    if not isinstance(cause, GuardBreachError):
        return f"{model} not promoted, {now}: {why}; no verdict on the model"
    lost = ""
    if register.alias(version.dataset, "challenger") == version:
        lost = f"{model} is no longer the challenger; "
    return f"{model} rolled back, {now}: {why}; {lost}to try again, deploy model {model}"


def _serve_promoted(
    register: Register, target: Target, rollout: Rollout, pictures: ProbeImages
) -> Rollout:  # fmt: skip
    """Replace the stable package by the promoted one; go back if it does not answer."""
    dataset, model, before = rollout.version.dataset, rollout.version.model, rollout.champion
    try:
        target.serve(dataset, model)
        answer = target.detect(dataset, pictures.golden[0].jpeg, "stable")
        if answer is None or answer.model != model:
            who = answer.model[:12] if answer else "nothing"
            raise PackageNotServedError(f"{who} answers instead of {model[:12]}")
    except PackageNotServedError as cause:  # other errors are no fault of the model
        if before is None:
            raise
        target.request_metrics(dataset, "stable")  # raises if the target itself is away
        with suppress(PromotionConflictError):  # a newer champion deploys itself
            why = (
                f"{model[:12]} does not start in service, {before[:12]} is champion again: {cause}"
            )
            detail = {"reason": why, "kept": before, **_run_detail(rollout)}
            register.step_back(rollout.version, register.named(dataset, before), detail)
            target.serve(dataset, before)
        raise
    golden, observations = len(pictures.golden), rollout.observations
    met = sum(int(step["requests"]) for step in steps_of(observations))
    sentence = (
        f"model {model[:12]} is in service: {golden} golden images answered correctly, "
        f"{met:,} client requests during the canary"
    )
    return replace(rollout, sentence=sentence)
