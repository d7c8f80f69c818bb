"""Options of the local commands: loop, run, retrain, rollback, history and serve."""

from typing import Any

from pipelines.parameters import one_of_the_pipelines


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
    serve = commands.add_parser("serve", help="serve the champions here (make serve)")
    serve.add_argument("--port", type=int, default=8080, help="TCP port (default 8080)")
    serve.set_defaults(act=_act("serve"))
    history = commands.add_parser("history", help="list models, aliases and the audit log")
    history.add_argument("--dataset", default="car-parks", help="name (default car-parks)")
    history.set_defaults(act=_act("history"))
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
