"""What may be wrong with a candidate, and which guard must speak."""

from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong with a candidate.

    Attributes:
        what: In words.
        kind: A fault of `tests/standins/faulty_server.py`; empty if the server is right.
        after: So many clients' requests are answered well before it shows.
        guard: Words of the one that must send it back.
        percent: Least share that it must have reached; 0: it never meets a client.
        ended: What the sentence must say became of it.
    """

    what: str
    kind: str
    after: int
    guard: str
    percent: int
    ended: str = "rolled back"

    def is_met(self, said, most):
        """Say whether the right guard spoke, after the share had been right."""
        return (
            self.ended in said
            and self.guard in said
            and (most >= self.percent if self.percent else most == 0)
        )


FAULTS = (
    Fault("answers 500 at once", "errors", 0, "no answer for golden/", 0),
    Fault("answers 500 in traffic", "errors", 10, "requests failed", 5),
    Fault("is slow at once", "slow", 0, "latency ", 0, "not promoted under load"),
    Fault("is slow in traffic", "slow", 10, "latency ", 5, "not promoted under load"),
    Fault("crashes in traffic", "crash", 10, "requests failed", 5),
    Fault("crashes at a quarter", "crash", 60, "requests failed", 25),
    Fault("answers otherwise but golden pictures", "lies", 0, "boxes missing", 0),
    Fault("answers otherwise in traffic", "lies", 10, "boxes missing", 5),
    Fault("finds nothing for clients alone", "blinds", 0, "client images", 5),
    Fault("never gets ready", "never", 0, "it does not become ready", 0),
    Fault("lies about ready", "pretends", 0, "no model answered golden/", 0),
)
UNSIGNED = Fault("is not signed", "", 0, "has no signature", 0)
SHIFTED = Fault("is another model, with right golden answers", "", 0, "boxes missing", 0)
