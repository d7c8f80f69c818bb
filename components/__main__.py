"""Command line of the jobs: `python -m components NAME --help` runs one as the cluster would.

A folder with a `service.py` is run as it stands. For a `component.py` the options are
read from the component's own signature, so they cannot drift from it: an artifact is
given as a path, and the folder of an output path is made if it is missing.
"""

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from components.shared.contracts.errors import UserError
from components.shared.contracts.failure import ending

HERE = Path(__file__).parent
KINDS = ("component", "service")
MEANING = re.compile(r"^    (\w+): (.*(?:\n      +.*)*)", re.MULTILINE)  # of each argument
# The package of each job that this image has, by its name.
JOBS = {
    file.parent.name: ".".join(("components", *file.parent.relative_to(HERE).parts))
    for kind in KINDS
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
        print(*(f"  {job:<20}{_summary(JOBS[job], job)}" for job in sorted(JOBS)), sep="\n")
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
    docstring = inspect.getdoc(function) or ""
    head, _, rest = docstring.partition("\nArgs:\n")
    meanings = {name: " ".join(text.split()) for name, text in MEANING.findall(rest)}
    parser = argparse.ArgumentParser(
        prog=f"python -m components {function.__name__}",
        description=head.strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for parameter in inspect.signature(function).parameters.values():
        required = parameter.default is inspect.Parameter.empty
        kind, many = _element(parameter.annotation)
        default = "required" if required else f"default {parameter.default!r}"
        parser.add_argument(
            f"--{parameter.name.replace('_', '-')}",
            type=_reader(kind),
            nargs="+" if many else None,
            required=required,
            default=None if required else parameter.default,
            metavar=_placeholder(kind),
            help=f"{meanings.get(parameter.name, '')} ({default})".replace("%", "%%").strip(),
        )
    return parser


def _summary(package: str, job: str) -> str:
    """Return the first line of a job's docstring, without importing what the job needs."""
    folder = HERE.joinpath(*package.split(".")[1:])
    file = next(file for kind in KINDS if (file := folder / f"{kind}.py").exists())
    functions = {
        node.name: node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    return (ast.get_docstring(functions.get(job) or functions["main"]) or "").partition("\n")[0]


def _placeholder(kind: Any) -> str:
    """Return the word for a value of an option in its help."""
    return (
        "PATH"
        if get_origin(kind) is Annotated
        else {str: "TEXT", bool: "BOOL"}.get(kind, getattr(kind, "__name__", "VALUE").upper())
    )


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
