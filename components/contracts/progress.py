"""What a job says aloud while it works; the last line of each is its main number."""

MARK = "» "


def say(line: str) -> None:
    """Print one line for the person who watches, at once, past every buffer."""
    print(f"{MARK}{line}", flush=True)
