"""Every number that decides is a policy field: it is used, and it comes from the policy file."""

import ast
from pathlib import Path

import pytest

from components.shared.settings.policy_file import KINDS
from tests.support.python_imports import tree_of

ROOT = Path(__file__).parents[2]
HOME = ROOT / "components/shared/contracts/policy"
FILES = [file for file in ROOT.glob("components/**/*.py") if HOME not in file.parents]
POLICIES = "components.shared.contracts.policy"
# The wrapper or service of each job with a file that decides by a policy.
DOORS = sorted(
    {
        next(door for kind in ("component", "service") if (door := job / f"{kind}.py").exists())
        for job in {ROOT.joinpath(*file.relative_to(ROOT).parts[:3]) for file in FILES}
        if (job / "component.py").exists() or (job / "service.py").exists()
        if any(POLICIES in file.read_text() for file in job.glob("**/*.py"))
    }
)


def test_every_field_of_a_policy_decides_something():
    used = {
        node.attr
        for file in [*FILES, *HOME.glob("*.py")] for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute)
    }  # fmt: skip

    assert [
        f"{section}.{name}" for section, kind in KINDS.items() for name in kind.model_fields
        if name not in used
    ] == []  # fmt: skip


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.parent.name)
def test_a_job_that_decides_by_a_policy_reads_the_policy_file(door):
    assert "policy_from(os.environ)" in door.read_text()


def test_a_policy_is_made_without_the_file_for_defaults_of_parameters_alone():
    """Inside a function, a policy of defaults would be a number that no file changes."""
    made = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in FILES for function in ast.walk(tree_of(file))
        if isinstance(function, ast.FunctionDef)
        for node in function.body for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        and call.func.id in {kind.__name__ for kind in KINDS.values()} and not call.keywords
    ]  # fmt: skip

    assert made == []
