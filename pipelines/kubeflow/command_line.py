"""Commands for a Kubeflow Pipelines host: upload, submit, wait, logs, rollback, schedules."""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.shared.contracts.errors import ExitCode
from components.shared.kubeflow.runs import FINAL_STATES
from pipelines.graphs import GRAPHS
from pipelines.kubeflow import cron, schedule_file
from pipelines.kubeflow.controller import retry_policy
from pipelines.kubeflow.host import Host
from pipelines.kubeflow.recurring import Foreign, Paused
from pipelines.kubeflow.runs import Run, RunTimeoutError
from pipelines.kubeflow.schedules import Step
from pipelines.parameters import one_of_the_pipelines

YEAR = 366 * 24 * 3600
CODES = "exit codes: 0 succeeded, 1 failed or canceled, 2 refused or unreachable, 124 timed out"
LOG_CODES = CODES.replace("timed out", "not over yet")
DIFFERS = "exit codes: 0 nothing to do, 1 the host differs, 2 refused or unreachable"


def add(commands: Any) -> None:
    """Add the commands that need a host.

    Args:
        commands: The command line's subparsers.
    """
    host = [_host()]
    upload = commands.add_parser(
        "upload", parents=host, help="upload the pipelines of this revision"
    )
    upload.add_argument(
        "pipeline", nargs="?", choices=[*GRAPHS, ""], default="", help="default: all"
    )
    upload.add_argument("--allow-dirty", action="store_true", help="allow uncommitted changes")
    upload.add_argument("--allow-tags", action="store_true", help="allow images without digest")
    upload.set_defaults(act=_upload)
    submit = commands.add_parser(
        "submit", help="run an uploaded pipeline on Kubeflow", epilog=CODES
    )
    for pipeline in one_of_the_pipelines(submit, parents=host, epilog=CODES):
        _run_options(pipeline)
    submit.set_defaults(act=_submit)
    wait = commands.add_parser("wait", parents=host, help="wait for the end of a run", epilog=CODES)
    wait.add_argument("run", help="name or id of the run")
    _wait_options(wait)
    wait.set_defaults(act=_wait)
    logs = commands.add_parser(
        "logs", parents=host, help="print why a run failed, and the end of each task's log",
        epilog=LOG_CODES,
    )  # fmt: skip
    logs.add_argument("run", help="name or id of the run")
    logs.set_defaults(act=_logs)
    back = commands.add_parser(
        "rollback", parents=host, epilog=CODES,
        help="deploy the previous model again: on the host, or without one on this machine",
    )  # fmt: skip
    back.add_argument("--dataset", default="car-parks", help="name (default car-parks)")
    back.add_argument("--wait", action="store_true", help="wait for the end of the run")
    _wait_options(back)
    back.set_defaults(act=_rollback)
    _add_schedules(commands, host)


def _add_schedules(commands: Any, host: list[argparse.ArgumentParser]) -> None:
    schedules = commands.add_parser("schedules", help="manage recurring runs")
    verbs = schedules.add_subparsers(metavar="VERB", required=True)
    lint = verbs.add_parser("lint", help="check the file, list next times")
    diff = verbs.add_parser("diff", parents=host, help="print what apply would do", epilog=DIFFERS)
    apply = verbs.add_parser("apply", parents=host, help="create and update them on the host")
    apply.add_argument("--prune", action="store_true", help="delete those that the file lacks")
    apply.add_argument("--resume", action="store_true", help="resume those that are paused")
    for parser, act in ((lint, _lint), (diff, _diff), (apply, _apply)):
        parser.add_argument("--file", type=Path, default=schedule_file.FILE, dest="schedules")
        parser.set_defaults(act=act)


def _host() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group(
        "host", "KFP_TOKEN names the file of a token, if the host requires one"
    )
    group.add_argument("--host", default="", help="URL of Kubeflow Pipelines (default KFP_HOST)")
    group.add_argument("--namespace", default="", help="of a multi-user host (KFP_NAMESPACE)")
    group.add_argument("--ca", default="", help="file of trusted certificates (KFP_CA)")
    return parser


def _run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    group.add_argument("--name", default="", help="default: by version and parameters")
    group.add_argument("--version", default="", help="default: this checkout's, else the newest")
    group.add_argument(
        "--again", action="store_true", help="start another run with the same parameters"
    )
    group.add_argument("--wait", action="store_true", help="wait for the end of the run")
    _wait_options(group)


def _wait_options(parser: Any) -> None:
    parser.add_argument("--timeout", type=_seconds, default=24 * 3600, help="seconds to wait")
    parser.add_argument("--every", type=_seconds, default=10, help="poll interval, seconds")


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= YEAR:  # which nan is not either
        raise argparse.ArgumentTypeError(f"{word!r}, expected seconds from 0 to {YEAR}")
    return seconds


def _take_host(options: dict[str, Any]) -> Host:
    chosen = {key: options.pop(key) for key in ("namespace", "ca")}
    if file := options.pop("schedules", None):
        chosen["schedules"] = file
    return Host(options.pop("host"), **chosen)


def _upload(options: dict[str, Any]) -> int:
    host, pipeline = _take_host(options), options.pop("pipeline")
    for name in [pipeline] if pipeline else GRAPHS:
        version, was_there = host.upload(name, **options)
        print(f"{version.pipeline} {version.name} {'exists' if was_there else 'uploaded'}")
    return 0


def _submit(options: dict[str, Any]) -> int:
    host, waits = _take_host(options), options.pop("wait")
    limits = {key: options.pop(key) for key in ("timeout", "every")}
    run = host.submit(options.pop("pipeline"), **options)
    found = f"exists, {run.state}; --again starts another" if run.was_there else "started"
    print(f"{run.name} {found}", file=sys.stderr)
    print(run.id, flush=True)
    return _waited(run, **limits) if waits else 0


def _rollback(options: dict[str, Any]) -> int:
    if options["host"] or os.environ.get("KFP_HOST"):
        return _submit({"pipeline": "deploy", "model": "previous", "again": True, **options})
    from pipelines.local import commands

    return commands.rollback(options["dataset"])


def _wait(options: dict[str, Any]) -> int:
    host = _take_host(options)
    return _waited(host.run(options["run"]), options["timeout"], options["every"])


def _waited(run: Run, timeout: float, every: float) -> int:
    try:
        run.wait(timeout, every, lambda line: print(f"{run.name} {line}", flush=True))
    except RunTimeoutError as late:
        print(late, file=sys.stderr)
        return ExitCode.TIMED_OUT
    return ExitCode.SUCCEEDED if run.succeeded else ExitCode.FAILED


def _logs(options: dict[str, Any]) -> int:
    run = _take_host(options).run(options["run"])
    print(run.logs())
    if run.state not in FINAL_STATES:
        return ExitCode.TIMED_OUT
    return ExitCode.SUCCEEDED if run.succeeded else ExitCode.FAILED


def _lint(options: dict[str, Any]) -> int:
    file = schedule_file.read(options["schedules"])
    now = datetime.now(UTC)
    for one in file.schedules:
        print(f"{one.name}: {one.pipeline} at {one.cron!r} for {', '.join(one.datasets)}")
        for at in cron.next_times(one.cron, now, file.zone):
            print(f"    {at:%a %Y-%m-%d %H:%M:%S %Z (%z)}")
    return 0


def _diff(options: dict[str, Any]) -> int:
    schedules = _take_host(options).schedules
    steps = schedules.diff()
    _print_steps(steps, [*schedules.foreign(), *schedules.paused()])
    return 1 if steps else 0


def _apply(options: dict[str, Any]) -> int:
    prune, resume = options.pop("prune"), options.pop("resume")
    if not (policy := retry_policy()).is_right:
        print(policy.sentence, file=sys.stderr)
    schedules = _take_host(options).schedules
    steps = schedules.apply(prune=prune)
    steps += schedules.resume() if resume else []
    _print_steps(steps, schedules.paused())
    return 0


def _print_steps(steps: list[Step], found: Sequence[Foreign | Paused]) -> None:
    """Print what is to be done or was, after what was found and is left as it is."""
    print("\n".join(map(str, [*found, *steps])) if found or steps else "nothing to do")
