"""What a real Kubeflow Pipelines 2.17 was seen to do otherwise than we thought, looked at again.

Each function takes the proof, prints one line, and raises UserError if the row does not hold.
"""

import json
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.shared.contracts.account import pipeline_account
from components.shared.contracts.errors import UserError
from components.shared.kubeflow.client import HostError, host_errors, url_of
from components.shared.kubeflow.runs import EXPERIMENT, FINAL_STATES, PAGE, find_version, start_run
from pipelines.graphs import GRAPHS
from pipelines.kubeflow.runs import Run, find
from pipelines.kubeflow.schedules import Schedules
from tests.proofs import kubeflow_graphs as graphs

SOON_S = 600  # for what a cluster does by itself: a schedule of every minute, a pod that waits
AT_ONCE_S = 30  # for an answer of the host
MAX_LOG_LINES = 200  # of a run: 14 tasks
HOURS = 3600.0
SCHEDULE = """
timezone: UTC
schedules:
  - {{name: prove, pipeline: watch, cron: "@every 60s", datasets: {{{dataset}: {{}}}}}}
"""


def unknown_run(proof: Any) -> None:
    """A run that is not there is refused at once."""
    begin = time.monotonic()
    try:
        find(proof.host.client, f"nobody-{proof.dataset}")
    except HostError:
        raise
    except UserError:
        seconds = time.monotonic() - begin
        _must(seconds < AT_ONCE_S, f"an unknown run was refused after {seconds:.0f} s")
        print(f"an unknown run is refused in {seconds:.1f} s", flush=True)
        return
    raise UserError("a run that nobody started was found")


def refused_value(proof: Any) -> None:
    """A value that is none of a parameter's literals is refused by the host."""
    client = proof.host.client
    version = find_version(client, GRAPHS["train"].name)
    with host_errors(url_of(client)):
        spec = client.get_pipeline_version(version.pipeline_id, version.id).pipeline_spec
    spec = spec.get("pipeline_spec", spec)
    inputs = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    limited = [name for name, told in inputs.items() if told.get("literals")]
    if not limited:
        print("no parameter of train has literals: not looked at", flush=True)
        return
    given = {"dataset": proof.dataset, limited[0]: "none of them"}
    try:
        run = start_run(client, f"refused-{proof.dataset}", version, given)
    except HostError as error:
        _must(error.status == 400, f"a wrong {limited[0]} was refused with {error.status}")
        print(f"a wrong {limited[0]} is refused: {error}", flush=True)
        return
    proof.remove(find(client, str(run.run_id)))
    raise UserError(f"a run with a wrong {limited[0]} was started")


def rolled_back_to_nothing(proof: Any) -> Run:
    """A rollback without a model before it fails, and its log says why first and once."""
    run = proof.host.submit("deploy", again=True, dataset=proof.dataset, model="previous")
    proof.later(f"run {run.name}", lambda: proof.remove(run))
    run.wait(HOURS, proof.every)
    _must(run.state == "FAILED", f"a rollback to nothing is {run.state}, expected FAILED")
    lines = run.logs().splitlines()
    why = lines[1].strip() if len(lines) > 1 else ""
    _must(": " in why, f"the log of {run.name} does not begin with why it failed: {why!r}")
    _must(len(lines) <= MAX_LOG_LINES, f"the log of {run.name} has {len(lines)} lines")
    noise = [line for line in lines if re.search("launcher_v2|error_message|KFP Executor", line)]
    _must(not noise, f"the log of {run.name} has lines that are not the tasks': {noise[:2]}")
    print(f"failed as it must, told in {len(lines)} lines: {why}", flush=True)
    return run


def terminated(proof: Any, **chosen: Any) -> Run:
    """A training that is terminated while a task runs."""
    name = f"stopped-{proof.dataset}"
    run = proof.host.submit("train", name=name, dataset=proof.dataset, approval="manual", **chosen)
    proof.later(f"run {run.name}", lambda: proof.remove(run))
    _until(
        proof, lambda: run.refresh().tasks() or run.state in FINAL_STATES, f"{name} did not begin"
    )
    with host_errors(url_of(proof.host.client)):
        proof.host.client.terminate_run(run.id)
    run.wait(HOURS, proof.every)
    _must(not run.succeeded, f"{name} was terminated, and is {run.state}")
    print(f"terminated a training, which is {run.state} now", flush=True)
    return run


def recorded(proof: Any, expected: dict[Run, str]) -> None:
    """The registry says of each run how it ended, and why one failed."""
    ids = {run.id: state for run, state in expected.items()}
    told = proof.ours("outcomes read", graphs.outcomes, runs=list(ids))
    found = re.search(r"^outcomes (\{.*\})$", proof.place.log(told.id), re.MULTILINE)
    if not found:
        raise UserError("the outcomes are gone with the pod that read them")
    stored = json.loads(found[1])
    wrong = {
        id_: stored.get(id_) for id_, state in ids.items() if [state] != stored.get(id_, [])[:1]
    }
    _must(not wrong, f"recorded as {wrong}, expected {ids}")
    silent = [id_ for id_, (state, reason) in stored.items() if state == "FAILED" and not reason]
    _must(not silent, f"recorded as failed without a reason: {silent}")
    print(f"recorded: {sorted(map(tuple, stored.values()))}", flush=True)


def waits_for_room(proof: Any) -> None:
    """A task that fits on no node is told to wait, and why."""
    run = proof.started(graphs.room)
    proof.later(f"run {run.name}", lambda: proof.remove(run))
    seen: list[str] = []

    def told() -> bool:
        seen[:] = run.refresh().waiting()
        return bool(seen) or run.state in FINAL_STATES

    _until(proof, told, f"{run.name} does not say why it waits")
    _must(bool(seen), f"{run.name} is {run.state}, expected it to wait for room")
    print(f"waits as it must: {seen[0]}", flush=True)


def scheduled(proof: Any) -> None:
    """A schedule is made once and fires; when it is pruned, its run ends before it goes."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{proof.dataset}.yaml"
        file.write_text(SCHEDULE.format(dataset=proof.dataset))
        schedules = Schedules(proof.host.client, file)
        proof.later("the schedule and its runs", lambda: _unschedule(proof, schedules))
        made = [step for step in schedules.apply() if step.make]
        again = [step for step in schedules.apply() if step.make]
        _must((len(made), again) == (1, []), f"a schedule was made {len(made)} times, then {again}")
        (recurring,) = _recurring(proof, schedules)
        proof.later("the runs of the schedule", lambda: _remove_runs(proof, recurring))
        fired = _until(proof, lambda: _runs_of(proof, recurring), "the schedule did not fire")[0]
        file.write_text("schedules: []\n")
        schedules.apply(prune=True)
        _must(bool(_recurring(proof, schedules)), "the schedule went before its run was over")
        fired.wait(HOURS, proof.every)
        if not fired.succeeded:
            raise UserError(fired.logs())
        print(f"the schedule fired {fired.name}, which {fired.state.lower()}", flush=True)

        def gone() -> bool:
            schedules.apply(prune=True)
            return not _recurring(proof, schedules)

        _until(proof, gone, "the schedule did not go after its runs")
        print("the schedule went after its runs", flush=True)


def made_by_hand(proof: Any) -> None:
    """A schedule of our pipeline that somebody made by hand is listed, with what is unsafe."""
    client, version = proof.host.client, find_version(proof.host.client, GRAPHS["watch"].name)
    with host_errors(url_of(client)):
        made = client.create_recurring_run(
            client.create_experiment(EXPERIMENT).experiment_id, f"by-hand-{proof.dataset}",
            cron_expression="0 0 0 1 1 ?", max_concurrency=10, no_catchup=False, enabled=False,
            pipeline_id=version.pipeline_id, version_id=version.id,
            service_account=pipeline_account(),
        )  # fmt: skip
    key = str(made.recurring_run_id)
    proof.later("the schedule made by hand", lambda: client.delete_recurring_run(key))
    lines = [str(one) for one in Schedules(client).foreign() if one.one.id == key]
    _must(bool(lines) and "catch-up" in lines[0] and "10 runs" in lines[0], f"listed: {lines}")
    print(f"listed: {lines[0]}", flush=True)


def _unschedule(proof: Any, schedules: Schedules) -> None:
    for recurring in _recurring(proof, schedules):
        with host_errors(url_of(proof.host.client)):
            proof.host.client.disable_recurring_run(recurring)
        _remove_runs(proof, recurring)
        with host_errors(url_of(proof.host.client)):
            proof.host.client.delete_recurring_run(recurring)


def _remove_runs(proof: Any, recurring: str) -> None:
    for run in _runs_of(proof, recurring):
        proof.remove(run)


def _recurring(proof: Any, schedules: Schedules) -> list[str]:
    return [one.id for one in schedules.there() if one.name == f"prove-{proof.dataset}"]


def _runs_of(proof: Any, recurring: str) -> list[Run]:
    client = proof.host.client
    with host_errors(url_of(client)):
        page = client.list_runs(page_size=PAGE, sort_by="created_at desc").runs or []
    return [Run(client, run) for run in page if run.recurring_run_id == recurring]


def _until(proof: Any, look: Any, complaint: str) -> Any:
    end = time.monotonic() + SOON_S
    while True:
        if found := look():
            return found
        if time.monotonic() > end:
            raise UserError(f"{complaint} within {SOON_S} s")
        time.sleep(proof.every)


def _must(holds: bool, complaint: str) -> None:
    if not holds:
        raise UserError(complaint)
