"""A refusal is a sentence for the person who asked; nobody needs a traceback to act on it."""


class Refusal(ValueError):  # noqa: N818 (it is no fault of the program)
    """What was given cannot be used: its name, what it is, and what was expected."""


class Outage(Refusal):
    """Something that is needed is away or busy: nothing was wrong with what was given."""
