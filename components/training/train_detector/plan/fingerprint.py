"""Digest of the code and the packages that decide what a training learns.

Two trainings from one snapshot with the same settings, seed and digest have the same outcome.
The digest depends neither on where a module lies nor on its comments, docstrings, descriptions
and progress lines: moving a file or rewording a sentence makes no training a new one.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Protocol

from components.shared.contracts.record import digest_of

# Folders below `components` whose modules decide, and those of which the imported modules do.
LEARNING = tuple(f"training.train_detector.{folder}" for folder in ("plan", "data", "learning"))
SHARED = ("shared.contracts", "shared.network", "shared.vision")
ITSELF = "fingerprint"
SILENT = "progress"  # the module that prints lines, which decide nothing
PRINT = "log_progress"
PACKAGES = {
    "cykooz-resizer": ("cykooz-resizer",),
    "keras": ("keras",),
    "numpy": ("numpy",),
    "pillow": ("pillow",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-rocm"),
}


class SourceFolder(Protocol):
    """A folder of sources: on disk, in an installed package or in an archive."""

    @property
    def name(self) -> str:
        """Return its own name."""

    def joinpath(self, name: str, /) -> "SourceFolder":
        """Return what lies below it."""

    def iterdir(self) -> Iterator["SourceFolder"]:
        """Yield what lies in it."""

    def is_dir(self) -> bool:
        """Return whether it is a folder that exists."""

    def is_file(self) -> bool:
        """Return whether it is a file that exists."""

    def read_text(self, encoding: str) -> str:
        """Return the content of a file."""


@cache
def code_digest() -> str:
    """Return the digest of the installed code and of the packages that compute."""
    return digest_of(parts(files("components"), installed()))


def parts(components: SourceFolder, versions: Mapping[str, str]) -> dict[str, str]:
    """Return all that the digest is made of: a digest of each module, a version of each package.

    Args:
        components: The folder `components` of a checkout or an installation.
        versions: Of `PACKAGES`.
    """
    digests: dict[str, list[str]] = {}
    for module, source in sources(components).items():
        name = module.rpartition(".")[2]
        digests.setdefault(name, []).append(sha256(meaning(source).encode()).hexdigest())
    return {name: " ".join(sorted(found)) for name, found in digests.items()} | dict(versions)


def sources(components: SourceFolder) -> dict[str, str]:
    """Return the source of every module that decides, by its name below `components`.

    They are those of `LEARNING`, at any depth, and of `SHARED` what they import, directly or not.
    """
    found: dict[str, str] = {}
    waiting = [module for folder in LEARNING for module in _modules(components, folder)]
    while waiting:
        module = waiting.pop()
        *folders, name = module.split(".")
        file = components.joinpath("/".join([*folders, f"{name}.py"]))
        if name == ITSELF or module in found or not file.is_file():
            continue
        found[module] = file.read_text(encoding="utf-8")
        waiting += [it for it in _imported(found[module]) if it.startswith((*LEARNING, *SHARED))]
    return found


def installed() -> dict[str, str]:
    """Return the versions of Python and of `PACKAGES` in this environment; empty if absent."""
    python = ".".join(map(str, sys.version_info[:2]))
    return {"python": python} | {name: _version(of) for name, of in PACKAGES.items()}


def meaning(source: str) -> str:
    r"""Return the syntax tree of a module without what changes no result.

    >>> own = "from components.vision.boxes import Boxes"
    >>> meaning(own) == meaning("from a.boxes import Boxes")
    False
    >>> one = "from components.vision.boxes import Boxes\n'''A.'''\nlog_progress('a')  # a"
    >>> other = "'''B.'''\nfrom components.shared.vision.boxes import Boxes\nlog_progress('b')"
    >>> meaning(one) == meaning(other)
    True
    """
    tree = ast.parse(source)
    imports = sorted(
        f"{module.rpartition('.')[2]} {name.name} {name.asname}"
        for node in ast.walk(tree) if (module := _own_module(node))
        for name in node.names  # type: ignore[attr-defined]
    )  # fmt: skip
    return "\n".join([*imports, ast.dump(_Meaning().visit(tree))])


class _Meaning(ast.NodeTransformer):
    """Drops own imports, which are listed apart, and all words that are for people."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if (node.module or "").startswith("components.") else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        spoken = isinstance(call, ast.Call) and getattr(call.func, "id", "") == PRINT
        text = isinstance(call, ast.Constant) and isinstance(call.value, str)
        return None if spoken or text else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [word for word in node.keywords if word.arg != "description"]
        return self.generic_visit(node)


def _modules(components: SourceFolder, folder: str) -> Iterator[str]:
    """Yield the modules in a folder, at any depth."""
    place = components.joinpath(folder.replace(".", "/"))
    for each in place.iterdir() if place.is_dir() else ():
        name, _, kind = each.name.partition(".")
        if each.is_dir():
            yield from _modules(components, f"{folder}.{each.name}")
        elif kind == "py" and name != "__init__":
            yield f"{folder}.{name}"


def _imported(source: str) -> Iterator[str]:
    """Yield the modules below `components` that a module may import, or names of which it may."""
    for node in ast.walk(ast.parse(source)):
        if module := _own_module(node):
            module = module.removeprefix("components.")
            yield module
            yield from (f"{module}.{name.name}" for name in node.names)  # type: ignore[attr-defined]


def _own_module(node: ast.AST) -> str:
    module = (isinstance(node, ast.ImportFrom) and node.module) or ""
    return module if module.startswith("components.") and not module.endswith(SILENT) else ""


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""
