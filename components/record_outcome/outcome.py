"""How a run ended is one row and one sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The run, how it ended (`SUCCEEDED`, `FAILED`, `CANCELLED`), and why."""

    run_id: str
    state: str
    reason: str

    @property
    def sentence(self) -> str:
        """What to tell the person who watches."""
        return f"{self.state.lower()}: {self.reason}" if self.reason else self.state.lower()


def outcome(run_id: str, state: str, code: int | None, message: str | None) -> Outcome:
    """Put what Kubeflow says at the end of a run into a sentence.

    Args:
        run_id: The run's id or name.
        state: How it ended.
        code: Of the error, if there was one.
        message: What the error said, in as many lines as it liked.

    >>> outcome("run-7", "FAILED", 1, "no disk").sentence
    'failed: no disk (code 1)'
    """
    reason = " ".join((message or "").split())
    return Outcome(run_id, state, f"{reason} (code {code})".strip() if code else reason)
