import subprocess

import pytest

from pipelines.command_line import parser
from pipelines.completion import PROGRAM, script

COMPLETE = """
function_name=$(complete -p pipelines | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
COMP_WORDS=({words}); COMP_CWORD={last}
$function_name pipelines {word} {before}
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("roll", "rollback"), ("submit tr", "train"), ("run train --data", "--dataset")],
)
def test_bash_completes_commands_pipelines_and_options(typed, expected, tmp_path):
    words = ["pipelines", *typed.split()]
    file = tmp_path / "completion.bash"
    ask = COMPLETE.format(
        words=" ".join(words), last=len(words) - 1, word=words[-1], before=words[-2]
    )
    file.write_text(script(parser(PROGRAM), "bash") + ask)

    answer = subprocess.run(["bash", str(file)], capture_output=True, text=True, check=True)

    assert answer.stdout.split() == [expected]


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_script_defines_the_command_that_it_completes(shell):
    assert script(parser(PROGRAM), shell).splitlines()[-1].startswith(("pipelines()", "alias pip"))
