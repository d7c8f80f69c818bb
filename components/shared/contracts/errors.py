"""Tree of all errors that are foreseen, and the exit codes that follow from it.

The branch of an error is what a caller should do: change the input (`UserError`), try the same
again (`OutageError`), or read the reason of a job that failed (`JobError`). The sentence of each is
printed without a traceback; any other exception is a fault of the program.
"""

import signal
from enum import IntEnum

RETRIED_FROM = 128  # a training worker with this exit code or a higher one is started again


class ApplicationError(Exception):
    """Root of the tree: the message is a sentence for the person who runs the program."""


class UserError(ApplicationError, ValueError):
    """The input must change: its name, its value, and what was expected."""


class OutageError(ApplicationError):
    """The input is valid; try again when the service that did not do its part is available."""


class JobError(ApplicationError):
    """A job with valid input failed before its end, or its result is negative."""


class ExitCode(IntEnum):
    """Exit codes of all processes."""

    SUCCEEDED = 0
    FAILED = 1
    REFUSED = 2  # also of an outage: nothing was done, and nothing failed half-way
    TIMED_OUT = 124  # as `timeout` of coreutils
    INTERRUPTED = 128 + signal.SIGINT
    RESTART = 138  # another worker, or the object store, was lost
    STOPPED = 128 + signal.SIGTERM

    @classmethod
    def of(cls, error: ApplicationError) -> "ExitCode":
        """Return the exit code of a command that ends with an error.

        >>> ExitCode.of(OutageError("no database answers"))
        <ExitCode.REFUSED: 2>
        """
        return cls.REFUSED if isinstance(error, UserError | OutageError) else cls.FAILED

    @classmethod
    def of_worker(cls, error: ApplicationError) -> "ExitCode":
        """Return the exit code of a training worker, which is restarted after an outage.

        >>> ExitCode.of_worker(OutageError("worker 1 was lost"))
        <ExitCode.RESTART: 138>
        """
        return cls.RESTART if isinstance(error, OutageError) else cls.of(error)
