"""Convert errors to exit codes and a last sentence of a process, and find that sentence in logs.

An error that is neither in the tree of `errors` nor one of those below is a fault of the program:
it gets no sentence, and its traceback is printed.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import ValidationError

from components.shared.contracts.errors import ApplicationError, ExitCode
from components.shared.contracts.record import complaint

TRACEBACK = re.compile(r"( *)Traceback \(most recent call last\):")
CAUSE = re.compile(r"( *)((?:\w+\.)*)[A-Z]+[a-z]\w*: (.+)$")  # how a traceback ends
BARE = re.compile(r"( *)(?:\w+\.)*([A-Z]+[a-z]\w*)$")  # that of an error without a message


class Ending(NamedTuple):
    """Last sentence of a process, and its exit code."""

    sentence: str
    code: ExitCode


def ending(error: Exception) -> Ending | None:
    """Return the ending of a process for an error, or None if its traceback is needed.

    >>> ending(ApplicationError("2 of 4 workers were lost"))
    Ending(sentence='2 of 4 workers were lost', code=<ExitCode.FAILED: 1>)
    >>> ending(KeyError("DATABASE_URL"))
    Ending(sentence="the environment lacks 'DATABASE_URL'", code=<ExitCode.REFUSED: 2>)
    """
    match error:
        case ApplicationError():
            return Ending(str(error), ExitCode.of(error))
        case ValidationError():
            return Ending(f"{error.title}: {complaint(error)}", ExitCode.REFUSED)
        case OSError():
            return Ending(f"{error.filename or ''}: {error.strerror or error}", ExitCode.REFUSED)
        case KeyError() if str(error).strip("'").isupper():
            return Ending(f"the environment lacks {error}", ExitCode.REFUSED)
    return None


def last_line(error: Exception, sentence: str) -> str:
    """Return a sentence behind the qualified name of its error, as `causes` expects it in a log.

    Args:
        error: The error.
        sentence: Its sentence.
    """
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}: {sentence}"


def causes(lines: Iterable[str]) -> Iterator[str]:
    """Yield the sentence of every error that a log names in full or after a traceback.

    A bare name counts only behind a traceback: a log may say `Note: ...` as well.

    >>> log = ["Epoch: 3", "contracts.errors.UserError: no room"]
    >>> list(causes([*log, "Traceback (most recent call last):", "OSError: no disk", "Hint: mop"]))
    ['no room', 'no disk']
    """
    margin = -1  # of the traceback that has begun, if one has
    for line in lines:
        if begun := TRACEBACK.match(line):
            margin = len(begun[1])
        elif (found := CAUSE.match(line)) and (found[2] or len(found[1]) <= margin):
            margin = -1
            yield found[3]
        elif (found := BARE.match(line)) and len(found[1]) <= margin:
            margin = -1
            yield found[2]
