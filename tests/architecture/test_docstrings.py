"""A public function of two or more parameters says what each means, in its unit and shape."""

import ast
from pathlib import Path

from tests.support.python_imports import name_of, tree_of

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("components/**/*.py"), *ROOT.glob("pipelines/**/*.py")])


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return tuple(it.arg for it in every if it.arg not in ("self", "cls") and it.arg.strip("_"))


def public_functions(file: Path):
    """Yield the functions of a module and the methods of its classes, each with its class."""
    tree = tree_of(file)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for home in (tree, *(node for node in classes if not node.name.startswith("_"))):
        for node in home.body:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and not node.name.startswith("_") and len(parameters(node)) > 1:
                yield node, isinstance(home, ast.ClassDef)


def is_described(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether parameters are described; those of a route are, where OpenAPI reads them."""
    is_route = any(ast.unparse(it).startswith("router.") for it in function.decorator_list)
    return is_route or "Args:" in (ast.get_docstring(function) or "")


# A method that a protocol or another class describes is described once.
def described_methods() -> set[tuple[str, tuple[str, ...]]]:
    return {
        (function.name, parameters(function))
        for file in FILES
        for function, is_method in public_functions(file)
        if is_method and is_described(function)
    }


def test_the_parameters_of_a_public_function_are_described():
    described = described_methods()
    silent = [
        f"{name_of(file)}: {function.name}"
        for file in FILES
        for function, is_method in public_functions(file)
        if not is_described(function)
        and not (is_method and (function.name, parameters(function)) in described)
    ]

    assert silent == []
