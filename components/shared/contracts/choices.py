"""Define the choices of a run's parameters: approval, launcher, image size, number or word."""

from typing import Literal

from components.shared.contracts.errors import UserError

Approval = Literal["auto", "manual"]  # of a winner: served at once, or registered and waits
LauncherName = Literal["local", "tfjob", "trainjob"]
ImageSize = Literal[
    64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416,
    448, 480, 512, 544, 576, 608, 640, 704, 768, 832, 896, 960, 1024, 1152, 1280,
]  # fmt: skip
MAX_DIGITS = 9  # of a whole number
AUTO = "auto"  # epochs: by the number of images
UNLIMITED = "unlimited"  # budget of a search: as many epochs as the trials take


def number_or(word: str, given: str | int, what: str) -> int:
    """Parse a whole number, or a word that means 0.

    Args:
        word: Word that means 0.
        given: The word, or a whole number; 0 means the word, too.
        what: Name of the parameter in the error.

    Raises:
        UserError: If it is neither.

    >>> number_or("auto", "auto", "epochs"), number_or("auto", "12", "epochs")
    (0, 12)
    >>> number_or("auto", "twelve", "epochs")
    Traceback (most recent call last):
    components.shared.contracts.errors.UserError: epochs is 'twelve', expected auto or a...
    """
    text = str(given).strip()
    if text == word:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise UserError(f"{what} is {given!r}, expected {word} or a whole number")
    return int(text)
