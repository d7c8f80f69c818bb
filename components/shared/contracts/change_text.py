"""Format changes of numbers: two that are equal as rounded are never called a rise or a fall."""


def change_text(before: float, after: float, digits: int = 2) -> str:
    """Return how a number changed, as it is shown.

    Args:
        before: The number before.
        after: The number now.
        digits: Digits after the point.

    >>> change_text(0.344, 0.161), change_text(0.0661, 0.0707)
    ('fell from 0.34 to 0.16', 'stayed at 0.07')
    """
    shown = [_shown(number, digits) for number in (before, after)]
    if shown[0] == shown[1]:
        return f"stayed at {shown[0]}"
    return f"{'rose' if after > before else 'fell'} from {shown[0]} to {shown[1]}"


def gain_text(gain: float, digits: int = 3) -> str:
    """Return a difference with its sign; one that rounds to 0 has none.

    Args:
        gain: The number now, minus the number before.
        digits: Digits after the point.

    >>> gain_text(0.0121), gain_text(-0.0121), gain_text(-0.0001)
    ('+0.012', '-0.012', '0.000')
    """
    return f"{gain:+.{digits}f}" if float(f"{gain:.{digits}f}") else _shown(0.0, digits)


def _shown(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}"
    return text if float(text) else f"{0.0:.{digits}f}"
