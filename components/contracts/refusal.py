"""A refusal is a sentence for the person who asked; nobody needs a traceback to act on it."""


class Refusal(ValueError):
    """What was given cannot be used: the message names it, says what it is and what was expected."""
