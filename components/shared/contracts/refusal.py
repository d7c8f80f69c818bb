"""Define errors whose sentence is printed without a traceback: refusal, outage, job failure."""


class Refusal(ValueError):  # noqa: N818 (it is no fault of the program)
    """Invalid input: its name, its value, and what was expected."""


class Outage(Refusal):
    """A service is unreachable or busy; the input is valid."""


class JobFailure(RuntimeError):  # noqa: N818 (named for what happened to the job)
    """A job with valid input failed before its end."""
