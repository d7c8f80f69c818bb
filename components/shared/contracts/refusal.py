"""A refusal or a failure is a sentence for the person who asked; nobody needs its traceback."""


class Refusal(ValueError):  # noqa: N818 (it is no fault of the program)
    """What was given cannot be used: its name, what it is, and what was expected."""


class Outage(Refusal):
    """Something that is needed is away or busy: nothing was wrong with what was given."""


class JobFailure(RuntimeError):  # noqa: N818 (named for what happened to the job)
    """A job that was asked for something possible ended before it was done."""
