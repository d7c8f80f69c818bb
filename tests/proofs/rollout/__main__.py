"""Roll out good and bad candidates under 50 requests a second; no client may notice any of it.

Real processes: two detector servers (the candidates' one with a fault added,
`tests/standins/faulty_server.py`), the reverse proxy, clients in a process of their own, and
each deployment as `python -m components deploy_model`. `make prove-rollout` runs it and
prints what it saw. It takes the package and the pictures of the state folder (CARS_STATE)
that has any; else a tiny package and drawn pictures.
"""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.rollout.scenes import good, scenes
from tests.proofs.rollout.stage import RATE, Stage

LEAST_REQUESTS = 10_000


def main() -> int:
    """Run every scene under clients, print the table, and say whether all was right."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        stage = Stage(Path(folder), stack)
        print(f"package and pictures: {stage.candidates.told}", flush=True)
        first = good(stage, "is the first", stage.candidates.good())
        clients, out = stage.clients()
        outcomes = [first]
        tell(first)
        for outcome in scenes(stage):
            outcomes.append(outcome)
            tell(outcome)
        while not out.exists() or json.loads(out.read_text())["requests"] < LEAST_REQUESTS:
            clients.must_run()
            time.sleep(1)
        clients.process.terminate()
        clients.process.wait()
        met = json.loads(out.read_text())
    failed = met["requests"] - met["statuses"].get("200", 0)
    print(
        f"\n{met['requests']:,} client requests, {met['rate']} of {RATE} wanted a second, {failed} "
        f"failed; answered by {len(met['models'])} models; median {met['p50_ms']} ms, 99 % within "
        f"{met['p99_ms']} ms"
    )
    for failure in met["failures"]:
        print(f"  {failure}")
    right = not failed and met["requests"] >= LEAST_REQUESTS
    right &= all(outcome.right for outcome in outcomes)
    print("as it should be" if right else "NOT as it should be")
    return 0 if right else 1


def tell(outcome):
    seconds = "" if outcome.seconds is None else f"{outcome.seconds:5.1f} s"
    mark = "" if outcome.right else "  WRONG"
    print(
        f"{outcome.what:46} {outcome.ended:12} {outcome.percent:3d} % {seconds:8} "
        f"{outcome.said[:150]}{mark}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
