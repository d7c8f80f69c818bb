"""Options of the local commands: loop, run, retrain, history, serve and policy."""

from typing import Any

from pipelines.parameters import one_of_the_pipelines

POLICY = """Print every number that decides: value, unit, where it comes from (default, laptop or
file), and what it decides. A policy file is YAML, such as `rollout: {min_step_s: 300}`. POLICY
names it on this machine; on a cluster it is the config map car-policy."""


def add(commands: Any) -> None:
    """Add the commands that need no cluster.

    Args:
        commands: Subparsers of the command line.
    """
    loop = commands.add_parser("loop", help="run the whole loop once (make run)")
    loop.add_argument(
        "--data", default="", help="folder of labelled images; without it cameras are simulated"
    )
    loop.add_argument("--name", default="", help="name of the dataset")
    loop.set_defaults(act=_act("loop"))
    retrain = commands.add_parser(
        "retrain", help="label drifted frames and train again (make retrain)"
    )
    retrain.add_argument(
        "--frames", type=int, default=240, help="labelled night frames to add (default 240)"
    )
    retrain.set_defaults(act=_act("retrain"))
    serve = commands.add_parser("serve", help="serve champions and HTTP API here (make serve)")
    serve.add_argument("--port", type=int, default=8080, help="of the detector (default 8080)")
    serve.add_argument("--api-port", type=int, default=8000, help="of the API (default 8000)")
    serve.set_defaults(act=_act("serve"))
    history = commands.add_parser("history", help="list models, aliases and the audit log")
    history.add_argument("--dataset", default="car-parks", help="name (default car-parks)")
    history.set_defaults(act=_act("history"))
    policy = commands.add_parser(
        "policy", help="print every threshold, and where it comes from", description=POLICY
    )
    named = "policy file (YAML); none takes the one that POLICY names"
    policy.add_argument("file", nargs="?", default="", metavar="FILE", help=named)
    policy.add_argument("--cluster", action="store_true", help="without the values of a laptop")
    policy.set_defaults(act=_policy)
    run = commands.add_parser("run", help="run one pipeline on this machine")
    one_of_the_pipelines(run)
    run.set_defaults(act=_run)


def _act(name: str) -> Any:
    def act(options: dict[str, Any]) -> int:
        from pipelines.local import commands

        return int(getattr(commands, name)(**options))

    return act


def _run(options: dict[str, Any]) -> int:
    from pipelines.local import commands

    return commands.run(options.pop("pipeline"), options)


def _policy(options: dict[str, Any]) -> int:
    from pipelines.local.policy_table import print_policy

    return print_policy(options["file"], cluster=options["cluster"])
