"""Secret scanner: detect secrets by known formats, by parameter names, or by entropy."""

import math
import re
from collections import Counter
from collections.abc import Iterator

FORMS = {
    "a private key or certificate": re.compile(r"-----BEGIN [A-Z0-9 ]+-----"),
    "an address with a password": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{$]*:[^\s/@'\"]+@"),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token": re.compile(
        r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}|\bgh[oprsu]_\w{30,}|\bxox[abp]-[\w-]{10,}|\bAIza[\w-]{30,}"
    ),
}
NAMES = re.compile(
    r"passw(?:or)?d|secret|credential|(?:pwd|tokens?|dsn|database_?url"
    r"|(?:access|private|api|signing)_?key)(?:$|[^a-z])",
    re.IGNORECASE,
)
QUOTED = re.compile(r"\"([^\"\s\\]+)\"|'([^'\s\\]+)'")
RUNS = re.compile(r"[A-Za-z0-9+=]{14,}")
MIN_BITS = 3.3  # a character; 14 letters and digits drawn at random have about 3.6
HEX = re.compile(r"[0-9a-fA-F]{20,}")
MIN_HEX_BITS = 3.0  # of at most 4


def form_of_secret(text: str) -> str | None:
    """Return the kind of secret in a text by its format; None if there is none.

    >>> form_of_secret("postgresql://cars:hunter2@db/cars")
    'an address with a password'
    >>> form_of_secret("postgresql://db/cars")
    """
    return next((what for what, form in FORMS.items() if form.search(text)), None)


def names_a_secret(name: str) -> bool:
    """Return whether a parameter or variable of this name would hold a secret.

    >>> names_a_secret("PGPASSWORD"), names_a_secret("AWS_ACCESS_KEY_ID"), names_a_secret("MYTOKEN")
    (True, True, True)
    >>> names_a_secret("passes"), names_a_secret("keypoints"), names_a_secret("tokenizer")
    (False, False, False)
    """
    return NAMES.search(name) is not None


def looks_random(text: str) -> bool:
    """Return whether a text has a part of high entropy, unlike a name, a path or a number.

    >>> looks_random("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY0")
    True
    >>> looks_random("s3://car-detection/highway-vehicles/2026-11-21T00:00:00Z")
    False
    """
    return any(_is_random(run) for run in RUNS.findall(text))


def quoted_in(source: str) -> Iterator[str]:
    """Yield the quoted words of a program."""
    for double, single in QUOTED.findall(source):
        yield double or single


def _is_random(run: str) -> bool:
    if HEX.fullmatch(run):
        return _bits(run) >= MIN_HEX_BITS
    letters, digits = re.search("[A-Za-z]", run), re.findall("[0-9]", run)
    cases = re.search("[a-z]", run) and re.search("[A-Z]", run)
    return bool(letters and len(digits) >= (1 if cases else 3)) and _bits(run) >= MIN_BITS


def _bits(text: str) -> float:
    """Return Shannon's entropy, in bits a character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)
