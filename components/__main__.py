"""Command line of the jobs: `python -m components NAME --help` runs one as the cluster would.

A folder with a `service.py` is run as it stands. For a `component.py` the options are
read from the component's own signature, so they cannot drift from it: an artifact is
given as a path, and the folder of an output path is made if it is missing.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from components.shared.contracts.errors import UserError
from components.shared.contracts.failure import ending

HERE = Path(__file__).parent
# The package of each job that this image has, by its name.
JOBS = {
    file.parent.name: ".".join(("components", *file.parent.relative_to(HERE).parts))
    for kind in ("component", "service")
    for file in sorted(HERE.glob(f"**/{kind}.py"))
}


def main(arguments: Sequence[str]) -> Any:
    """Run the job named first in `arguments` with the options that follow.

    Raises:
        UserError: If there is no such job, or the job refuses what it was given.
    """
    name, options = (arguments[0] if arguments else "--help"), list(arguments[1:])
    if name in ("-h", "--help"):
        print("usage: python -m components JOB [--help] [options]\n\njobs:")
        print(*(f"  {job}" for job in sorted(JOBS)), sep="\n")
        return None
    if name not in JOBS:
        raise UserError(f"{name!r} is no job, expected one of {', '.join(sorted(JOBS))}")
    if find_spec(f"{JOBS[name]}.service"):
        return import_module(f"{JOBS[name]}.service").main(options)
    wrapper = getattr(import_module(f"{JOBS[name]}.component"), name)
    function = wrapper.python_func
    return function(**vars(parser_for(function).parse_args(options)))


def parser_for(function: Callable[..., Any]) -> argparse.ArgumentParser:
    """Return a parser with one option for each parameter of a component function."""
    parser = argparse.ArgumentParser(
        prog=f"python -m components {function.__name__}",
        description=inspect.getdoc(function),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        kind, many = _element(parameter.annotation)
        parser.add_argument(
            f"--{parameter.name.replace('_', '-')}",
            type=_reader(kind),
            nargs="+" if many else None,
            required=required,
            default=None if required else parameter.default,
            help="required" if required else f"default {parameter.default!r}",
        )
    return parser


def _element(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one word of an option, and whether there may be several words."""
    if get_origin(annotation) is Annotated:
        kind, *rest = get_args(annotation)
        if get_origin(kind) is list:
            return Annotated[get_args(kind)[0], *rest], True
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    return annotation, False


def _reader(annotation: Any) -> Callable[[str], Any]:
    if annotation is bool:
        return truth
    if get_origin(annotation) is Annotated:
        return lambda path: _artifact(get_args(annotation)[0], Path(path).absolute())
    reader: Callable[[str], Any] = annotation
    return reader


def truth(text: str) -> bool:
    """Parse `true` or `false`, in any case, for argparse."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r}, expected true or false")
    return text.lower() == "true"


def _artifact(kind: type, path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return kind(uri=str(path))


if __name__ == "__main__":
    try:
        answer = main(sys.argv[1:])
    except Exception as error:
        if not (end := ending(error)):
            raise
        print(end.sentence, file=sys.stderr)
        sys.exit(end.code)
    if answer is not None:
        print(answer)
