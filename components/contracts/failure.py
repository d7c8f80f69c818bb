"""A failed job's message says all that a person needs; nobody needs a traceback to act on it."""


class JobFailure(RuntimeError):  # noqa: N818 (named for what happened to the job)
    """A job that was asked for something possible ended before it was done; exit code 1."""
