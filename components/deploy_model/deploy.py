"""A model comes into service by degrees, and is sent back at the first sign that it should not.

Every step may be repeated: killed at any line and run again, it ends the same.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from components.contracts.model import PackageLayout
from components.contracts.policy import RolloutPolicy
from components.contracts.refusal import Refusal
from components.deploy_model.interview import Breach, Interview
from components.deploy_model.pictures import Pictures, pictures_of
from components.deploy_model.rollout import Register, Rollout, steps_of
from components.deploy_model.target import Fetch, Target, Unreachable
from components.deploy_model.trial import MACHINE, Clock, Trial
from components.store.registry import AuditEntry, PromotionConflict, Version


def deploy(
    register: Register,
    target: Target,
    version: Version,
    fetch: Fetch,
    live: Iterable[bytes],
    policy: RolloutPolicy,
    *,
    run: str = "",
    clock: Clock = MACHINE,
) -> Rollout:
    """Put a version in service by degrees, and promote it; or send it back.

    Args:
        register: Knows the champion.
        target: Where it is served.
        version: What shall serve; it has served before, or was compared with who serves.
        fetch: Copies the package to a folder.
        live: JPEGs that cameras took lately; the golden ones stand in for them.
        policy: The steps and the limits.
        run: Names this run: tried again, it does not try again what it sent back.
        clock: Counts the seconds.

    Raises:
        Refusal: If the package is not what it says, the servers are not to be reached, or
            another rollout is under way. Who served before serves on.
        PromotionConflict: If it was compared with another model than the champion.
    """
    dataset, model = version.dataset, version.model
    back = register.has_served(version)
    rollout = _begun(register, version, run, back)
    if rollout.failed:
        return rollout
    package = PackageLayout(target.hold(dataset, model, fetch))
    pictures = pictures_of(package, live, policy.probes)
    if model == rollout.champion:
        return _again(target, version, pictures)
    beside = rollout.champion is not None and not back
    steps = policy.steps if beside else (0, 100) if back else (0,)
    interview = Interview(target, dataset, model, pictures, beside, clock.now)
    return _tried(register, Trial(interview, policy, clock), steps, rollout, run)


def _begun(register: Register, version: Version, run: str, back: bool) -> Rollout:
    """Claim the rollout; it has failed already if this run has sent the model back."""
    register.claim(version.dataset)
    champion = register.champion(version.dataset)
    before = champion.model if champion else None
    if not back:
        _check_compared(version, before)
    reason = _verdict(register.history(version.dataset), version.model, run)
    return Rollout(version, before, reason or "", failed=bool(reason))


def _tried(
    register: Register, trial: Trial, steps: Sequence[int], rollout: Rollout, run: str
) -> Rollout:
    """Go through the steps and promote the candidate; or send it back, whatever happened."""
    interview, version = trial.interview, rollout.version
    rollout = replace(rollout, looks=trial.looks, note=interview.target.note)
    try:
        trial.run(steps)
        detail = {"steps": steps_of(trial.looks)}
        register.promote(version.dataset, version.model, rollout.champion, detail)
    except (Exception, KeyboardInterrupt, SystemExit) as cause:
        return _sent_back(register, interview.target, rollout, cause, run)
    return _served(register, interview.target, rollout, interview.pictures)


def _check_compared(version: Version, champion: str | None) -> None:
    if version.compared_with != champion:
        then, now = ((digest or "nothing")[:12] for digest in (version.compared_with, champion))
        raise PromotionConflict(
            f"{version.name} was compared with {then}, but {now} is in service: "
            "train again, so that both are compared"
        )


def _verdict(history: Sequence[AuditEntry], model: str, run: str) -> str | None:
    """Return why this run sent the model back already, or None if it has not."""
    said = [
        str(entry.detail["reason"])
        for entry in history
        if run and (entry.action, entry.model) == ("rolled_back", model)
        and entry.detail.get("run") == run
    ]  # fmt: skip
    return said[-1] if said else None


def _again(target: Target, version: Version, pictures: Pictures) -> Rollout:
    """Let the champion serve, if a killed deployment or a lost server left another state."""
    dataset, model = version.dataset, version.model
    answer = target.ask(dataset, pictures.golden[0].jpeg, "stable")
    if answer and answer.model == model and target.serving(dataset) == model:
        target.abandon(dataset)
        return Rollout(version, model, f"{model[:12]} serves already")
    target.serve(dataset, model)
    return Rollout(version, model, f"{model[:12]} is champion and serves again")


def _sent_back(
    register: Register, target: Target, rollout: Rollout, cause: BaseException, run: str
) -> Rollout:
    """End a trial at once, write down why, and raise again what is no verdict."""
    version = rollout.version
    try:
        target.abandon(version.dataset)
    finally:
        now = f"{rollout.champion[:12]} serves on" if rollout.champion else "nothing serves"
        why = str(cause) or type(cause).__name__
        sentence = f"{version.model[:12]} is sent back, {now}: {why}"
        verdict = isinstance(cause, Breach)
        detail = {
            "steps": steps_of(rollout.looks),
            "kept": rollout.champion,
            **({"run": run} if verdict else {}),
        }
        register.roll_back(version, sentence, detail, verdict=verdict)
    if not verdict:
        raise cause
    return replace(rollout, sentence=sentence, failed=True)


def _served(
    register: Register, target: Target, rollout: Rollout, pictures: Pictures
) -> Rollout:  # fmt: skip
    """Exchange the stable package for the promoted one; if it does not answer, step back."""
    dataset, model, before = rollout.version.dataset, rollout.version.model, rollout.champion
    try:
        target.serve(dataset, model)
        answer = target.ask(dataset, pictures.golden[0].jpeg, "stable")
        if answer is None or answer.model != model:
            who = answer.model[:12] if answer else "nothing"
            raise Refusal(f"{who} answers instead of {model[:12]}")
    except Unreachable:
        raise  # the servers are gone, not the model: who tries again finds it champion
    except Refusal as cause:
        if before is None:
            raise
        with suppress(PromotionConflict):  # who became champion by now, puts itself in service
            register.promote(dataset, before, model, {"reason": str(cause)})
            target.serve(dataset, before)
        raise
    golden, looks = len(pictures.golden), rollout.looks
    met = sum(int(step["requests"]) for step in steps_of(looks))
    sentence = (
        f"serving {model[:12]}: {golden} golden answers right, {met:,} requests answered on trial"
    )
    return replace(rollout, sentence=sentence)
