"""What is tried, one rollout after the other, and what came of it."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.proofs.rollout.faults import FAULTS, SHIFTED, UNSIGNED
from tests.proofs.rollout.stage import Stage
from tests.proofs.rollout.watch import DATASET

ROLLBACK_S = 30
KILLS = (0, 5, 25, 100)  # percent at which the deployer is killed


@dataclass(frozen=True)
class Outcome:
    """One line of the table."""

    what: str
    ended: str
    percent: int
    seconds: float | None
    right: bool
    said: str


def bad(stage, fault, model=None):
    """Roll out a candidate that must be sent back, by the guard that is there for it."""
    stage.serve(fault.kind, fault.after)
    before = stage.champion()
    code, said = stage.roll_out(model or stage.candidates.good())
    stage.watch.until(None)
    seconds, most = 0.0, stage.watch.most  # a trial that nobody saw was over between two looks
    if (began := stage.watch.began) and (ended := stage.watch.ended):
        showed = float(stage.mark.read_text()) if stage.mark.exists() else began
        seconds = ended - max(showed, began)
    right = (
        code == 2
        and fault.is_met(said, most)
        and stage.mark.exists() == bool(fault.kind)
        and stage.champion() == before
        and seconds <= ROLLBACK_S
    )
    return Outcome(fault.what, "rolled back", most, seconds, right, said.split(": ", 1)[-1])


def good(stage, what, model):
    """Roll out a candidate that must be promoted."""
    wanted = stage.registry.named(DATASET, model)
    code, said = stage.roll_out(model)
    right = code == 0 and stage.registry.champion(DATASET) == wanted
    return Outcome(what, "promoted", stage.watch.most, None, right, said)


def killed(stage, percent):
    """Kill the deployer, see the lease end, and run it again."""
    model, before = stage.candidates.good(), stage.champion()
    lapse = []

    def kill(deployer):
        stage.watch.until(percent)
        time.sleep(0.3)
        os.kill(deployer.process.pid, signal.SIGKILL)
        deployer.process.wait()
        dead = time.monotonic()
        stage.watch.until(0)
        lapse.append(time.monotonic() - dead)

    code, _ = stage.roll_out(model, kill)
    untouched = stage.champion() == before
    code, said = stage.roll_out(model)
    right = untouched and code == 0 and stage.champion() == model and lapse[0] <= ROLLBACK_S
    what = f"deployer killed at {percent} %, run again"
    return Outcome(what, "promoted", percent, lapse[0], right, said)


def scenes(stage: Stage) -> Iterator[Outcome]:
    """Yield what came of everything that is tried."""
    for fault in FAULTS:
        yield bad(stage, fault)
    yield bad(stage, UNSIGNED, stage.candidates.unsigned())
    yield bad(stage, SHIFTED, stage.candidates.shifted())
    yield good(stage, "is good", stage.candidates.good())
    for percent in KILLS:
        yield killed(stage, percent)
    yield good(stage, "served before, a person goes back", "previous")
